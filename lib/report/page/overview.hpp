// `abgleich report --html`: the state of a pairing on one page, for clerks and for the data
// protection officer.
#pragma once

#include "core/error.hpp"
#include "db/bookkeeping/books_rows.hpp"
#include "drift/drift.hpp"
#include "report/page/shown_row.hpp"
#include "report/page/words.hpp"
#include "report/privacy.hpp"
#include "state/heartbeat.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::report {

/// What a run was, how many rows of all tables it has brought, and how many conflicts it decided.
struct RunEntry {
  std::string id;
  std::string kind;
  std::string finished;  // UTC
  std::string operator_;
  std::string reason;  // empty: none
  std::int64_t inserted = 0;
  std::int64_t updated = 0;
  std::int64_t deleted = 0;
  std::int64_t decided = 0;  // conflicts
};
RunEntry run_entry(const db::RunRow& run);

struct Overview {
  std::string pairing;  // its name
  std::string made;     // UTC
  state::Pulse pulse;
  std::vector<RunEntry> runs;  // newest first
  std::int64_t run_age = 0;    // of the newest, in seconds
  bool damaged = false;
  std::optional<std::string> paused;  // why
  std::optional<Error> refused;       // why a run would be
  std::vector<ShownConflict> conflicts;
  std::int64_t more_conflicts = 0;   // open ones that are not among them
  std::int64_t rare_conflicts = 0;   // beside these; see DecisionSheet
  std::int64_t older_conflicts = 0;  // likewise
  std::vector<HeldRow> held;
  std::int64_t held_rows = 0;  // all of them
  std::int64_t more_held = 0;  // rows that are not among `held`
  std::vector<drift::Event> drift;
  std::optional<Error> drift_unknown;  // why the primary could not be asked
  std::optional<Privacy> privacy;
  std::optional<Error> privacy_unknown;
};

std::string overview_page(const Overview& overview, Language language);

}  // namespace abgleich::report
