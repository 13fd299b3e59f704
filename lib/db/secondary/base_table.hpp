// The base of one relation: what primary and secondary agreed on when they last met. Its seal says
// how many rows abgleich has left there and what they add up to. Every write of abgleich brings the
// seal up to date, so where a base does not match its seal, somebody else has written to it.
#pragma once

#include "core/digest.hpp"
#include "core/value.hpp"
#include "db/bookkeeping/books_rows.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/relation.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

class Dialect;
class Target;

/// A base as its rows are now. `seal` is made from these rows; BaseTable::seal is the one that the
/// last run has stored.
struct MeasuredBase {
  bool exists = false;
  Seal seal;
  std::int64_t misfits = 0;  // rows that do not have one digest for each column
};

/// The checksum of a base row; a seal sums these up. `key`: as the engine writes it. `bytes`:
/// memory that is reused.
std::uint64_t base_checksum(const SipKey& base_key, std::span<const Cell> key,
                            std::string_view packed_cells, std::string& bytes);
/// Whether the checksum can be made from a row as it is sent: the engine gives the key back in the
/// same bytes.
bool seals_as_sent(const Dialect& dialect, const Relation& relation);

/// Target and relation outlive it.
class BaseTable {
 public:
  BaseTable(Target& target, const Relation& relation);
  BaseTable(Target& target, Relation&& relation) = delete;  // it is kept by reference

  [[nodiscard]] bool exists() const;
  /// The number of its rows, also of those that the secondary's table no longer has.
  [[nodiscard]] std::int64_t rows();
  /// Whether it had no row when this transaction first asked that of any base. REQUIRES: this run
  /// has not written to it.
  [[nodiscard]] bool was_empty();

  /// As the last run has stored it; that of no rows where there is no bookkeeping.
  [[nodiscard]] Seal seal();
  /// Reads all rows.
  [[nodiscard]] MeasuredBase measure();
  /// The same of the rows that `sql` gives: their keys, then their cells.
  [[nodiscard]] MeasuredBase measure(const std::string& sql);
  /// Stores the seal of the rows as they are now.
  void reseal();

  /// `key`: a row in which only the key's cells are set. `cells`: the row's digests, packed.
  using OnRow = std::function<void(const Row& key, std::string_view cells)>;
  /// Like `measure`, and streams the rows. Nothing else may run on the secondary meanwhile.
  /// REQUIRES: the base exists.
  MeasuredBase read(const OnRow& on_row);
  /// Streams the rows; other statements may run meanwhile.
  void each(const OnRow& on_row);
  /// The packed digests of one row; nothing where the base does not have it.
  std::optional<std::string> find(const Row& key);

  /// Sets `cells` of every row to what `next` gives, for a contract that exports other columns than
  /// before. A dry run does that in a temporary stand-in.
  void rewrite(const std::function<std::string(const Row& key, std::string_view cells)>& next);
  /// Deletes all rows, for a table that the contract no longer names. Does nothing where there is
  /// no base.
  void forget();
  /// Lays the rows down anew, in the order of their keys. Returns what the table's owner has to run
  /// where this role may not; empty: the rows lie so now, or lie by their keys anyway. REQUIRES: no
  /// cursor is open.
  std::string lay_down();

 private:
  using OnMeasured = std::function<void(std::span<const Cell> cells, std::string_view packed)>;
  MeasuredBase measure(const std::string& sql, const OnMeasured& on_row);

  Target& target_;
  const Relation& relation_;
};

/// The statements that drop the bases of tables that are not tracked; forgets their seals.
std::vector<std::string> drop_untracked_bases(Target& target);

}  // namespace abgleich::db
