// The bookkeeping tables in the secondary: head, runs, tracked tables, journal, conflicts and
// quarantine. Rows in, rows out; what they mean is decided in `journal`.
#pragma once

#include "db/base_move.hpp"
#include "db/session.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

/// Where a secondary stands after its last run.
struct HeadRow {
  std::string lineage;
  std::int64_t epoch = 0;
  std::string hash;
  std::string run;
  std::string key_check;
  std::string primary_id;
  std::optional<std::string> paused;
};

struct RunRow {
  std::int64_t epoch = 0;
  std::string id;
  std::string kind;
  std::string started;
  std::string finished;
  std::string operator_;
  std::optional<std::string> reason;
  std::string counts;
  std::string previous;
  std::string hash;
  std::optional<std::string> purged;  // when its changes were purged
};

struct TrackedRow {
  std::int64_t id = 0;
  std::string source;
  std::string target;
  std::string key_columns;
  std::string columns;
  std::int64_t since = 0;  // the epoch that gave the columns this order
};

struct ConflictRow {
  std::string id;
  std::int64_t tracked = 0;
  std::string key_text;
  std::string kind;
  std::string detail;
  std::int64_t epoch = 0;
};

struct QuarantineRow {
  std::int64_t tracked = 0;
  std::string key_text;
  std::string column;
  std::string reason;
  std::int64_t rows = 1;
  std::int64_t epoch = 0;
};

struct JournalRow {
  std::int64_t epoch = 0;
  std::int64_t tracked = 0;
  std::int64_t n = 0;
  std::string key_text;
  std::string fate;
  std::optional<std::string> before;
  std::optional<std::string> after;
  BaseMove base;
};

/// Something that a run has settled for those after it.
struct FactRow {
  std::string kind;
  std::string name;
  std::string value;       // JSON
  std::int64_t epoch = 0;  // the run that wrote it
};

/// What a run says that the base of a table holds, so that a base that anybody else has written to
/// is known: number of rows, and the sum of their checksums (schemas/stored-formats.md).
struct Seal {
  std::int64_t rows = 0;
  std::uint64_t sum = 0;

  bool operator==(const Seal&) const = default;
};

/// How many rows one comparison of found against recorded changed.
struct Settled {
  std::int64_t added = 0;
  std::int64_t gone = 0;
};

/// The columns of every bookkeeping table but the bases.
using BooksLayout = std::map<std::string, std::set<std::string>>;

/// What `ddl` makes, as migrations/ is written: a column a line, names behind `prefix`.
BooksLayout books_layout(std::string_view ddl, std::string_view prefix);

class Books {
 public:
  /// `head.format` of what is made and understood (schemas/stored-formats.md).
  static constexpr std::int64_t kFormat = 2;

  explicit Books(Session& session) : session_(session) {}

  /// Throws Failure{secondary_refuses} where they are of another version of this program: of
  /// another format, or with other columns.
  [[nodiscard]] bool exist();
  /// The bookkeeping's tables that are not there, though its head is.
  std::vector<std::string> missing();
  /// The DDL that makes them; several statements in one text.
  [[nodiscard]] std::string_view ddl() const;
  void create();

  enum class Lock : std::uint8_t { none, row };
  /// Empty before the first run. `row` locks it against every other run.
  std::optional<HeadRow> head(Lock lock);
  /// Compare-and-set on the epoch; false where another run was faster.
  [[nodiscard]] bool advance_head(const std::optional<HeadRow>& from, const HeadRow& to);

  std::vector<TrackedRow> tracked();
  void put_tracked(const TrackedRow& row);

  // In lib/db/books_facts.cpp. What each kind means is said where it is used, and listed in
  // schemas/stored-formats.md.
  /// In order of their names.
  std::vector<FactRow> facts(std::string_view kind);
  std::optional<FactRow> find_fact(std::string_view kind, std::string_view name);
  /// In place of what was known under that name.
  void put_fact(const FactRow& fact);
  void forget_fact(std::string_view kind, std::string_view name);

  void insert_run(const RunRow& run);
  /// Newest first.
  std::vector<RunRow> runs(std::int64_t limit);
  /// Those whose id begins so, newest first; two at most: enough to tell one from several.
  std::vector<RunRow> runs_called(const std::string& prefix);

