// The bookkeeping tables in the secondary: head, runs, tracked tables, facts, seals,
// journal, conflicts and quarantine. Here rows are only read and written; what they mean is
// decided in `journal`.
#pragma once

#include "db/bookkeeping/books_rows.hpp"
#include "db/bookkeeping/sealer.hpp"
#include "db/engine/session.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::db {

/// How many recorded rows were added and deleted to match what a run has found.
struct Settled {
  std::int64_t added = 0;
  std::int64_t gone = 0;
};

/// The columns of bookkeeping tables, by the name of the table without its prefix.
using BooksLayout = std::map<std::string, std::set<std::string>>;

/// The tables that `ddl` makes. REQUIRES: it is written as in migrations/: one column a line, after
/// two blanks and in small letters, and `prefix` before the name of each table.
BooksLayout books_layout(std::string_view ddl, std::string_view prefix);

/// Throws Failure{integrity}: somebody else has written to the bookkeeping. `what`: which part of
/// it, for people.
[[noreturn]] void refuse_forged_books(std::string_view what);

/// The kind of the fact that says in which schema the data is.
inline constexpr std::string_view kSchemaFact = "schema";

/// A table that another pairing writes to.
struct TableBeside {
  std::string target;            // its name in the secondary
  std::vector<std::string> key;  // names in the secondary; none where the books do not say
  std::string base;              // as SQL names it
  bool base_exists = false;
};

/// The books of another pairing in the same secondary.
struct BooksBeside {
  std::string name;
  std::string schema{};  // JSON, the value of their kSchemaFact; empty: not known
  std::vector<TableBeside> tables{};
  std::string lineage{};  // of their history

  /// The name in `schema`; empty: not known.
  [[nodiscard]] std::string schema_name() const;
};

class Books {
 public:
  /// The `head.format` that this program writes and reads (schemas/stored-formats.md).
  static constexpr std::int64_t kFormat = 2;

  explicit Books(Session& session) : session_(session) {}

  /// Whether the head's table is there. Throws Failure{secondary_refuses} where another version of
  /// this program has made the tables: with another format, or other columns.
  [[nodiscard]] bool exist();
  /// Whether the table of the bookkeeping is there.
  [[nodiscard]] bool has_table(std::string_view name);
  /// Asks at once for what `base_was_empty` will be asked of these tables.
  void look_at_bases(std::vector<std::int64_t> tracked);
  /// Whether the base of a tracked table had no row when it was first asked. REQUIRES: it is there.
  [[nodiscard]] bool base_was_empty(std::int64_t tracked);
  /// The bookkeeping tables that are not there. REQUIRES: the head's is.
  std::vector<std::string> missing();
  /// The DDL that makes them; several statements in one text.
  [[nodiscard]] std::string ddl() const;
  void create();
  /// What other pairings keep in this secondary, as far as their books can be read. Not a copy of
  /// our own books, nor such as no run has written to. It is not checked that these pairings have
  /// written it.
  const std::vector<BooksBeside>& beside();
  /// The names of books of which a part is gone, is not as a run makes it or cannot be read.
  const std::vector<std::string>& damaged_beside();

  // Seals, in lib/db/bookkeeping/books_seal.cpp.
  /// What happens where a row is not as a run of abgleich has left it: it is refused
  /// (Failure{integrity}); or it is taken as it is, by `verify`, which reports it, and by commands
  /// that have no key.
  enum class Forged : std::uint8_t { refused, taken };
  /// From here on, rows are checked when they are read, and sealed when they are written, by the
  /// run with the number `epoch`. Before, nothing can be written.
  void seal_with(const SealKeys& keys, std::string_view lineage, std::int64_t epoch, Forged forged);
  [[nodiscard]] bool sealed() const { return sealer_.has_value(); }
  [[nodiscard]] const Sealer& sealer() const;
  /// The number of the current run.
  [[nodiscard]] std::int64_t next_epoch() const { return epoch_; }
  /// Whether a run of abgleich has written this head, and the seals are those that the head names.
  enum class Written : std::uint8_t { by_us, other_head, other_seals };
  [[nodiscard]] Written who_wrote(const HeadRow& head);
  /// Whether this head was written with these keys, whichever keys are in use now.
  [[nodiscard]] static bool written_with(const SealKeys& keys, const HeadRow& head);

  enum class Lock : std::uint8_t { none, row };
  /// Empty before the first run. Lock::row locks it against every other run.
  std::optional<HeadRow> head(Lock lock);
  /// Compare-and-set on number and hash of the last run; false where another run was faster. Seals
  /// the head, and every table that was changed.
  [[nodiscard]] bool advance_head(const std::optional<HeadRow>& from, HeadRow to);
  /// Seals the head again after a change that is no run of its own (a purge of the journal).
  void seal_head(HeadRow head);

