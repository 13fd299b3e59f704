#include "sync/rotate/records_by_key.hpp"

#include "core/digest.hpp"
#include "sync/rotate/rekeyed_records.hpp"

#include <algorithm>
#include <vector>

namespace abgleich::sync {

RecordsByKey::RecordsByKey(const KeyChange& change, const NewKeys& keys,
                           const mask::Keyring& keyring)
    : change_(change),
      keys_(keys),
      unknown_key_(keyring.purpose_key("unknown digest")),
      id_key_(keyring.purpose_key("conflict-id")) {}

std::optional<RecordsByKey::Keys> RecordsByKey::keys_of(const std::string& key_text) const {
  const auto cells = journal::read_cells(key_text);
  KeyCells old;
  for (const auto& names : change_.old_names) {
    const auto found = std::ranges::find_if(cells, [&](const journal::NamedValue& cell) {
      return std::ranges::find(names, cell.first) != names.end();
    });
    if (found == cells.end()) {
      return std::nullopt;
    }
    old.push_back(found->second);
  }
  auto was = bytes_of(old);
  auto now = keys_.find(was);
  return now ? std::optional(Keys{.was = std::move(was), .now = *std::move(now)}) : std::nullopt;
}

std::string RecordsByKey::key_text(const std::string& key) const {
  const auto& relation = change_.now.relation;
  Row row;
  row.cells.resize(relation.columns.size());
  const auto cells = key_from(key);
  for (std::size_t k = 0; k < cells.size(); ++k) {
    row.cells[relation.key[k]] = cells[k];
  }
  return journal::key_text(relation, row);
}

std::optional<std::size_t> RecordsByKey::column(std::string_view name) const {
  const auto& columns = change_.now.relation.columns;
  const auto found = std::ranges::find(columns, name, &db::RelationColumn::name);
  return found == columns.end() ? std::nullopt
                                : std::optional(static_cast<std::size_t>(found - columns.begin()));
}

/// Rewrites the digests of a base row in a record. Digests of an older layout stay as they are:
/// runs from that time can no longer be taken back.
void RecordsByKey::rewrite_base(const journal::NamedValues& before,
                                const journal::NamedValues& after, const Keys& keys,
                                std::optional<std::string>& cells) const {
  const auto& now = change_.now;
  if (!cells || cells->size() != change_.width * sizeof(Digest::bits)) {
    return;
  }
  const auto was = unpack_digests(*cells);
  const auto new_key = key_from(keys.now);
  std::vector<Digest> next;
  for (std::size_t i = 0; i < now.columns.size(); ++i) {
    const auto& key = now.digest_keys[i];
    if (const auto k = std::ranges::find(now.relation.key, i); k != now.relation.key.end()) {
      next.push_back(digest_cell(key, keys.now,
                                 new_key[static_cast<std::size_t>(k - now.relation.key.begin())]));
      continue;
    }
    if (!change_.places[i]) {
      next.push_back(digest_cell(key, keys.now, Value{}));
      continue;
    }
    const auto old = was[*change_.places[i]];
    auto digest = unknown_digest(unknown_key_, old);
    for (const auto* image : {&before, &after}) {
      for (const auto& [name, value] : *image) {
        if (column(name) == i && digest_cell(key, keys.was, value) == old) {
          digest = digest_cell(key, keys.now, value);
        }
      }
    }
    next.push_back(digest);
  }
  cells = pack(next);
}

void RecordsByKey::rewrite(db::JournalRow& row) const {
  const auto keys = keys_of(row.key_text);
  if (!keys) {
    return;
  }
  const auto before = row.before ? journal::read_cells(*row.before) : journal::NamedValues{};
  const auto after = row.after ? journal::read_cells(*row.after) : journal::NamedValues{};
  const bool parts = row.base.moved && db::widen(row.base);
  for (auto* cells : {&row.base.before, &row.base.after}) {
    rewrite_base(before, after, *keys, *cells);
  }
  if (parts) {
    row.base = db::base_move(row.base.before, row.base.after);
  }
  row.key_text = key_text(keys->now);
}

void RecordsByKey::rewrite(db::ConflictRow& row) const {
  auto conflict = journal::from_row(row);
  const auto keys = keys_of(conflict.key_text);
  if (!keys) {
    return;
  }
  conflict.key_text = key_text(keys->now);
  for (auto& cell : conflict.cells) {
    const auto at = column(cell.column);
    const auto was = cell.digest;
    const auto& digest_keys = change_.now.digest_keys;
    const bool known =
        at && cell.primary && digest_cell(digest_keys[*at], keys->was, *cell.primary) == was;
    if (was != Digest{}) {
      cell.digest = known ? digest_cell(digest_keys[*at], keys->now, *cell.primary)
                          : unknown_digest(unknown_key_, was);
    }
  }
  for (auto& [name, digest] : conflict.unwritten) {
    digest = unknown_digest(unknown_key_, digest);  // until the next run, which reads the values
  }
  const auto epoch = row.epoch;
  row = journal::to_row(conflict, id_key_);
  row.epoch = epoch;
}

void RecordsByKey::rewrite(db::Books& books) const {
  const auto id = change_.now.relation.id;
  books.rewrite_journal([&](db::JournalRow& row) {
    if (row.tracked == id) {
      rewrite(row);
    }
  });
  books.rewrite_conflicts([&](db::ConflictRow& row) {
    if (row.tracked == id) {
      rewrite(row);
    }
  });
  books.rewrite_quarantine([&](db::QuarantineRow& row) {
    if (row.tracked == id && row.key_text != journal::kNoKey) {
      const auto keys = keys_of(row.key_text);
      row.key_text = keys ? key_text(keys->now)
                          : std::string(journal::kNoKey);  // until the next run, which looks again
    }
  });
}

}  // namespace abgleich::sync
