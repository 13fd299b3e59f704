#include "db/sqlite/collation.hpp"

#include <algorithm>

namespace abgleich::db::sqlite {

namespace {

/// As SQLite compares names.
bool is_called(std::string_view name, std::string_view capitals) {
  return std::ranges::equal(name, capitals, {}, [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
}

}  // namespace

std::string collate(const std::string& collation) {
  return is_called(collation, "NOCASE")  ? " COLLATE NOCASE"
         : is_called(collation, "RTRIM") ? std::string(kTrims)
                                         : std::string();
}

}  // namespace abgleich::db::sqlite
