// The primary: one read-only snapshot, from which rows of named columns are streamed.
#pragma once

#include "core/catalog.hpp"
#include "core/condition.hpp"
#include "core/endpoint.hpp"
#include "core/fingerprint.hpp"
#include "core/value.hpp"
#include "db/engine/grants.hpp"
#include "db/engine/position.hpp"
#include "db/engine/row_versions.hpp"
#include "db/engine/schema_lock.hpp"
#include "db/engine/session.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

class Readers;  // readers.hpp

/// What a row is known by outside of `mask`: fingerprints of its columns and of its key, and its
/// place (empty where the engine does not say it). No value can be read from them.
struct RowMark {
  Fingerprint row;
  Fingerprint key;
  std::string_view place;
};

/// The condition by which rows of a table are read; for all readers the others are not there.
/// `place`: where it is written in the contract, `what`: the words that it is written with, both
/// for messages.
struct RowFilter {
  Condition condition;
  std::string place;
  std::string what = "'where'";
};
/// Throws Failure{configuration}: the filter does not fit the table. `why`: for people.
[[noreturn]] void refuse_filter(const RowFilter& filter, const std::string& why);
using RowFilters = std::map<std::string, RowFilter, std::less<>>;  // by the table's name

/// Rows that a filter leaves out are never read or sampled, and counted only where a function says
/// so. Functions that read a filtered table throw Failure{configuration} where the filter does not
/// fit the table.
class Source {
 public:
  /// Connects and begins the snapshot that everything is read in. Throws Fault.
  explicit Source(const Endpoint& endpoint, RowFilters filters = {});
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source();

  /// The catalogue as the snapshot has it; read once.
  [[nodiscard]] const Catalog& catalog();

  /// Locks the tables of `readings` that exist, so that no DDL can change them before the snapshot
  /// ends, and returns the catalogue that is then true of them. Where DDL was committed after the
  /// snapshot had begun, a new snapshot is begun. REQUIRES: nothing was read yet. Throws
  /// Failure{try_again} where the schema keeps changing, Fault where a table stays locked.
  const Catalog& lock_schema(const std::vector<Reading>& readings);

  /// How far the primary has got: what the snapshot contains at least; and the part of it that no
  /// crash of the server takes back, which is known better after `finish`.
  [[nodiscard]] const Position& position() const { return watch_->now(); }
  [[nodiscard]] const Position& lasting_position() const { return watch_->lasting(); }

  /// Ends the snapshot and every transaction. To be called after the last row was read.
  /// Throws Fault{serialization} where the labels of an enumeration, which cannot be locked,
  /// were changed meanwhile.
  void finish();

  /// Streams the rows of one table or view in the engine's own order: `columns` and nothing else is
  /// selected. The row is reused between calls.
  void read(const std::string& table, const std::vector<const CatalogColumn*>& columns,
            const std::function<void(const RawRow&)>& on_row);

  /// The same for at most `rows` rows, whichever come first.
  void sample(const std::string& table, const std::vector<const CatalogColumn*>& columns,
              std::int64_t rows, const std::function<void(const RawRow&)>& on_row);

  /// What to read of a table whose rows are mostly known.
  struct Scan {
    std::string table;
    std::vector<const CatalogColumn*> columns;
    std::vector<std::size_t> key;  // indexes into columns
    std::string place;             // SQL for the place of a row; empty: it is not read
    std::string where;             // SQL; empty: all rows
  };
  using IsKnown = std::function<bool(const RowMark&)>;
  using OnRow = std::function<void(const RawRow&, const RowMark&)>;
  /// Calls `known` for every row, and `on_row` for those that it does not know: only these have to
  /// be masked. The mark is valid during the call. A large table is read by several connections, as
  /// many as `workers` of the endpoint says; its rows come in the same order as from one. A
  /// filtered table is read by one connection: the server may find its rows by an index.
  void read(const Scan& scan, const Fingerprinter& fingerprinter, const IsKnown& known,
            const OnRow& on_row);
  /// What is going to be read of a table.
  struct Wanted {
    const CatalogTable* table = nullptr;
    std::vector<const CatalogColumn*> columns;
  };
  /// Asks now, in few statements, for what `row_versions` and `count_rows` will be asked for each
  /// of these tables: with many of them, most of a run that finds nothing is questions. Throws as
  /// `row_versions` does.
  void look_ahead(const std::vector<Wanted>& tables);

