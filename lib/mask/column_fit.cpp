// Which classes fit which types, and what type a column has once it is exported.
#include "contract/words.hpp"
#include "mask/masker.hpp"
#include "mask/phone.hpp"
#include "mask/time_zone.hpp"

#include <fmt/format.h>

namespace abgleich::mask {

namespace {

using contract::Class;
using contract::Format;
using contract::Generalisation;
using contract::Normaliser;

constexpr int kSmallestWord = 32;  // bits; FF1's smallest domain (1,000,000) does not fit into 16

Type type_of(Family family, std::string_view native) {
  Type type;
  type.family = family;
  type.native = native;
  return type;
}

Type integer_type(int bits) {
  auto type = type_of(Family::integer, bits == kSmallestWord ? "integer" : "bigint");
  type.bits = bits;
  return type;
}

bool may_hold_date(Family family) {
  switch (family) {
    case Family::date:
    case Family::timestamp:
    case Family::timestamptz:
    case Family::text:
    case Family::dynamic:
      return true;
    default:
      return false;
  }
}

bool is_text(Family family) {
  return family == Family::text || family == Family::dynamic;
}

std::string_view word_of(Generalisation::To to) {
  return contract::kGeneralisations.at(static_cast<std::size_t>(to));
}

std::string needs(std::string_view what, std::string_view need, const contract::Column& column,
                  const Type& source) {
  return fmt::format("{} needs {}; '{}' is {}", what, need, column.name,
                     source.native.empty() ? name_of(source.family) : source.native);
}

std::optional<std::string> misfit_of_generalisation(const contract::Column& column,
                                                    const Type& source) {
  const auto to = column.generalisation.to;
  if (to == Generalisation::To::constant) {
    return std::nullopt;
  }
  if (to == Generalisation::To::map) {
    if (source.family == Family::bytes) {
      return needs(word_of(to), "anything but bytes", column, source);
    }
  } else if (to == Generalisation::To::round) {
    if (source.family != Family::integer && source.family != Family::decimal &&
        source.family != Family::real && source.family != Family::dynamic) {
      return needs(word_of(to), "numbers", column, source);
    }
  } else if (to == Generalisation::To::prefix) {
    if (!is_text(source.family) && source.family != Family::integer) {
      return needs(word_of(to), "text or integers", column, source);
    }
  } else if (const auto& zone = column.generalisation.zone;
             !zone.empty() && !TimeZone::find(zone)) {
    return fmt::format("this machine knows no time zone '{}' (package tzdata); '{}' has it", zone,
                       column.name);
  } else if (!may_hold_date(source.family)) {
    return needs(word_of(to), "a date, a timestamp, or text that holds one", column, source);
  }
  return std::nullopt;
}

std::optional<std::string> misfit_of_pseudonym(const contract::Column& column, const Type& source) {
  switch (column.normaliser) {
    case Normaliser::none:
      break;
    case Normaliser::text:
      if (source.family == Family::bytes) {
        return needs("normalise = \"text\"", "anything but bytes", column, source);
      }
      break;
    case Normaliser::name:
    case Normaliser::email:
    case Normaliser::phone:
      if (!column.country.empty() && !is_country(column.country)) {
        return fmt::format("no phone numbers are known of country '{}'; '{}' has it",
                           column.country, column.name);
      }
      if (!is_text(source.family)) {
        return needs(fmt::format("normalise = \"{}\"", name_of(column.normaliser)), "text", column,
                     source);
      }
      break;
  }
  if (column.format == Format::integer) {
    // a column that refers to an integer, or was one, is read as integers
    const bool formed = column.form.of == contract::CanonicalForm::Of::number;
    if (!formed && source.family != Family::integer && source.family != Family::dynamic) {
      return needs("format = \"integer\"", "integers", column, source);
    }
    if (!column.form.refers && source.bits && *source.bits < kSmallestWord) {
      return needs("format = \"integer\"", "32 or 64 bits", column, source);
    }
    if (column.normaliser != Normaliser::none && column.normaliser != Normaliser::text) {
      return fmt::format("format = \"integer\" takes no normaliser; '{}' has one", column.name);
    }
  }
  return std::nullopt;
}

}  // namespace

Type exported_type(const contract::Column& column, const Type& source) {
  switch (column.cls) {
    case Class::plain:
    case Class::withhold:
      break;
    case Class::token:
      return text_type();
    case Class::generalise:
      switch (column.generalisation.to) {
        case Generalisation::To::year:
          return integer_type(32);
        case Generalisation::To::round:
          return integer_type(64);
        case Generalisation::To::shift:
          return source;
        default:
          return text_type();
      }
    case Class::pseudonym:
      switch (column.format) {
        case Format::text:
        case Format::token:
          return text_type();
        case Format::uuid:
          return type_of(Family::uuid, "uuid");
        case Format::integer:
          return source.family == Family::integer && source.bits.value_or(64) >= kSmallestWord
                     ? source
                     : integer_type(64);
        case Format::automatic:
          return source.family == Family::uuid ? source : text_type();
      }
  }
  return source;
}

std::optional<std::string> misfit(const contract::Column& column, const Type& source) {
  switch (column.cls) {
    case Class::plain:
    case Class::withhold:
      return std::nullopt;
    case Class::token:
      return is_text(source.family) ? std::nullopt
                                    : std::optional(needs("a token", "text", column, source));
    case Class::generalise:
      return misfit_of_generalisation(column, source);
    case Class::pseudonym:
      return misfit_of_pseudonym(column, source);
  }
  return std::nullopt;
}

}  // namespace abgleich::mask
