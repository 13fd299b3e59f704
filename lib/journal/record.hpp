// What the journal stores as text: keys, cells and conflicts as JSON that loses nothing.
#pragma once

#include "core/digest.hpp"
#include "core/value.hpp"
#include "db/bookkeeping/books.hpp"
#include "db/engine/relation.hpp"
#include "journal/conflict_action.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::journal {

/// A named value, in the secondary's terms.
using NamedValue = std::pair<std::string, Value>;
using NamedValues = std::vector<NamedValue>;

/// {"id": "text:p1_…"}: the key's columns by their names in the secondary, in the contract's order.
std::string key_text(const db::Relation& relation, const Row& row);
/// Stands in place of a key that is not known.
inline constexpr std::string_view kNoKey = "null";  // JSON
/// A text of `key_text` in ASCII: the key of a row that is held back may have characters that the
/// secondary's encoding lacks.
std::string in_ascii(std::string_view key_text);
/// The cells that the mask does not mark with '0'.
std::string cells_text(const db::Relation& relation, const Row& row, std::string_view mask);
/// Takes the cells of these names out of a text of `cells_text`. False: it has none of them.
bool forget_cells(std::string& image, const std::vector<std::string>& names);
/// Reads what `key_text` and `cells_text` write. Throws Failure{integrity} on text that is not of
/// this form.
NamedValues read_cells(std::string_view text);

/// One cell of a conflict; a side that does not have the row has no value. `digest` is the base
/// digest of the primary's value.
struct ConflictCell {
  std::string column;  // in the secondary
  std::optional<Value> primary;
  std::optional<Value> secondary;
  Digest digest;
};

/// The kind of a conflict is the name of a `merge::Case`, or this one.
inline constexpr std::string_view kConstraint = "constraint";

/// Why a constraint of the secondary refuses a row, in the words of `db::Obstacle`.
struct Obstacle {
  std::string kind;  // empty: not a constraint's conflict, or not known
  std::string constraint;
  std::string table;
  NamedValues key;
};

struct Conflict {
  std::string id;
  std::int64_t tracked = 0;
  std::string key_text;
  std::string kind;
  std::optional<ConflictAction> action;
  std::string reason;  // of a row that was to be withdrawn: why
  std::vector<ConflictCell> cells;
  std::int64_t epoch = 0;
  /// Of an update that constraints refused: the base digests of the cells that it would not have
  /// written. Needed for a row that both sides have inserted, as it has no base.
  std::vector<std::pair<std::string, Digest>> unwritten;
  Obstacle obstacle;
};

/// Characters of each half of a conflict's id. The id is made with a key, so that it reveals
/// nothing: the first half from the whole content, so that it changes with the conflict; the second
/// half from table and row, so that the changed conflict can be found by the old id.
inline constexpr std::size_t kConflictIdHalf = 6;
/// To and from a row of the bookkeeping. `to_row` makes the id, `from_row` throws
/// Failure{integrity} where the row cannot be read.
db::ConflictRow to_row(const Conflict& conflict, const SipKey& id_key);
Conflict from_row(const db::ConflictRow& row);

}  // namespace abgleich::journal
