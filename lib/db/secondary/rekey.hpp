// Replaces keys or pseudonyms by new ones, in the data and bases of all tables, in the transaction
// that is open.
#pragma once

#include "core/type.hpp"
#include "core/value.hpp"
#include "db/engine/connection.hpp"
#include "db/engine/relation.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::db {

class StagedTable;
class Target;

/// Takes the rows of one table as they are to be from now on.
class RekeyWriter {
 public:
  /// `becomes`: the relation with its new key; its columns are the first ones of the table's
  /// relation. Table and relation outlive this.
  RekeyWriter(StagedTable& table, const Relation& becomes);
  explicit RekeyWriter(StagedTable& table);
  /// `was` holds the row's old key, `row` its new cells. `data`: whether the secondary's row
  /// changes; where it does not, only the cells of the old and the new key count. `cells`: its new
  /// base, packed; nothing: it has none.
  enum class Data : std::uint8_t { as_it_is, changes };
  void add(const Row& was, const Row& row, Data data, const std::optional<std::string>& cells);
  void finish();

 private:
  Target& target_;
  const Relation& relation_;
  const Relation& becomes_;
  std::unique_ptr<Loader> loader_;
  std::vector<Cell> cells_;
  std::vector<std::string> scratch_;
};

/// A column that is no longer exported but still holds pseudonyms, and what each of them becomes.
struct KeptPseudonyms {
  std::string column;
  std::string map;  // a temporary table of old and new values
};
/// Calls `rekey` for every value of such a column. `type`: what was exported. Nothing where the
/// secondary no longer has the column, or computes it.
std::optional<KeptPseudonyms> rekey_kept(Target& target, const Relation& relation,
                                         const std::string& column, const Type& type,
                                         const std::function<void(Value&)>& rekey);

/// One table of a rotation of the key file, with its columns that hold pseudonyms, and those of
/// them that are integers; or of a rekey, with the columns of its new key.
struct TableRekey {
  const Relation* relation = nullptr;
  const Relation* becomes = nullptr;  // the relation with its new key; null: the key stays
  std::vector<std::size_t> columns;
  std::vector<std::size_t> integers;
  std::vector<KeptPseudonyms> kept;
};
/// Writes the new keys or pseudonyms into data and bases of all tables (parents before children),
/// and seals the bases. Returns how many rows of each table's data changed. Throws
/// Failure{secondary_refuses} where the secondary does not take them as they are,
/// Failure{integrity} where a base has rows that no RekeyWriter was given. REQUIRES: a RekeyWriter
/// of each table is finished.
std::vector<std::int64_t> apply_rekey(Target& target, const std::vector<TableRekey>& tables);

/// Whether every row has its new key already.
enum class Keys : std::uint8_t { to_come, filled };
/// The statements that make the relation's key unique in its table and, where it is filled, NOT
/// NULL; none where it is so already.
std::vector<std::string> key_ddl(const Target& target, const Relation& relation, Keys keys);
/// Whether the base has to be made anew to hold rows by the key of `becomes`.
bool remakes_base(const Target& target, const Relation& relation, const Relation& becomes);

}  // namespace abgleich::db
