// The base of one relation: what primary and secondary had in common when they last met. Its seal
// says how many rows abgleich has left there and what they add up to; it follows every write of
// ours, so a base that does not match its seal was written to by somebody else.
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

/// What a base is; its seal is what the last run that wrote it says that it is.
struct MeasuredBase {
  bool exists = false;
  Seal seal;
  std::int64_t misfits = 0;  // rows that do not have one digest a column
};

/// Of a base row, as the seal sums them up. `key` as the engine writes it; `bytes` is reused.
std::uint64_t base_checksum(const SipKey& base_key, std::span<const Cell> key,
                            std::string_view packed_cells, std::string& bytes);
/// Whether the checksum of a row as it is sent is that of the row that the engine gives back.
bool seals_as_sent(const Dialect& dialect, const Relation& relation);

/// Target and relation outlive it.
class BaseTable {
 public:
  BaseTable(Target& target, const Relation& relation);
  BaseTable(Target& target, Relation&& relation) = delete;  // it is kept by reference

  [[nodiscard]] bool exists() const;
  /// Rows, whether or not the secondary still has them.
  [[nodiscard]] std::int64_t rows();
  /// Whether there are none, without counting them.
  [[nodiscard]] bool is_empty();

  /// As the last run has left it; of no rows where the bookkeeping is not there.
  [[nodiscard]] Seal seal();
  [[nodiscard]] MeasuredBase measure();
  /// Of the rows that `sql` gives: their keys, then their cells.
  [[nodiscard]] MeasuredBase measure(const std::string& sql);
  /// Seals it as it is now.
  void reseal();

  /// `key`: a row of which the key's cells are set; `cells`: its digests, packed.
  using OnRow = std::function<void(const Row& key, std::string_view cells)>;
  /// `measure`, and streams its rows. Nothing else may run on the secondary meanwhile. REQUIRES:
  /// the base exists.
  MeasuredBase read(const OnRow& on_row);
  /// Its rows while other statements run.
  void each(const OnRow& on_row);
  std::optional<std::string> find(const Row& key);

  /// Rewrites `cells` of every row: for a contract whose exported columns are others now. A dry run
  /// does that to a stand-in.
  void rewrite(const std::function<std::string(const Row& key, std::string_view cells)>& next);
  /// Forgets all rows, of a table that no contract names any more. Does nothing where there is no
  /// base.
  void forget();
  /// Lays the rows down in the order of their keys. Returns what the table's owner has to run where
  /// this role may not; empty: they lie so now, or have no order of their own. No cursor may be
  /// open.
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
