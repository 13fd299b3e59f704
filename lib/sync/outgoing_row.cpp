#include "sync/outgoing_row.hpp"

#include <algorithm>

namespace abgleich::sync {

namespace {

std::vector<Type> source_types(const ExportedTable& exported) {
  std::vector<Type> types;
  types.reserve(exported.sources.size());
  for (const auto* source : exported.sources) {
    types.push_back(source->type);
  }
  return types;
}

}  // namespace

OutgoingRow::OutgoingRow(const db::Dialect& secondary, const ExportedTable& exported,
                         const mask::Keyring& keyring)
    : secondary_(secondary),
      exported_(exported),
      masker_(*exported.table, exported.columns, source_types(exported), keyring) {
  for (const auto& column : exported.relation.columns) {
    // a column of exactly the type that was made for it takes every value as it is
    fits_.push_back(column.type == column.held);
  }
}

OutgoingRow::Fate OutgoingRow::make(const RawRow& raw) {
  const auto outcome = masker_.mask(raw, row_);
  if (outcome.refusal) {
    column_ = outcome.refusal->column;
    reason_ = outcome.refusal->reason;
    return outcome.key_is_whole ? Fate::held : Fate::nameless;
  }
  for (std::size_t i = 0; i < row_.cells.size(); ++i) {
    if (fits_[i] || row_.cells[i].is_null()) {
      continue;
    }
    if (const auto why = secondary_.fit(exported_.relation.columns[i].held, row_.cells[i])) {
      column_ = i;
      reason_ = *why;
      return fit_rest_of_key(i) ? Fate::held : Fate::nameless;
    }
  }
  return Fate::usable;
}

/// The key cells that come after the one that failed have to be fitted as well: only then may the
/// key be used.
bool OutgoingRow::fit_rest_of_key(std::size_t failed) {
  return std::ranges::none_of(exported_.relation.key, [&](std::size_t i) {
    return i == failed || (!fits_[i] && i > failed &&
                           secondary_.fit(exported_.relation.columns[i].held, row_.cells[i]));
  });
}

std::string_view OutgoingRow::digest() {
  digest_row(exported_, row_, key_bytes_, digests_);
  pack(digests_, packed_);
  return packed_;
}

}  // namespace abgleich::sync