  void journal_note(const JournalRow& row);
  /// In order of table and number.
  void journal_of(std::int64_t epoch, const std::function<void(const JournalRow&)>& on_row);
  /// Calls `edit` for every image (before, after) that the journal has of a table's rows, and
  /// writes back those that it changes: true.
  void edit_images(std::int64_t tracked, const std::function<bool(std::string&)>& edit);
  /// The epoch of the newest run that finished before `moment` (as `finished` is written) and still
  /// has its changes. 0: there is none.
  std::int64_t last_before(const std::string& moment);
  /// Forgets the changes of every run up to `epoch`. Returns how many runs had some.
  std::int64_t purge_journal(std::int64_t epoch, const std::string& now);

  /// What this run found, in temporary tables; `settle_…` makes the recorded rows of the tables in
  /// `tracked` equal to it and touches no other row.
  void begin_findings();
  void found_conflict(const ConflictRow& row);
  /// Takes back what was found of one row: another finding of it is to come. False: nothing was.
  bool unfind_conflict(std::int64_t tracked, const std::string& key_text);
  void found_quarantine(const QuarantineRow& row);
  Settled settle_conflicts(std::int64_t epoch, const std::vector<std::int64_t>& tracked);
  Settled settle_quarantine(std::int64_t epoch, const std::vector<std::int64_t>& tracked);
  /// The found ones of this run, in order of table and key.
  void found_conflicts(const std::function<void(const ConflictRow&)>& on_row);
  void found_quarantines(const std::function<void(const QuarantineRow&)>& on_row);

  void conflicts(const std::function<void(const ConflictRow&)>& on_row);
  /// The open conflict of a row.
  std::optional<ConflictRow> conflict_of(std::int64_t tracked, const std::string& key_text);
  void record_conflict(const ConflictRow& row);
  void close_conflict(const std::string& id);
  void quarantines(const std::function<void(const QuarantineRow&)>& on_row);
  std::int64_t count_conflicts();
  std::int64_t count_quarantine();

  /// The seal of a tracked table's base; that of an empty one where nothing was sealed yet.
  Seal base_seal(std::int64_t tracked);
  void seal_base(std::int64_t tracked, const Seal& seal);
  /// Seals the number of journal entries of a run: after the last of them.
  void seal_journal(std::int64_t epoch);

  // For the rotation of the key: every record passes by, may be changed, and is kept.
  void rewrite_journal(const std::function<void(JournalRow&)>& rewrite);
  void rewrite_conflicts(const std::function<void(ConflictRow&)>& rewrite);
  void rewrite_quarantine(const std::function<void(QuarantineRow&)>& rewrite);

  // What `verify` looks at.
  /// Oldest first, as a stream.
  void each_run(const std::function<void(const RunRow&)>& on_row);
  /// Calls `on_epoch` for every run whose journal entries are not as many as were sealed.
  void unsealed_journal(const std::function<void(std::int64_t epoch, std::int64_t entries,
                                                 std::int64_t sealed)>& on_epoch);
  /// Rows of journal, conflicts and quarantine that name a table that is not tracked.
  struct Untracked {
    std::int64_t journal = 0;
    std::int64_t conflicts = 0;
    std::int64_t quarantined = 0;
  };
  Untracked count_untracked();
  /// Forgets such conflicts and quarantined rows.
  void forget_untracked();

 private:
  [[nodiscard]] std::string own(std::string_view name) const;
  [[nodiscard]] std::string_view prefix() const;
  BooksLayout layout();
  void expect_layout(const BooksLayout& found);
  std::vector<RunRow> select_runs(std::string_view which, std::span<const Cell> parameters);
  std::int64_t one_number(const std::string& sql, std::span<const Cell> parameters);
  Settled settle(std::int64_t epoch, const std::vector<std::int64_t>& tracked,
                 const std::string& recorded, const std::string& found, std::string_view columns,
                 const std::vector<std::string_view>& identity);

  Session& session_;
  std::unique_ptr<Loader> conflict_loader_;
  std::unique_ptr<Loader> quarantine_loader_;
};

}  // namespace abgleich::db
