// What leaves in which class, and how well people are hidden in it: for people, for the record of
// processing activities (Markdown) and for programs (JSON).
#pragma once

#include "contract/contract.hpp"
#include "db/secondary/anonymity.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::report {

struct PrivacyColumn {
  std::string name;  // in the primary
  std::string as;    // in the secondary; empty: it never leaves
  contract::Class cls = contract::Class::withhold;
  std::string how;     // "identity person, text", "year", "prefix:2"
  std::string reason;  // of accept_low_entropy
};

struct PrivacyTable {
  std::string name;
  std::string target;
  std::vector<PrivacyColumn> columns;
  std::int64_t unnamed = 0;  // columns of the accepted catalogue that the contract does not name
  std::vector<std::string> decided_by;  // columns of `where`, in the primary; empty: all rows leave
  std::string subject;                  // in the secondary, as those below; empty: each row is one
  std::vector<std::string> quasi_identifiers;
  std::vector<std::string> sensitive;
  std::optional<db::Anonymity> anonymity;    // empty: not asked for, or not there yet
  std::optional<db::Uniqueness> uniqueness;  // the same; of all columns that leave unhidden
  std::vector<std::string> unhidden;         // these columns; of joined tables TABLE.COLUMN
  std::vector<std::string> proposed;         // quasi-identifiers, by their names in the primary
};

struct Privacy {
  std::string contract;  // its file
  int epoch = 0;         // of the key
  std::int64_t min_k = 0;
  std::vector<PrivacyTable> tables;
  std::int64_t rare = 0;  // rows that are held back because too few share their quasi-identifiers
  std::int64_t still_there = 0;  // of these, rows that the secondary still has
};

std::string text_of(const Privacy& privacy);
std::string markdown_of(const Privacy& privacy);
/// One object, schemas/privacy.schema.json.
std::string json_line(const Privacy& privacy);

}  // namespace abgleich::report
