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

/// What stands for a row outside of `mask`: fingerprints of its columns and of its key, and where
/// it is (empty where the engine does not say it). Nothing of the row can be read from them.
struct RowMark {
  Fingerprint row;
  Fingerprint key;
  std::string_view place;
};

/// Which rows of a table there are for whoever reads it; where that is written, for messages.
struct RowFilter {
  Condition condition;
  std::string place;
};
/// Throws Failure{configuration}: the table cannot be asked this.
[[noreturn]] void refuse_filter(const RowFilter& filter, const std::string& why);
using RowFilters = std::map<std::string, RowFilter, std::less<>>;  // by the table's name

/// Rows that a filter leaves out are never read, counted or sampled: a filtered table is the table
/// of the others. Functions that read a filtered table throw Failure{configuration} where it cannot
/// be asked the condition.
class Source {
 public:
  /// Connects and begins the snapshot that everything is read in. Throws Fault.
  explicit Source(const Endpoint& endpoint, RowFilters filters = {});
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  ~Source();

  /// The catalogue as the snapshot has it; read once.
  [[nodiscard]] const Catalog& catalog();

  /// The catalogue, and the promise that what exists of `readings` is read as it says: DDL that was
  /// committed meanwhile makes a newer snapshot, and none of it can be done before the snapshot
  /// ends. To be called before anything is read. Throws Failure{try_again} where the schema does
  /// not come to rest.
  const Catalog& lock_schema(const std::vector<Reading>& readings);

  /// How far the primary has got: what the snapshot has at least; and what is left of that
  /// whatever happens to the server, better known after `finish`.
  [[nodiscard]] const Position& position() const { return watch_->now(); }
  [[nodiscard]] const Position& lasting_position() const { return watch_->lasting(); }

  /// Ends the snapshot, and every transaction, after the last row was read. Throws
  /// Fault{serialization} where the labels of an enumeration, which nothing can hold still, were
  /// changed meanwhile.
  void finish();

  /// Streams the rows of one table or view in the engine's own order: `columns` and nothing else is
  /// selected. The row is reused between calls.
  void read(const std::string& table, const std::vector<const CatalogColumn*>& columns,
            const std::function<void(const RawRow&)>& on_row);

  /// The same, for at most so many rows: whichever come first.
  void sample(const std::string& table, const std::vector<const CatalogColumn*>& columns,
              std::int64_t rows, const std::function<void(const RawRow&)>& on_row);

  /// The same, for rows that are mostly known.
  struct Scan {
    std::string table;
    std::vector<const CatalogColumn*> columns;
    std::vector<std::size_t> key;  // indexes into columns
    std::string place;             // what stands for a row's place in SQL; empty: nothing
    std::string where;             // SQL; empty: all rows
  };
  using IsKnown = std::function<bool(const RowMark&)>;
  using OnRow = std::function<void(const RawRow&, const RowMark&)>;
  /// Tells `known` of every row, and `on_row` of those that it does not know, as they are then
  /// masked. The mark is valid during the call. A large table is read by several connections, as
  /// many as the endpoint's `workers`; its rows come here in the same order as by one. One that is
  /// filtered is read by one: the server may find its rows by an index.
  void read(const Scan& scan, const Fingerprinter& fingerprinter, const IsKnown& known,
            const OnRow& on_row);
  /// The row versions of a table as this snapshot has them. Locks the table against being replaced
  /// until the end. Throws Fault{serialization} where it was replaced since the snapshot.
  [[nodiscard]] RowVersions row_versions(const CatalogTable& table,
                                         const std::vector<const CatalogColumn*>& columns);
  /// SQL over a row of such a table: where it is; the same with '+' in front where it may be new
  /// since the horizon; and whether it may be new or is at one of these places. REQUIRES: `usable`.
  [[nodiscard]] std::string place() const;
  [[nodiscard]] std::string recent_place(std::uint64_t horizon) const;
  [[nodiscard]] std::string recent_or_at(std::uint64_t horizon,
                                         const std::vector<std::string>& places) const;
  [[nodiscard]] std::int64_t count_rows(const std::string& table);

  /// Tables that give the key of a deleted row to the next one, as SQLite's rowid does without
  /// AUTOINCREMENT.
  [[nodiscard]] std::set<std::string> tables_that_reuse_keys();
  /// Those of these tables whose rows lie on other servers, or in no heap: every run reads all of
  /// them, since row versions tell nothing there.
  std::vector<std::string> tables_lying_elsewhere(const std::vector<std::string>& names);

  /// The rights that the role needs to read this and nothing else, and those that it has. Nothing
  /// where the engine has no roles.
  std::optional<Grants> grants(const std::vector<Reading>& readings);

  /// Tells of the keys alone, in the order of `read`.
  void read_keys(const Scan& scan, const Fingerprinter& fingerprinter,
                 const std::function<void(const Fingerprint&)>& on_key);

  /// Why fewer connections read than may; empty where nothing is to be said.
  [[nodiscard]] std::string shortfall() const;

 private:
  /// The condition of a filtered table in SQL, joined with another one; either may be empty.
  [[nodiscard]] std::string only(const std::string& table, const std::string& where = {});
  void read_rows(const std::string& statement, const std::vector<const CatalogColumn*>& columns,
                 const std::function<void(const RawRow&)>& on_row);
  void begin();
  [[nodiscard]] std::string labels_now();
  void make_readers();
  bool read_by_several(const Scan& scan, const std::vector<const CatalogColumn*>& columns,
                       const Fingerprinter& fingerprinter, const IsKnown& known,
                       const std::function<void(std::span<const Cell>, const RowMark&)>& row);

  Endpoint endpoint_;
  Session session_;
  std::unique_ptr<Readers> readers_;  // null: this connection reads alone

  std::unique_ptr<Watch> watch_;
  Catalog catalog_;
  bool catalog_read_ = false;
  bool labels_matter_ = false;  // some column that is read is of an enumeration
  std::string labels_;          // when the snapshot was taken
  RowFilters filters_;
};

}  // namespace abgleich::db
