// What the tests of drift share: contracts of one table, and questions to the program.
#pragma once

#include "support/pairing.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace abgleich::test {

inline const char* const kLimits = "[limits]\nmax_deleted = \"100%\"\nmax_updated = \"100%\"\n";

inline std::string person(const std::string& columns,
                          const std::string& table = "key = [\"id\"]\n") {
  return "[tables.person]\n" + table + "[tables.person.columns]\nid = \"plain\"\n" + columns;
}

/// Every drift event that `drift` reports, as "verdict kind table.column".
inline std::set<std::string> events(const Pairing& pairing,
                                    const std::vector<std::string>& words = {"drift", "--json"}) {
  const auto ran = pairing.run(words);
  REQUIRE_MESSAGE(ran.exit == 0, ran.err);
  std::set<std::string> found;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    const auto event = nlohmann::json::parse(line);
    const auto word = [&](const char* name) {
      return event[name].is_null() ? std::string() : event[name].get<std::string>();
    };
    if (word("kind") != "not_in_contract") {
      found.insert(word("verdict") + " " + word("kind") + " " + word("table") + "." +
                   word("column"));
    }
  }
  return found;
}

inline void accept(const Pairing& pairing) {
  const auto ran = pairing.run({"drift", "accept"});
  REQUIRE_MESSAGE(ran.exit == 0, ran.err);
}

/// What a column of the secondary is: type and nullability (PostgreSQL).
inline std::string shape(Database& database, const std::string& table, const std::string& column) {
  return database.rows(
      "SELECT format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = '" +
      table + "'::regclass AND attname = '" + column + "'");
}

/// Nothing is left to do, and verify agrees.
inline void settled(const Pairing& pairing) {
  const auto line = pairing.sync();
  CHECK(line["outcome"] == "unchanged");
  const auto verified = pairing.run({"verify", "--exit-code"});
  CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
}

inline void on_both_secondaries(const std::function<void(On)>& test) {
  for (const auto secondary : kEngines) {
    CAPTURE(name_of(secondary));
    test(secondary);
  }
}

}  // namespace abgleich::test
