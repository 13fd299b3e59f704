#include "mask/normalise.hpp"

#include "core/error.hpp"
#include "mask/ascii.hpp"
#include "mask/phone.hpp"
#include "mask/white_space.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <utility>

namespace abgleich::mask {

namespace {

constexpr int kNormaliserVersion = 1;
constexpr utf8proc_int32_t kDiaeresis = 0x308;

constexpr auto kFold =
    UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_STABLE;
// A code point that this Unicode version does not know may fold differently in the next one: the
// same value would get another pseudonym after an upgrade of the library.
constexpr auto kRefuseUnassigned = UTF8PROC_REJECTNA;

utf8proc_option_t option(int bits) {
  return static_cast<utf8proc_option_t>(bits);
}

/// Fully decomposed (and folded, by the options) code points of the text.
Reason decompose(std::string_view text, int options, std::vector<std::int32_t>& points) {
  const auto* const start = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  const auto size = static_cast<utf8proc_ssize_t>(text.size());
  points.resize(std::max(points.capacity(), text.size()));
  for (;;) {
    const auto count = utf8proc_decompose(
        start, size, points.data(), static_cast<utf8proc_ssize_t>(points.size()), option(options));
    if (count == UTF8PROC_ERROR_NOTASSIGNED) {
      return Cause::unassigned;
    }
    if (count < 0) {
      throw Failure(Code::bug, "text that is not UTF-8 was to be normalised");
    }
    const auto needed = static_cast<std::size_t>(count);
    const bool enough = needed <= points.size();
    points.resize(needed);
    if (enough) {
      return std::nullopt;
    }
  }
}

/// Canonically composed UTF-8 of decomposed code points.
void compose(std::vector<std::int32_t>& points, std::string& out) {
  const auto count =
      utf8proc_normalize_utf32(points.data(), static_cast<utf8proc_ssize_t>(points.size()),
                               option(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
  if (count < 0) {
    throw Failure(Code::bug, "text does not compose");
  }
  out.clear();
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    std::array<utf8proc_uint8_t, 4> bytes;
    const auto length = utf8proc_encode_char(points[static_cast<std::size_t>(i)], bytes.data());
    out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
  }
}

/// NFKC_Casefold.
Reason fold(std::string_view text, std::string& out, std::vector<std::int32_t>& points) {
  if (is_ascii(text)) {
    out.assign(text);
    for (char& c : out) {
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return std::nullopt;
  }
  if (auto why = decompose(text, kFold | kRefuseUnassigned, points)) {
    return why;
  }
  compose(points, out);
  return std::nullopt;
}

/// Whether it is a diacritical mark that does not belong to one script. Vowel signs of scripts that
/// write vowels as marks do not count: without them, different names would become equal.
bool is_diacritic(std::int32_t point) {
  constexpr std::array<std::pair<std::int32_t, std::int32_t>, 5> kBlocks{{
      {0x0300, 0x036f},
      {0x1ab0, 0x1aff},
      {0x1dc0, 0x1dff},
      {0x20d0, 0x20ff},
      {0xfe20, 0xfe2f},
  }};
  return std::ranges::any_of(
      kBlocks, [&](const auto& block) { return point >= block.first && point <= block.second; });
}

/// Folded text without diacritical marks; a diaeresis on a, o or u becomes an "e" after it.
Reason spell_out(std::string_view folded, std::string& out, std::vector<std::int32_t>& points) {
  if (is_ascii(folded)) {
    out.assign(folded);
    return std::nullopt;
  }
  if (auto why = decompose(folded, UTF8PROC_DECOMPOSE | UTF8PROC_STABLE, points)) {
    return why;
  }
  // in place: a diacritic becomes at most one letter
  std::int32_t base = 0;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto point = points[i];
    if (!is_diacritic(point)) {
      base = point;
      points[kept++] = point;
    } else if (point == kDiaeresis && (base == 'a' || base == 'o' || base == 'u')) {
      points[kept++] = 'e';
      base = 0;  // a second diaeresis makes no second e
    }
  }
  points.resize(kept);
  compose(points, out);
  return std::nullopt;
}

/// A link to an address is the address: "mailto:erika@example.org?subject=…".
void strip_mailto(std::string& address) {
  constexpr std::string_view kScheme = "mailto:";
  if (address.starts_with(kScheme)) {
    address.erase(0, kScheme.size());
    address.resize(std::min(address.size(), address.find('?')));
    collapse_white_space(address);
  }
}

Reason check_email(std::string_view address) {
  const auto at = address.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == address.size() ||
      address.find('@', at + 1) != std::string_view::npos ||
      address.find(' ') != std::string_view::npos) {
    return Cause::not_email;
  }
  return std::nullopt;
}

}  // namespace

std::string versioned_name(contract::Normaliser normaliser) {
  return fmt::format("{}@{}", contract::name_of(normaliser), kNormaliserVersion);
}

Reason normalise(contract::Normaliser normaliser, std::string_view text, std::string& out,
                 NormaliseScratch& scratch, std::string_view country) {
  switch (normaliser) {
    case contract::Normaliser::none:
      out.assign(text);
      return std::nullopt;
    case contract::Normaliser::phone:
      return normalise_phone(text, country, out);
    case contract::Normaliser::text:
    case contract::Normaliser::name:
    case contract::Normaliser::email:
      break;
  }
  if (auto why = fold(text, scratch.folded, scratch.code_points)) {
    return why;
  }
  collapse_white_space(scratch.folded);
  if (normaliser == contract::Normaliser::name) {
    if (auto why = spell_out(scratch.folded, out, scratch.code_points)) {
      return why;
    }
    collapse_white_space(out);  // a mark without a letter leaves the space before it
    return std::nullopt;
  }
  out.assign(scratch.folded);
  if (normaliser == contract::Normaliser::email) {
    strip_mailto(out);
  }
  return normaliser == contract::Normaliser::email ? check_email(out) : std::nullopt;
}

}  // namespace abgleich::mask
