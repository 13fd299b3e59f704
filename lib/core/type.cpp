#include "core/type.hpp"

#include <array>
#include <utility>

namespace abgleich {

namespace {

constexpr std::array<std::pair<Family, std::string_view>, 14> kFamilies{{
    {Family::boolean, "boolean"},
    {Family::integer, "integer"},
    {Family::decimal, "decimal"},
    {Family::real, "real"},
    {Family::text, "text"},
    {Family::bytes, "bytes"},
    {Family::date, "date"},
    {Family::time, "time"},
    {Family::timestamp, "timestamp"},
    {Family::timestamptz, "timestamptz"},
    {Family::uuid, "uuid"},
    {Family::json, "json"},
    {Family::other, "other"},
    {Family::dynamic, "dynamic"},
}};

}  // namespace

std::string_view name_of(Family family) {
  return kFamilies.at(static_cast<std::size_t>(family)).second;
}

std::optional<Family> family_from(std::string_view name) {
  for (const auto& [family, known] : kFamilies) {
    if (known == name) {
      return family;
    }
  }
  return std::nullopt;
}

Type text_type() {
  Type type;
  type.family = Family::text;
  type.native = "text";
  return type;
}

}  // namespace abgleich
