#include "mask/reveal.hpp"

#include "core/base32.hpp"
#include "core/token.hpp"
#include "mask/masker.hpp"
#include "mask/reader.hpp"
#include "mask/uuid.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace abgleich::mask {

namespace {

bool is_number(std::string_view text) {
  constexpr std::size_t kMostDigits = 18;
  return !text.empty() && text.size() <= kMostDigits &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

Form form_of(std::string_view pseudonym) {
  std::array<std::uint8_t, 16> digits{};
  if (is_number(pseudonym)) {
    return {.kind = Form::Kind::integer};
  }
  if (read_uuid8(pseudonym, digits)) {
    return {.kind = Form::Kind::uuid};
  }
  if (const auto token = read_token(pseudonym)) {
    return {.kind = Form::Kind::token, .epoch = token->epoch};
  }
  const auto end = pseudonym.find('_');
  if (!pseudonym.starts_with('p') || end == std::string_view::npos ||
      !read_base32(pseudonym.substr(end + 1), digits)) {
    return {};
  }
  int epoch = 0;
  const auto* const last = pseudonym.data() + end;
  const auto read = std::from_chars(pseudonym.data() + 1, last, epoch);
  if (read.ec != std::errc{} || read.ptr != last || epoch < 1 || pseudonym[1] == '0') {
    return {};
  }
  return {.kind = Form::Kind::text, .epoch = epoch};
}

Form::Kind form_of(const contract::Column& column, const Type& source) {
  switch (recipe_of(column, source).format) {
    case contract::Format::uuid:
      return Form::Kind::uuid;
    case contract::Format::integer:
      return Form::Kind::integer;
    case contract::Format::token:
      return Form::Kind::token;
    default:
      return Form::Kind::text;
  }
}

Reveal::Reveal(const std::vector<const contract::Column*>& columns, const std::vector<Type>& types,
               const Keyring& keyring, IsWanted is_wanted)
    : types_(types), is_wanted_(std::move(is_wanted)) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    pseudonymisers_.emplace_back(keyring, recipe_of(*columns[i], types[i]));
  }
}

Reveal::Reveal(const std::vector<const contract::Column*>& columns, const std::vector<Type>& types,
               const Keyring& keyring, std::set<std::string> wanted)
    : Reveal(columns, types, keyring, [wanted = std::move(wanted)](const std::string& pseudonym) {
        return wanted.contains(pseudonym);
      }) {}

void Reveal::look(const RawRow& row, const Found& found) {
  for (std::size_t i = 0; i < pseudonymisers_.size(); ++i) {
    const auto* value = &Reader::open(row.cells[i]);
    if (value->is_null() || (value->kind() != Kind::bytes && !is_utf8(value->bytes()))) {
      continue;
    }
    if (types_[i].padded) {
      const auto last = value->bytes().find_last_not_of(' ');
      unpadded_.set(
          value->kind(),
          std::string_view(value->bytes()).substr(0, last == std::string::npos ? 0 : last + 1));
      value = &unpadded_;
    }
    if (pseudonymisers_[i].make(*value, pseudonym_)) {
      continue;
    }
    if (is_wanted_(pseudonym_.bytes())) {
      found(pseudonym_.bytes(), i, value->bytes());
    }
  }
}

}  // namespace abgleich::mask
