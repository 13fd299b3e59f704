// What is known of a pairing without asking the primary: last run, what is open.
#pragma once

#include "db/books.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::sync {

struct Status {
  std::optional<db::HeadRow> head;  // empty before the first run
  std::optional<db::RunRow> last;
  std::int64_t age = 0;  // of the last run, in seconds
  std::vector<std::string> tables;
  std::int64_t conflicts = 0;
  std::int64_t quarantined = 0;
  bool damaged = false;  // `verify` has found damage, and no run writes
};

Status status(const Pairing& pairing);

struct Adopted {
  std::string run;   // empty where there was no history yet
  std::string text;  // what was done, for people
};

/// Goes on with a restored or replaced primary or secondary: one run of kind "adopt" that records
/// the databases as they are now.
Adopted adopt(const Pairing& pairing, const std::string& reason);

}  // namespace abgleich::sync
