// The bookkeeping tables in the secondary: head, runs, tracked tables, journal, conflicts and
// quarantine. Rows in, rows out; what they mean is decided in `journal`.
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

/// How many rows one comparison of found against recorded changed.
struct Settled {
  std::int64_t added = 0;
  std::int64_t gone = 0;
};

/// The columns of every bookkeeping table but the bases.
using BooksLayout = std::map<std::string, std::set<std::string>>;

/// What `ddl` makes, as migrations/ is written: a column a line, names behind `prefix`.
BooksLayout books_layout(std::string_view ddl, std::string_view prefix);

/// Throws Failure{integrity}: somebody else has written to the bookkeeping; `what`, for people.
[[noreturn]] void refuse_forged_books(std::string_view what);

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

  // Seals, in lib/db/bookkeeping/books_seal.cpp.
  /// What happens where a row is not as a run of ours has left it: it is refused
  /// (Failure{integrity}), or taken nevertheless, for `verify`, which tells, and for those who have
  /// no key.
  enum class Forged : std::uint8_t { refused, taken };
  /// From here on rows that are read are checked, and rows that are written are sealed for the run
  /// `epoch`. Without it nothing can be written.
  void seal_with(const SealKeys& keys, std::string_view lineage, std::int64_t epoch, Forged forged);
  [[nodiscard]] bool sealed() const { return sealer_.has_value(); }
  [[nodiscard]] const Sealer& sealer() const;
  [[nodiscard]] std::int64_t next_epoch() const { return epoch_; }
  /// Whether a run of ours has written this head, and the seals are those that it names.
  enum class Written : std::uint8_t { by_us, other_head, other_seals };
  [[nodiscard]] Written who_wrote(const HeadRow& head);
  /// Whether this head was written with these keys, whatever is sealed with now.
  [[nodiscard]] static bool written_with(const SealKeys& keys, const HeadRow& head);

  enum class Lock : std::uint8_t { none, row };
  /// Empty before the first run. `row` locks it against every other run.
  std::optional<HeadRow> head(Lock lock);
  /// Compare-and-set on the epoch; false where another run was faster. Seals head and sets.
  [[nodiscard]] bool advance_head(const std::optional<HeadRow>& from, HeadRow to);
  /// Seals the head again where a run leaves no trace of its own.
  void seal_head(HeadRow head);

  /// What was written since a savepoint is gone: nothing that was read counts any more.
  void forget_read();

  std::vector<TrackedRow> tracked();
  void put_tracked(const TrackedRow& row);

  // In lib/db/bookkeeping/books_facts.cpp. What each kind means is said where it is used, and
  // listed in schemas/stored-formats.md.
  /// In order of their names.
  std::vector<FactRow> facts(std::string_view kind);
  std::vector<FactRow> all_facts();
  std::optional<FactRow> find_fact(std::string_view kind, std::string_view name);
  /// In place of what was known under that name.
  void put_fact(const FactRow& fact);
  void forget_fact(std::string_view kind, std::string_view name);

  /// Seals it, and the number and sum of its journal entries with it.
  void insert_run(RunRow run);
  /// What the current run has done, for its hash: from journal, seals and `more`.
  std::string deeds(std::string_view more);
  /// Newest first.
  std::vector<RunRow> runs(std::int64_t limit);
  std::optional<RunRow> find_run(std::int64_t epoch);
  /// Those whose id begins so, newest first; two at most: enough to tell one from several.
  std::vector<RunRow> runs_called(const std::string& prefix);

  // The journal, in lib/db/bookkeeping/books_journal.cpp.
  void journal_note(const JournalRow& row);
  /// What the plan's rows add up to that went into the journal of the current run.
  void journal_grew(const Seal& by) { journal_ += by; }
  /// The same, from the journal itself.
  void journal_grew(std::int64_t tracked);
  /// In order of table and number.
  void journal_of(std::int64_t epoch, const std::function<void(const JournalRow&)>& on_row);
  /// Calls `edit` for every image (before, after) that the journal has of a table's rows, and
  /// writes back those that it changes: true.
  void edit_images(std::int64_t tracked, const std::function<bool(std::string&)>& edit);
  /// Takes everything but key and fate out of the entries of these rows; `keys` is a SELECT.
  void erase_images(std::int64_t tracked, const std::string& keys);
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
  Settled record_conflicts(const std::vector<std::int64_t>& tracked);
  Settled record_quarantine(const std::vector<std::int64_t>& tracked);
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

  // For the rotation of the key, in lib/db/bookkeeping/books_rekey.cpp: every record passes by, may
  // be changed, and is kept. Rows are read by the seals until now, and written with `keys`.
  void begin_reseal(const SealKeys& keys);
  void rewrite_journal(const std::function<void(JournalRow&)>& rewrite);
  void rewrite_conflicts(const std::function<void(ConflictRow&)>& rewrite);
  void rewrite_quarantine(const std::function<void(QuarantineRow&)>& rewrite);
  /// Everything else. After `rewrite_journal`.
  void end_reseal();

  // What `verify` looks at.
  /// Oldest first, as a stream.
  void each_run(const std::function<void(const RunRow&, bool genuine)>& on_row);
  /// One table of the bookkeeping: how many of its rows nobody of us has written so, how many there
  /// are and how many were left. As a whole it is as it was left where `whole`.
  struct Inspection {
    std::string_view table;
    std::int64_t forged = 0;
    std::int64_t rows = 0;
    std::int64_t left = 0;
    bool whole = true;
  };
  /// Of runs, tracked tables, facts, conflicts and quarantine.
  std::vector<Inspection> inspect();
  /// The same of the journal of every run that is not as it was left. Returns how many entries name
  /// a table that is not tracked.
  std::int64_t inspect_journal(
      const std::function<void(std::int64_t epoch, const Inspection&)>& on_epoch);
  /// Takes out what nobody of us has written, and seals what is left: rows of facts, conflicts,
  /// quarantine and tracked tables; the journals of these runs as a whole. Runs stay as they are.
  void forget_forged(const std::vector<std::int64_t>& journals, const std::string& now);

  /// Rows of conflicts and quarantine that name a table that is not tracked.
  struct Untracked {
    std::int64_t conflicts = 0;
    std::int64_t quarantined = 0;
  };
  Untracked count_untracked();
  /// The numbers of bases that no tracked table has.
  std::vector<std::int64_t> untracked_bases();
  /// Forgets such conflicts and quarantined rows.
  void forget_untracked();

 private:
  [[nodiscard]] std::string own(std::string_view name) const;
  /// `key_text` as everything in the bookkeeping is ordered: by its bytes.
  [[nodiscard]] std::string by_key_text() const;
  [[nodiscard]] std::string own_name(std::string_view name) const;
  BooksLayout layout();
  void expect_layout(const BooksLayout& found);
  std::vector<RunRow> select_runs(std::string_view which, std::span<const Cell> parameters);
  std::int64_t one_number(const std::string& sql, std::span<const Cell> parameters);
  Settled settle(std::string_view table, const std::vector<std::int64_t>& tracked,
                 const std::string& found, std::string_view columns,
                 const std::vector<std::string_view>& identity, std::string_view rest_of_order);
  struct Set;
  static const std::vector<Set>& sets();
  static const Set& set_of(std::string_view table);
  Inspection inspect(const Set& set);
  /// Refuses a set that is not as it was left. Once a transaction.
  void expect(std::string_view table);
  /// The set is to be sealed again before the commit.
  void changes(std::string_view table);
  void seal_sets();
  void refuse_forged(std::string_view what) const;
  [[nodiscard]] const Sealer& reader() const;
  [[nodiscard]] std::string mac_in(const Cell& cell) const;
  /// Refuses a row that was read and has another MAC.
  template <class Row>
  void expect_row(const Row& row, const Cell& mac, std::string_view what) const;
  void expect_entry(const JournalRow& row, std::string_view mac, Seal& found) const;
  [[nodiscard]] Seal journal_seal(const RunRow& run) const;
  void change_entries(const std::map<std::int64_t, std::pair<Seal, Seal>>& changes_of);
  void put_run(const RunRow& run);
  /// As it rests: `sum` is hidden.
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

  /// What stands in the bookkeeping, as far as this transaction has read it, with what it has
  /// written since.
  struct Read {
    bool there = false;
    std::optional<FactsByName> facts;
    std::optional<std::vector<TrackedRow>> tracked;  // by number
    std::optional<StoredSeals> seals;
  };

  Session& session_;
  Read read_;
  std::optional<Sealer> sealer_;
  std::optional<Sealer> before_;  // what is read by, while a rotation reseals
  std::int64_t epoch_ = 0;        // of the current run
  Forged forged_ = Forged::taken;
  std::set<std::string_view> expected_;  // sets that were looked at in this transaction
  std::set<std::string_view> dirty_;     // sets that are to be sealed again
  Seal journal_;                         // of the current run
  std::map<std::int64_t, std::pair<Seal, Seal>> rejournaled_;  // by epoch: until a rotation, since
  std::unique_ptr<Loader> conflict_loader_;
  std::unique_ptr<Loader> quarantine_loader_;
};

}  // namespace abgleich::db
