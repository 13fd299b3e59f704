// How the bookkeeping remembers the columns of a table: those that are exported, in the order of
// the base's cells, and those that were exported before and whose values the secondary keeps.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"
#include "core/type.hpp"
#include "db/bookkeeping/books.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::sync {

enum class ColumnState : std::uint8_t {
  exported,
  gone,       // dropped by the vendor, or its name belongs to another column now
  withdrawn,  // still in the primary, but no longer exported
};
std::string_view name_of(ColumnState state);

/// What a pseudonym is made with, besides the key. A rotation needs it for columns that the
/// contract no longer has.
struct MadeWith {
  std::string identity;
  contract::Normaliser normaliser = contract::Normaliser::none;
  contract::Format format = contract::Format::text;
  std::optional<contract::CanonicalForm> form;  // empty: made before forms were remembered

  bool operator==(const MadeWith&) const = default;
};

struct Remembered {
  std::string label;   // what its digests are bound to: its first name in the primary
  std::string source;  // its name in the primary
  std::string was;     // the contract's `was` with which it got that name
  std::string name;    // its name in the secondary
  std::vector<std::string> formerly;  // its names in the secondary before
  Type type;                          // of what is exported
  std::string read_as;                // the type in the primary, see `reading_of`
  bool nullable = true;               // as it was exported
  std::string how;                    // what the contract makes of its values
  std::string identity;               // which column of which database it is; empty: unknown
  std::optional<MadeWith> pseudonym;  // where it holds pseudonyms
  ColumnState state = ColumnState::exported;
};

/// The columns as the last run left them. Throws Failure{integrity} for damaged bookkeeping.
std::vector<Remembered> read_column_history(const db::TrackedRow& row);
std::string column_history_text(const std::vector<Remembered>& columns);
/// Throws Failure{integrity}.
[[noreturn]] void damaged_layout(const db::TrackedRow& row);

/// The type by which values of a column are read: the engine's name of it, and the labels of an
/// enumeration, which can change while that name stays.
std::string reading_of(const Type& type);

/// Says which table of which database this is; empty where that cannot be known.
std::string identity_of(const DatabaseIdentity& database, const CatalogTable& table);
/// The same of the table that these columns were read from.
std::string table_of(const std::vector<Remembered>& columns);
/// Says which column of which table this is; empty where that cannot be known.
std::string identity_of(const DatabaseIdentity& database, const CatalogTable& table,
                        const CatalogColumn& column);

/// A table's layout from this run on.
struct ColumnHistory {
  std::vector<Remembered> columns;   // the exported ones in the order of `wanted`, then kept ones
  std::vector<Remembered> previous;  // as the last run left it
  /// For each exported column the place in `previous`; empty for one that is new.
  std::vector<std::optional<std::size_t>> known;
  std::vector<Remembered> erased;  // kept ones that the contract wants emptied

  /// The name in the secondary that a column of `columns` had before this run, where that was
  /// another; empty otherwise.
  [[nodiscard]] std::string renamed_from(std::size_t column) const;
};

/// A column that is the same as before, by an accepted rename or by its name, keeps its label. One
/// that is another column now, or holds values of another family, gets a new label, and the old
/// column is kept beside it. `wanted`: the exported columns as they are to be (label, formerly and
/// state are filled in here). `live`: the table in the primary.
ColumnHistory next_column_history(std::vector<Remembered> previous, std::vector<Remembered> wanted,
                                  const contract::Table& table, const CatalogTable& live);

}  // namespace abgleich::sync
