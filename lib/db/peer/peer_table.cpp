#include "db/peer/peer_table.hpp"

#include "core/value.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace abgleich::db {

namespace {

constexpr std::size_t kLongestPeerType = 64;

/// Tables of these names cannot be made, are ours, or would hide the functions by which the
/// catalogue is read.
constexpr std::array<std::string_view, 3> kReservedPrefixes{"sqlite_", "abgleich_", "pragma_"};

bool is_type_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
         c == '(' || c == ')' || c == ',' || c == '_';
}

/// As the database compares names: only ASCII letters lose their case.
std::string folded(std::string_view name) {
  std::string text(name);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return text;
}

void expect_name(const std::string& name, std::set<std::string>& taken) {
  if (name.empty() || name.find('\0') != std::string::npos || !is_utf8(name)) {
    throw Unstorable("a table or a column has a name that cannot be written");
  }
  if (!taken.insert(folded(name)).second) {
    throw Unstorable("two tables, or two columns of a table, have the same name");
  }
}

}  // namespace

std::vector<std::size_t> PeerTable::key() const {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].in_key) {
      places.push_back(i);
    }
  }
  return places;
}

bool is_peer_type(std::string_view type) {
  return type.size() <= kLongestPeerType && std::ranges::all_of(type, is_type_character) &&
         (type.empty() || (type.front() != ' ' && type.back() != ' '));
}

void expect_storable(const std::vector<PeerTable>& tables) {
  std::set<std::string> names;
  for (const auto& table : tables) {
    expect_name(table.name, names);
    const auto name = folded(table.name);
    if (std::ranges::any_of(kReservedPrefixes,
                            [&](std::string_view prefix) { return name.starts_with(prefix); })) {
      throw Unstorable("a table has a name that is reserved");
    }
    std::set<std::string> columns;
    for (const auto& column : table.columns) {
      expect_name(column.name, columns);
      if (!is_peer_type(column.type)) {
        throw Unstorable("a column has a type that cannot be declared");
      }
    }
    if (table.key().empty()) {
      throw Unstorable("a table has no key");
    }
  }
}

}  // namespace abgleich::db