  /// To be called after a rollback to a savepoint, or after DDL: what was read before may not be
  /// true any more.
  void forget_read();

  std::vector<TrackedRow> tracked();
  void put_tracked(const TrackedRow& row);

  // In lib/db/bookkeeping/books_facts.cpp. What each kind means is said where it is used, and
  // listed in schemas/stored-formats.md.
  /// In order of their names.
  std::vector<FactRow> facts(std::string_view kind);
  std::vector<FactRow> all_facts();
  std::optional<FactRow> find_fact(std::string_view kind, std::string_view name);
  /// Replaces the fact of the same kind and name, if there is one.
  void put_fact(const FactRow& fact);
  void forget_fact(std::string_view kind, std::string_view name);

  /// Inserts the run, with the number and the sum of its journal entries, and seals it.
  void insert_run(RunRow run);
  /// A MAC over what the current run has done (its journal, the seals and `more`), for its hash.
  /// Seals every table that was changed.
  std::string deeds(std::string_view more);
  /// Newest first.
  std::vector<RunRow> runs(std::int64_t limit);
  std::optional<RunRow> find_run(std::int64_t epoch);
  /// Runs whose id begins with `prefix`, newest first; two at most, which is enough to tell one
  /// from several.
  std::vector<RunRow> runs_called(const std::string& prefix);

  // The journal, in lib/db/bookkeeping/books_journal.cpp.
  void journal_note(const JournalRow& row);
  /// Adds `by` to the seal of the current run's journal: what the rows of a plan, which are in the
  /// journal now, add up to.
  void journal_grew(const Seal& by) { journal_ += by; }
  /// The same, computed from the journal's entries of this table.
  void journal_grew(std::int64_t tracked);
  /// The entries of one run, in order of table and number.
  void journal_of(std::int64_t epoch, const std::function<void(const JournalRow&)>& on_row);
  /// Calls `edit` for every image (before, after) that the journal has of a table's rows, and
  /// writes those back for which it returns true.
  void edit_images(std::int64_t tracked, const std::function<bool(std::string&)>& edit);
  /// Erases everything but key and fate from the journal entries of these rows. `keys`: a SELECT of
  /// their key_text.
  void erase_images(std::int64_t tracked, const std::string& keys);
  /// The number of the newest run that finished before `moment` (as `finished` is written) and
  /// still has its changes in the journal. 0: there is none.
  std::int64_t last_before(const std::string& moment);
  /// Deletes the changes of all runs up to number `epoch` from the journal. Returns how many of
  /// these runs were not purged before.
  std::int64_t purge_journal(std::int64_t epoch, const std::string& now);

  /// What this run finds is collected in temporary tables. `record_…` then makes the recorded rows
  /// of the tables in `tracked` equal to that, and touches no other row.
  /// REQUIRES: not called before in this transaction, unless it was rolled back since.
  void begin_findings();
  void found_conflict(const ConflictRow& row);
  /// Removes the conflict that was found for one row, before another one is noted for it. False:
  /// there was none.
  bool unfind_conflict(std::int64_t tracked, const std::string& key_text);
  void found_quarantine(const QuarantineRow& row);
  Settled record_conflicts(const std::vector<std::int64_t>& tracked);
  Settled record_quarantine(const std::vector<std::int64_t>& tracked);
  /// What this run has found, in order of table and key.
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

  // For the rotation of the key, in lib/db/bookkeeping/books_rekey.cpp: every record is given to a
  // function that may change it, and written again. Until `end_reseal`, rows are checked with the
  // old keys and sealed with `keys`.
  void begin_reseal(const SealKeys& keys);
  void rewrite_journal(const std::function<void(JournalRow&)>& rewrite);
  void rewrite_conflicts(const std::function<void(ConflictRow&)>& rewrite);
  void rewrite_quarantine(const std::function<void(QuarantineRow&)>& rewrite);
  /// Seals everything else. REQUIRES: `rewrite_journal` was called.
  void end_reseal();

  // What `verify` looks at.
  /// Oldest first, as a stream. `genuine`: the row's MAC is right, or there is no key to tell.
  void each_run(const std::function<void(const RunRow&, bool genuine)>& on_row);
  /// How one table of the bookkeeping was found.
  struct Inspection {
    std::string_view table;
    std::int64_t forged = 0;  // rows that no run of abgleich has written so
    std::int64_t rows = 0;    // that are there
    std::int64_t left = 0;    // that runs have left there
    bool whole = true;        // it is as runs have left it
  };
  /// Of runs, tracked tables, facts, conflicts and quarantine.
  std::vector<Inspection> inspect();
  /// The same of the journal of each run that is not as the run has left it. Returns how many
  /// entries name a table that is not tracked.
  std::int64_t inspect_journal(
      const std::function<void(std::int64_t epoch, const Inspection&)>& on_epoch);
  /// Deletes what no run of abgleich has written, and seals what is left: of facts, conflicts,
  /// quarantine and tracked tables the forged rows, and the whole journal of each run in
  /// `journals`. Runs stay, and are sealed as they are.
  void forget_forged(const std::vector<std::int64_t>& journals, const std::string& now);

