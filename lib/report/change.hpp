// What one run does to one row, and what it did in all: plain data for the printers.
#pragma once

#include "core/error.hpp"
#include "core/value.hpp"
#include "drift/drift.hpp"
#include "journal/conflict_action.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::report {

enum class Fate : std::uint8_t { insert, update, remove, conflict, quarantine, keep };
std::string_view name_of(Fate fate);

/// One cell of a change, in the secondary's terms; a side that does not have the row has no value.
struct CellChange {
  std::string column;
  std::optional<Value> primary;
  std::optional<Value> secondary;
};

struct Change {
  std::string table;
  std::vector<std::pair<std::string, Value>> key;
  Fate fate = Fate::update;
  std::vector<CellChange> cells;
  std::string id;                                 // of a conflict
  std::string kind;                               // of a conflict
  std::optional<journal::ConflictAction> action;  // of a conflict
  std::string reason;     // of a quarantined row, or of a conflict about one that was withdrawn
  std::int64_t rows = 1;  // of quarantined rows that are reported as a number only
  // Of a conflict of kind "constraint":
  std::string obstacle;        // what kind of constraint it is
  std::string constraint;      // its name, or its columns; empty: not known
  std::string blocking_table;  // of the row that is in the way or missing; in the secondary
  std::vector<std::pair<std::string, Value>> blocking_key;
  // Of an open conflict:
  std::string since;     // UTC
  std::int64_t age = 0;  // seconds
};

/// What would settle a conflict of kind "constraint", here or in the primary; empty for others.
std::string settled_by(const Change& change);

struct TableCounts {
  std::string table;
  std::int64_t inserted = 0;
  std::int64_t updated = 0;
  std::int64_t backfilled = 0;  // of `updated`: only in columns that were not exported before
  std::int64_t deleted = 0;
  std::int64_t withdrawn = 0;  // of `deleted`: still in the primary, but shared by too few subjects
  std::int64_t unchanged = 0;
  std::int64_t conflicts = 0;
  std::int64_t quarantined = 0;
  std::int64_t overridden = 0;  // cells of the secondary that an owner = "primary" column overrode
};

enum class Result : std::uint8_t { applied, unchanged, refused, failed };
std::string_view name_of(Result result);

enum class Run : std::uint8_t { real, dry };

/// An open conflict, by its name only.
struct OpenConflict {
  std::string table;
  std::string id;
};

/// What one run did, for the last line of `sync`.
struct Outcome {
  std::optional<std::string> run;
  std::string started;  // UTC
  Result result = Result::unchanged;
  Code code = Code::done;
  Run kind = Run::real;
  std::vector<TableCounts> tables;
  std::int64_t open_conflicts = 0;
  std::vector<OpenConflict> conflicts;  // all of them; empty where they are too many to list
  std::int64_t open_quarantined = 0;
  std::vector<drift::Event> drift;
  std::vector<std::string> notes;    // for people, to stderr
  std::vector<std::string> remarks;  // the same, shown only with -v
  std::vector<std::string> ddl;      // what the secondary lacks and abgleich must not make
  std::optional<Error> error;
};

}  // namespace abgleich::report
