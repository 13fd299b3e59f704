// Reads what goes to a peer: the outbox, which is the secondary of an ordinary pairing, a file of
// ours. Its tables are what the peer is to have; the journal of its runs says which rows have
// changed since a run. Everything is read in one snapshot. Meanwhile no run can commit to the
// outbox, so this must not live longer than needed.
#pragma once

#include "core/catalog.hpp"
#include "core/type.hpp"
#include "core/value.hpp"
#include "db/bookkeeping/books_rows.hpp"
#include "db/engine/session.hpp"
#include "db/peer/peer_table.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

class OutboxReader {
 public:
  /// REQUIRES: the path is absolute. Throws Fault where the file is not there or cannot be read,
  /// Failure{secondary_refuses} where another version of this program has made its bookkeeping,
  /// Failure{integrity} where that does not fit the tables.
  explicit OutboxReader(const std::filesystem::path& file);

  /// The number of the last run. 0: there was none.
  [[nodiscard]] std::int64_t epoch() const { return epoch_; }
  /// Of the last run: no other run has this hash, also where an outbox that was restored or begun
  /// anew has got as far again.
  [[nodiscard]] const std::string& hash() const { return hash_; }

  /// Whether the journal still tells all that has changed after the run `since`. Not where changes
  /// were purged, and not where a run after it has given all rows other keys, which no journal
  /// tells. `hash`: that of the run `since`, if it was kept; false, too, where it is another run.
  [[nodiscard]] bool knows_since(std::int64_t since, std::string_view hash = {});

  /// What leaves now: the tables by their names, with those of their columns that leave, in the
  /// file's order.
  [[nodiscard]] const std::vector<PeerTable>& tables() const { return tables_; }

  // `table` is a place in `tables`. Values have the kinds null, integer, real, text and bytes.
  // Throws Failure{integrity} for what no run writes.
  using OnRow = std::function<void(const std::vector<Value>&)>;

  /// All rows of a table, in the order of its key.
  void read_all(std::size_t table, const OnRow& on_row);

  /// The rows that runs after `since` have changed, each key once: `on_row` gets all cells of those
  /// that are there, `on_gone` then the keys of those that are not. If the table was filled at once
  /// by such a run, all of its rows count as changed. REQUIRES: `knows_since`; the tables were the
  /// same then.
  void read_changed(std::size_t table, std::int64_t since, const OnRow& on_row,
                    const OnRow& on_gone);

  /// How often these functions are called.
  struct Counts {
    std::uint64_t rows = 0;
    std::uint64_t gone = 0;

    bool operator==(const Counts&) const = default;
  };
  Counts count_all(std::size_t table);
  Counts count_changed(std::size_t table, std::int64_t since);

 private:
  struct KeyColumn {
    std::string name;
    std::string quoted;
    Type type;
  };
  /// Where a table of `tables_` is.
  struct Place {
    std::int64_t tracked = 0;    // its number in the bookkeeping
    std::string data;            // quoted
    std::vector<KeyColumn> key;  // in the order of PeerTable::key
    std::string order;           // SQL, for ORDER BY
  };
  class Collection;

  void find_tables();
  void add_table(const TrackedRow& row, const CatalogTable& table);
  [[nodiscard]] std::string order_by(const std::vector<KeyColumn>& key,
                                     const CatalogTable& table) const;
  /// Collects the keys that runs after `since` have changed, of all tables, in temporary ones.
  void collect(std::int64_t since);

  // SQL, of the table at this place.
  [[nodiscard]] std::string changed(std::size_t table) const;
  [[nodiscard]] std::string columns(std::size_t table) const;
  [[nodiscard]] std::string key(std::size_t table) const;
  [[nodiscard]] std::string same_key(std::size_t table) const;
  [[nodiscard]] std::string from_changed(std::size_t table) const;
  [[nodiscard]] std::string from_gone(std::size_t table) const;

  void read(const std::string& sql, const OnRow& on_row);
  std::uint64_t count(const std::string& sql);

  std::filesystem::path file_;
  Session session_;
  std::int64_t epoch_ = 0;
  std::string hash_;
  std::vector<PeerTable> tables_;
  std::vector<Place> places_;
  std::optional<std::int64_t> collected_;  // since which run
  std::set<std::size_t> filled_;           // tables that a run since then has filled at once
};

}  // namespace abgleich::db