  /// Rows of conflicts and quarantine that name a table that is not tracked.
  struct Untracked {
    std::int64_t conflicts = 0;
    std::int64_t quarantined = 0;
  };
  Untracked count_untracked();
  /// The numbers of bases that no tracked table has.
  std::vector<std::int64_t> untracked_bases();
  /// Deletes the conflicts and quarantined rows of tables that are not tracked.
  void forget_untracked();

 private:
  [[nodiscard]] std::string own(std::string_view name) const;
  /// SQL to order by `key_text`: by its bytes, as everything in the bookkeeping is ordered.
  [[nodiscard]] std::string by_key_text() const;
  [[nodiscard]] std::string own_name(std::string_view name) const;
  struct Beside {
    std::vector<BooksBeside> whole;
    std::vector<std::string> damaged;
  };
  const Beside& look_beside();
  void read_beside(std::span<BooksBeside> some);
  const BooksLayout& layout();
  void expect_layout(const BooksLayout& found);
  std::vector<RunRow> select_runs(std::string_view which, std::span<const Cell> parameters);
  std::int64_t one_number(const std::string& sql, std::span<const Cell> parameters);
  Settled settle(std::string_view table, const std::vector<std::int64_t>& tracked,
                 const std::string& found, std::string_view columns,
                 const std::vector<std::string_view>& identity, std::string_view rest_of_order);
  Loader& conflict_loader();
  Loader& quarantine_loader();
  struct Set;
  static const std::vector<Set>& sets();
  static const Set& set_of(std::string_view table);
  Inspection inspect(const Set& set);
  /// Refuses a table (a set of rows) that is not as runs have left it. Looks at it once
  /// in a transaction.
  void expect(std::string_view table);
  /// Notes that the table is to be sealed again before the commit. Calls `expect` first.
  void changes(std::string_view table);
  void seal_sets();
  void refuse_forged(std::string_view what) const;
  [[nodiscard]] const Sealer& reader() const;
  [[nodiscard]] std::string mac_in(const Cell& cell) const;
  /// Refuses a row whose MAC is not right.
  template <class Row>
  void expect_row(const Row& row, const Cell& mac, std::string_view what) const;
  void expect_entry(const JournalRow& row, std::string_view mac, Seal& found) const;
  [[nodiscard]] Seal journal_seal(const RunRow& run) const;
  void change_entries(const std::map<std::int64_t, std::pair<Seal, Seal>>& changes_of);
  void put_run(const RunRow& run);
  /// A seal as it is stored: `sum` is hidden.
  struct StoredSeal {
    std::int64_t rows = 0;
    std::string sum;
  };
  using StoredSeals = std::map<std::pair<std::string, std::int64_t>, StoredSeal>;
  using FactsByName = std::map<std::pair<std::string, std::string>, FactRow>;  // kind and name
  StoredSeals& seals();
  FactsByName& known_facts();
  Seal set_seal(std::string_view what, std::int64_t n = 0);
  void put_seal(std::string_view what, std::int64_t n, const Seal& seal);
  std::string all_seals();

  /// What this transaction has read of the bookkeeping, together with what it has written since.
  struct Read {
    bool there = false;
    std::optional<BooksLayout> layout;
    std::map<std::int64_t, bool> empty;  // base: whether it had no row, by number
    std::optional<FactsByName> facts;
    std::optional<std::vector<TrackedRow>> tracked;  // by number
    std::optional<StoredSeals> seals;
    std::optional<Beside> beside;
  };

  Session& session_;
  Read read_;
  std::optional<Sealer> sealer_;
  std::optional<Sealer> before_;  // checks what is read while a rotation seals everything again
  std::int64_t epoch_ = 0;        // number of the current run
  Forged forged_ = Forged::taken;
  std::set<std::string_view> expected_;  // sets that were looked at in this transaction
  std::set<std::string_view> dirty_;     // sets that are to be sealed again
  Seal journal_;                         // seal of the current run's journal
  std::map<std::int64_t, std::pair<Seal, Seal>> rejournaled_;  // by run: before, after a rotation
  std::unique_ptr<Loader> conflict_loader_;
  std::unique_ptr<Loader> quarantine_loader_;
};

}  // namespace abgleich::db