  /// The row versions of a table as this snapshot has them. Locks the table until the snapshot
  /// ends, so that it cannot be replaced. Throws Fault{serialization} where it was replaced since
  /// the snapshot.
  [[nodiscard]] RowVersions row_versions(const CatalogTable& table,
                                         const std::vector<const CatalogColumn*>& columns);
  /// SQL for a row of such a table: its place; the same, with '+' in front where the row may be new
  /// since the horizon; and whether it may be new or is at one of these places. REQUIRES: the row
  /// versions are `usable`.
  [[nodiscard]] std::string place() const;
  [[nodiscard]] std::string recent_place(std::uint64_t horizon) const;
  [[nodiscard]] std::string recent_or_at(std::uint64_t horizon,
                                         const std::vector<std::string>& places) const;
  [[nodiscard]] std::int64_t count_rows(const std::string& table);
  /// Counts the rows that meet a condition, whatever the filter of the table; empty: all rows.
  /// Throws Failure{configuration} where it does not fit the table.
  [[nodiscard]] std::int64_t count_rows(const std::string& table,
                                        const std::optional<Condition>& condition);
  /// Whether the table has any row at all, also of those that the filter leaves out.
  [[nodiscard]] bool has_rows(const std::string& table);

  /// Tables that give the key of a deleted row to the next one, as SQLite's rowid
  /// does without AUTOINCREMENT.
  [[nodiscard]] std::set<std::string> tables_that_reuse_keys();
  /// Of these tables, those whose rows are on other servers or in a storage other than the heap
  /// (PostgreSQL): every run reads all of them, since row versions tell nothing there.
  std::vector<std::string> tables_lying_elsewhere(const std::vector<std::string>& names);

  /// The rights that the role lacks to read `readings`, and those that it has beyond that. Nothing
  /// where the engine has no roles.
  std::optional<Grants> grants(const std::vector<Reading>& readings);

  /// Reads only the keys, in the order of `read`, and gives their fingerprints.
  void read_keys(const Scan& scan, const Fingerprinter& fingerprinter,
                 const std::function<void(const Fingerprint&)>& on_key);

  /// Why fewer connections read than `workers` of the endpoint says; empty where that is not so.
  [[nodiscard]] std::string shortfall() const;

 private:
  /// The filter of the table as SQL, joined with `where` by AND; either may be empty.
  [[nodiscard]] std::string only(const std::string& table, const std::string& where = {});
  [[nodiscard]] std::string sql_of(const std::string& table, const RowFilter& filter);
  [[nodiscard]] std::int64_t count(const std::string& table, const std::string& where);
  void read_rows(const std::string& statement, const std::vector<const CatalogColumn*>& columns,
                 const std::function<void(const RawRow&)>& on_row);
  void begin();
  [[nodiscard]] std::string labels_now();
  void make_readers();
  bool read_by_several(const Scan& scan, const std::vector<const CatalogColumn*>& columns,
                       const Fingerprinter& fingerprinter, const IsKnown& known,
                       const std::function<void(std::span<const Cell>, const RowMark&)>& row);

  /// What is known of a table before it is read.
  struct Ahead {
    RowVersions versions;
    std::optional<std::int64_t> rows{};
  };
  [[nodiscard]] VersionedTable versioned(const CatalogTable& table,
                                         const std::vector<const CatalogColumn*>& columns);
  /// What the row versions of the table tell: nothing where other tables decide which rows of it
  /// are there.
  [[nodiscard]] RowVersions judged(const std::string& table, RowVersions versions) const;
  /// Counts the rows of all small tables of `ahead_`.
  void count_small();

  Endpoint endpoint_;
  Session session_;
  std::unique_ptr<Readers> readers_;  // null: this connection reads alone

  std::unique_ptr<Watch> watch_;
  Catalog catalog_;
  bool catalog_read_ = false;
  bool labels_matter_ = false;  // some column that is read is of an enumeration
  std::string labels_;          // what stood for all labels when the schema was locked
  RowFilters filters_;
  std::set<std::string> locked_;        // tables that `lock_schema` has locked, by name
  std::map<std::string, Ahead> ahead_;  // by the table's name
};

}  // namespace abgleich::db
