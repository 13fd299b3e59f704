#include "sync/rotate/rekeyed_records.hpp"

#include "mask/masker.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>

namespace abgleich::sync {

namespace {

/// As journal::cells_text writes them.
std::string text_of(const journal::NamedValues& cells) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : cells) {
    json[name] = to_text(value);
  }
  return json.dump();
}

using journal::kNoKey;

}  // namespace

mask::Rekeying* Rekeyings::of(const contract::Column& column, const Type& source) {
  if (column.cls != contract::Class::pseudonym) {
    return nullptr;
  }
  return of(mask::recipe_of(column, source));
}

mask::Rekeying* Rekeyings::of(const MadeWith& pseudonym) {
  return of(mask::Recipe{.identity = pseudonym.identity,
                         .format = pseudonym.format,
                         .normaliser = pseudonym.normaliser});
}

mask::Rekeying* Rekeyings::of(const mask::Recipe& recipe) {
  auto& rekeying = all_[{std::string(recipe.identity), recipe.normaliser, recipe.format}];
  if (!rekeying) {
    rekeying = std::make_unique<mask::Rekeying>(before_, now_, recipe);
  }
  return rekeying.get();
}

void Rekeyings::finish() {
  for (auto& [recipe, rekeying] : all_) {
    rekeying->finish();
  }
}

std::int64_t Rekeyings::orphans() const {
  std::int64_t orphans = 0;
  for (const auto& [recipe, rekeying] : all_) {
    orphans += rekeying->orphans();
  }
  return orphans;
}

RekeyedTable::RekeyedTable(const ExportedTable& exported, Rekeyings& rekeyings,
                           const mask::Keyring& now)
    : exported_(exported), unknown_key_(now.purpose_key("unknown digest")) {
  for (std::size_t i = 0; i < exported.columns.size(); ++i) {
    rekeyings_.push_back(rekeyings.of(*exported.columns[i], exported.sources[i]->type));
    digest_keys_.push_back(
        now.digest_key(std::to_string(exported.relation.id), exported.labels[i]));
  }
  for (const auto& column : exported.layout.columns) {
    if (column.state != ColumnState::exported && column.pseudonym) {
      kept_.push_back({.column = &column, .rekeying = rekeyings.of(*column.pseudonym)});
    }
  }
}

void RekeyedTable::rekey(const Row& was, Row& row) const {
  row.cells.resize(was.cells.size());
  for (std::size_t i = 0; i < was.cells.size(); ++i) {
    row.cells[i].set(was.cells[i].kind(), was.cells[i].bytes());
    if (rekeyings_[i] != nullptr) {
      rekeyings_[i]->rekey(row.cells[i]);
    }
  }
}

void RekeyedTable::digest(const Row& row, std::vector<Digest>& digests) {
  digest_row(exported_.relation, digest_keys_, row, key_bytes_, digests);
}

Digest unknown_digest(const SipKey& key, Digest was) {
  std::array<std::uint8_t, sizeof was.bits> bytes{};
  std::memcpy(bytes.data(), &was.bits, bytes.size());
  return {siphash(key, bytes)};
}

Digest RekeyedTable::unknown(Digest was) const {
  return unknown_digest(unknown_key_, was);
}

std::optional<std::size_t> RekeyedTable::column(std::string_view name) const {
  const auto& columns = exported_.relation.columns;
  const auto found = std::ranges::find(columns, name, &db::RelationColumn::name);
  if (found == columns.end()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - columns.begin());
}

void RekeyedTable::rekey(std::string_view column, Value& value) const {
  if (auto* const rekeying = rekeying_of(column)) {
    rekeying->rekey(value);
  }
}

mask::Rekeying* RekeyedTable::rekeying_of(std::string_view name) const {
  const auto at = column(name);
  if (at && rekeyings_[*at] != nullptr) {
    return rekeyings_[*at];
  }
  const auto had = [&](const Remembered& column) {
    return column.name == name || std::ranges::find(column.formerly, name) != column.formerly.end();
  };
  // The name may now belong to another column, one without pseudonyms. Text and UUIDs show by their
  // form whether they are pseudonyms. Integers do not, so they stay as they are.
  const auto safe = [&](const mask::Rekeying* rekeying) {
    return rekeying != nullptr && (!at || rekeying->learns());
  };
  for (const auto& kept : kept_) {
    if (had(*kept.column) && safe(kept.rekeying)) {
      return kept.rekeying;
    }
  }
  for (std::size_t i = 0; i < rekeyings_.size(); ++i) {
    if (had(exported_.layout.columns[i]) && safe(rekeyings_[i])) {
      return rekeyings_[i];
    }
  }
  return nullptr;
}

