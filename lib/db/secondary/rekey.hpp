// New keys or pseudonyms in the place of old ones: data and bases of all tables, in the transaction
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

/// Takes the rows of one table as they are to be.
class RekeyWriter {
 public:
  /// `becomes`: the relation with the key that rows are known by from now on, and the same columns
  /// in front. Everything outlives this.
  RekeyWriter(StagedTable& table, const Relation& becomes);
  explicit RekeyWriter(StagedTable& table);
  /// `was` holds the row's key until now, `row` its cells from now on, of which both keys and
  /// pseudonyms count. `cells`: its base from now on, packed.
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

/// A column that is exported no longer, and holds pseudonyms still: what is to become of each.
struct KeptPseudonyms {
  std::string column;
  std::string map;  // a temporary table
};
/// Asks `rekey` for every value of such a column. `type` is what was exported. Nothing where the
/// secondary does not have the column any more.
std::optional<KeptPseudonyms> rekey_kept(Target& target, const Relation& relation,
                                         const std::string& column, const Type& type,
                                         const std::function<void(Value&)>& rekey);

/// One table of a rotation, and which of its columns hold pseudonyms, and integer ones; or of a
/// rekeying, and the columns of its new key.
struct TableRekey {
  const Relation* relation = nullptr;
  const Relation* becomes = nullptr;  // its rows are known by another key from then on
  std::vector<std::size_t> columns;
  std::vector<std::size_t> integers;
  std::vector<KeptPseudonyms> kept;
};
/// Puts the new pseudonyms into data and bases of all tables (parents before children), and seals
/// the bases. Returns how many rows of each table's data changed. Throws Failure{secondary_refuses}
/// where the secondary does not take them as they are. REQUIRES: a RekeyWriter of each is finished.
std::vector<std::int64_t> apply_rekey(Target& target, const std::vector<TableRekey>& tables);

/// The statements without which the relation's key is not unique in its table; none where it is.
/// `filled`: every row has its key already.
enum class Keys : std::uint8_t { to_come, filled };
std::vector<std::string> key_ddl(const Target& target, const Relation& relation, Keys keys);
/// Whether the base has to be made anew to hold rows by the key of `becomes`.
bool remakes_base(const Target& target, const Relation& relation, const Relation& becomes);

}  // namespace abgleich::db
