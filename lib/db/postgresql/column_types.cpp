#include "db/postgresql/column_types.hpp"

#include <array>

namespace abgleich::db::postgresql {

namespace {

struct Known {
  std::string_view name;
  Family family;
  int bits = 0;
};

/// The built-in types that have a family; all others are passed on as the server's text.
constexpr std::array kKnown{
    Known{"bool", Family::boolean},
    Known{"int2", Family::integer, 16},
    Known{"int4", Family::integer, 32},
    Known{"int8", Family::integer, 64},
    Known{"numeric", Family::decimal},
    Known{"float4", Family::real, 32},
    Known{"float8", Family::real, 64},
    Known{"text", Family::text},
    Known{"varchar", Family::text},
    Known{"bpchar", Family::text},
    Known{"name", Family::text},
    Known{"bytea", Family::bytes},
    Known{"date", Family::date},
    Known{"time", Family::time},
    Known{"timetz", Family::time},
    Known{"timestamp", Family::timestamp},
    Known{"timestamptz", Family::timestamptz},
    Known{"uuid", Family::uuid},
    Known{"json", Family::json},
    Known{"jsonb", Family::json},
};

constexpr std::int32_t kHeader = 4;  // VARHDRSZ, which the modifiers of sized types include

/// numeric's modifier: precision above, scale as 11 bits with sign (numeric.c,
/// make_numeric_typmod).
void set_numeric(std::int32_t modifier, Type& type) {
  const auto packed = modifier - kHeader;
  type.precision = (packed >> 16) & 0xffff;
  type.scale = ((packed & 0x7ff) ^ 1024) - 1024;
}

}  // namespace

Type type_from(const ServerType& server) {
  Type type;
  type.engine = Engine::postgresql;
  type.native = server.native;
  type.family = Family::other;
  if (!server.built_in) {
    // The only extension's type that is a text, except in comparisons.
    type.family = server.name == "citext" ? Family::text : Family::other;
    return type;
  }
  for (const auto& known : kKnown) {
    if (known.name == server.name) {
      type.family = known.family;
      if (known.bits != 0) {
        type.bits = known.bits;
      }
    }
  }
  type.padded = server.name == "bpchar" && server.modifier >= kHeader;
  if (server.modifier < 0) {
    return type;
  }
  switch (type.family) {
    case Family::text:
      type.length = server.modifier - kHeader;
      break;
    case Family::decimal:
      set_numeric(server.modifier, type);
      break;
    case Family::time:
    case Family::timestamp:
    case Family::timestamptz:
      type.scale = server.modifier;
      break;
    default:
      break;
  }
  return type;
}

}  // namespace abgleich::db::postgresql