std::string RekeyedTable::rekeyed(const std::string& cells) const {
  auto values = journal::read_cells(cells);
  for (auto& [name, value] : values) {
    rekey(name, value);
  }
  return text_of(values);
}

std::string RekeyedTable::key_bytes(const journal::NamedValues& key) const {
  std::string bytes;
  for (const auto i : exported_.relation.key) {
    const auto& name = exported_.relation.columns[i].name;
    const auto found = std::ranges::find(key, name, &journal::NamedValue::first);
    append_key_bytes(found != key.end() ? found->second : Value{}, bytes);
  }
  return bytes;
}

void RekeyedTable::rewrite_base(const journal::NamedValues& before,
                                const journal::NamedValues& after, const std::string& was_key,
                                const std::string& key, std::optional<std::string>& cells) {
  if (!cells) {
    return;
  }
  auto digests = unpack_digests(*cells);
  const bool same_layout = digests.size() == exported_.columns.size();
  std::vector<Digest> now;
  now.reserve(digests.size());
  for (const auto digest : digests) {
    now.push_back(unknown(digest));
  }
  for (const auto* image : {&before, &after}) {
    for (const auto& [name, value] : *image) {
      const auto at = column(name);
      if (!same_layout || !at ||
          digest_cell(exported_.digest_keys[*at], was_key, value) != digests[*at]) {
        continue;
      }
      auto fresh = value;
      rekey(name, fresh);
      now[*at] = digest_cell(digest_keys_[*at], key, fresh);
    }
  }
  cells = pack(now);
}

void RekeyedTable::rewrite(db::JournalRow& row) {
  const auto was_key = journal::read_cells(row.key_text);
  if (was_key.empty()) {
    return;  // a note on the table as a whole
  }
  auto key = was_key;
  for (auto& [name, value] : key) {
    rekey(name, value);
  }
  const auto before = row.before ? journal::read_cells(*row.before) : journal::NamedValues{};
  const auto after = row.after ? journal::read_cells(*row.after) : journal::NamedValues{};
  const auto was_bytes = key_bytes(was_key);
  const auto bytes = key_bytes(key);
  const bool parts = row.base.moved && db::widen(row.base);
  for (auto* cells : {&row.base.before, &row.base.after}) {
    rewrite_base(before, after, was_bytes, bytes, *cells);
  }
  if (parts) {
    row.base = db::base_move(row.base.before, row.base.after);
  }
  row.key_text = text_of(key);
  if (row.before) {
    row.before = rekeyed(*row.before);
  }
  if (row.after) {
    row.after = rekeyed(*row.after);
  }
}

void RekeyedTable::rewrite(db::QuarantineRow& row) const {
  if (row.key_text != kNoKey) {
    row.key_text = journal::in_ascii(rekeyed(row.key_text));
  }
}

void RekeyedTable::rewrite(db::ConflictRow& row, const SipKey& id_key) {
  auto conflict = journal::from_row(row);
  const auto was_key = journal::read_cells(conflict.key_text);
  conflict.key_text = rekeyed(conflict.key_text);
  const auto was_bytes = key_bytes(was_key);
  const auto bytes = key_bytes(journal::read_cells(conflict.key_text));
  for (auto& cell : conflict.cells) {
    const auto at = column(cell.column);
    const auto was = cell.digest;
    const bool known = at && cell.primary &&
                       digest_cell(exported_.digest_keys[*at], was_bytes, *cell.primary) == was;
    for (auto* side : {&cell.primary, &cell.secondary}) {
      if (*side) {
        rekey(cell.column, **side);
      }
    }
    if (was != Digest{}) {
      cell.digest = known ? digest_cell(digest_keys_[*at], bytes, *cell.primary) : unknown(was);
    }
  }
  for (auto& [name, digest] : conflict.unwritten) {
    digest = unknown(digest);  // until the next run, which knows the values
  }
  const auto epoch = row.epoch;
  row = journal::to_row(conflict, id_key);
  row.epoch = epoch;
}

}  // namespace abgleich::sync
