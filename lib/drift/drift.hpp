// Schema drift: contract x accepted catalogue x live catalogue -> verdicts. Pure.
#pragma once

#include "contract/contract.hpp"
#include "core/catalog.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::drift {

enum class Verdict : std::uint8_t { info, adapt, block };
std::string_view name_of(Verdict verdict);

/// What has drifted; schemas/drift-event.schema.json says what each means. In the order of their
/// names, in which events are reported.
enum class EventKind : std::uint8_t {
  dropped_column,
  dropped_foreign_key,
  dropped_table,
  key_changed,
  missing_in_primary,
  new_column,
  new_enum_label,
  new_table,
  not_in_contract,
  nullability_loosened,
  nullability_tightened,
  renamed_column,
  renamed_table,
  replaced_column,
  replaced_table,
  rights_lost,
  row_security_enabled,
  secondary_column_dropped,
  secondary_column_not_null,
  secondary_column_renamed,
  secondary_column_retyped,
  secondary_table_inherited,
  shifted_column,
  type_changed,
  type_widened,
  unused_was,
};
/// "new_column"
std::string_view name_of(EventKind kind);

/// One thing that is no longer as accepted. `was` and `now` are names or types, never values.
struct Event {
  EventKind kind = EventKind::new_column;
  std::string table;   // in the primary
  std::string column;  // empty for the table as a whole
  std::string was;
  std::string now;
  Verdict verdict = Verdict::info;
  std::string hint;  // the next command, or the contract line to paste

  bool operator==(const Event&) const = default;
};

/// Every difference that matters to the contract, ordered by table and column. A table with a
/// `block` event must not be synchronised; the others may. `reader` is the role that reads the
/// primary, for the hints; empty: not known.
std::vector<Event> compare(const contract::Contract& contract, const Catalog& accepted,
                           const Catalog& live, std::string_view reader = {});

/// Whether any event blocks this table (name in the primary).
bool blocks(const std::vector<Event>& events, std::string_view table);

/// Whether the table cannot be read: an event blocks it, or one that it follows, whose columns
/// decide which of its rows leave.
bool is_blocked(const std::vector<Event>& events, const contract::Contract& contract,
                const contract::Table& table);

}  // namespace abgleich::drift
