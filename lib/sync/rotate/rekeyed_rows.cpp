#include "sync/rotate/rekeyed_rows.hpp"

#include "db/secondary/target.hpp"
#include "sync/rotate/rekeyed_records.hpp"

#include <algorithm>
#include <utility>

namespace abgleich::sync {

namespace {

KeyCells key_of(const std::vector<std::size_t>& columns, const Row& row) {
  KeyCells key;
  for (const auto i : columns) {
    key.push_back(row.cells[i]);
  }
  return key;
}

bool has_null(const KeyCells& key) {
  return std::ranges::any_of(key, &Value::is_null);
}

}  // namespace

RekeyedRows::RekeyedRows(db::StagedTable& table, const KeyChange& change,
                         const ExportedTable& reading, const mask::Keyring& keyring)
    : table_(table),
      change_(change),
      reading_(reading),
      out_(table.target().dialect(), reading, keyring),
      unknown_key_(keyring.purpose_key("unknown digest")),
      rows_(table, change.now.relation) {}

std::string RekeyedRows::key_bytes(const db::Relation& relation, const Row& row) const {
  std::string bytes;
  key_bytes_of(relation, row, bytes);
  return bytes;
}

void RekeyedRows::digest(const Row& row, const std::string& key,
                         std::vector<Digest>& digests) const {
  const auto& keys = change_.now.digest_keys;
  digests.resize(keys.size());
  RowDigester(key).digest(keys, row.cells, digests);
}

std::vector<Digest> RekeyedRows::base_of(const db::Pair& pair) const {
  auto base = unpack_digests(*pair.base_digests);
  if (base.size() != change_.width) {
    damaged_base(change_.before.source);
  }
  return base;
}

/// Whether the row's cells in the columns of the new key are still those that the primary gave it.
bool RekeyedRows::bears_out(const Row& row, const std::string& old_key,
                            const std::vector<Digest>& base) const {
  return std::ranges::all_of(change_.now.relation.key, [&](std::size_t i) {
    return digest_cell(change_.now.digest_keys[i], old_key, row.cells[i]) ==
           base[*change_.places[i]];
  });
}

void RekeyedRows::learn_from_secondary() {
  const auto& columns = change_.now.relation.key;
  table_.missing_pairs([&](db::Pair& pair) {
    auto old_key = key_bytes(change_.before, pair.primary);
    auto base = base_of(pair);
    if (pair.in_secondary && bears_out(pair.secondary, old_key, base)) {
      known_.emplace(bytes_of(key_of(columns, pair.secondary)), std::move(old_key));
    } else {
      unresolved_.push_back({.old_key = std::move(old_key), .base = std::move(base)});
    }
  });
}

/// The old key of a row of the primary. Where people have deleted the row in the secondary, or
/// edited its new key there, the base still tells which row it is.
std::optional<std::string> RekeyedRows::old_key_of(const Row& row, const std::string& new_key) {
  if (change_.old_key_exported) {
    return key_bytes(change_.before, row);
  }
  if (const auto found = known_.find(new_key); found != known_.end()) {
    return found->second;
  }
  for (auto& one : unresolved_) {
    if (!one.found && bears_out(row, one.old_key, one.base)) {
      one.found = true;
      return one.old_key;
    }
  }
  return std::nullopt;
}

bool RekeyedRows::note(const std::string& old_key, const std::string& new_key) {
  const auto added = keys_.add(old_key, new_key);
  obstacles_.alike += added == NewKeys::Added::old_key_known ? 1 : 0;
  obstacles_.repeated += added == NewKeys::Added::new_key_taken ? 1 : 0;
  return added == NewKeys::Added::yes;
}

void RekeyedRows::learn(db::Source& source, Progress& progress) {
  if (!change_.old_key_exported) {
    learn_from_secondary();
  }
  db::StageWriter stage(table_, [](std::int64_t, const std::string&) {});
  const auto& new_key = change_.now.relation.key;
  std::int64_t rows = 0;
  Row staged;
  std::vector<Digest> digests;
  source.read(change_.now.table->name, reading_.sources, [&](const RawRow& raw) {
    if (++rows % kProgressEvery == 0) {
      progress.at("rekey", change_.now.table->name, rows);
    }
    const auto fate = out_.make(raw);
    if (fate == OutgoingRow::Made::unresolved) {
      return;
    }
    if (fate == OutgoingRow::Made::keyless) {
      // one that has no old key is a new row, and comes with the next run
      obstacles_.keyless += std::ranges::find(new_key, out_.column()) != new_key.end() ? 1 : 0;
      return;
    }
    const auto becomes = bytes_of(key_of(new_key, out_.row()));
    const auto old_key = old_key_of(out_.row(), becomes);
    if (!old_key) {
      return;  // a new row, too
    }
    if (!note(*old_key, becomes)) {
      return;
    }
    if (fate == OutgoingRow::Made::held_back) {
      return;  // base and data get the new key and stay as they are otherwise
    }
    staged.cells = out_.row().cells;
    staged.cells.resize(change_.before.columns.size());
    const auto cells = key_from(*old_key);
    for (std::size_t k = 0; k < cells.size(); ++k) {
      staged.cells[change_.before.key[k]] = cells[k];
    }
    digest(staged, *old_key, digests);
    stage.add(staged, pack(digests));
  });
  stage.finish();
}

void RekeyedRows::run() {
  const auto take = [this](db::Pair& pair) { this->take(pair); };
  table_.staged_pairs(take);
  table_.missing_pairs(take);
  table_.secondary_only(take);
  rows_.finish();
}

/// The new key of a row for which the primary gives none: what the secondary has in those columns,
/// else the old key, if all columns of both are text. Empty where neither will do.
std::optional<std::string> RekeyedRows::own_key(const db::Pair& pair) const {
  const auto& now = change_.now.relation;
  if (pair.in_secondary) {
    auto key = key_of(now.key, pair.secondary);
    if (!has_null(key)) {
      return bytes_of(key);
    }
  }
  const auto& before = change_.before;
  const auto fits = [&](std::size_t k) {
    return now.columns[now.key[k]].type.family == Family::text &&
           before.columns[before.key[k]].type.family == Family::text;
  };
  if (before.key.size() != now.key.size()) {
    return std::nullopt;
  }
  for (std::size_t k = 0; k < now.key.size(); ++k) {
    if (!fits(k)) {
      return std::nullopt;
    }
  }
  return bytes_of(key_of(before.key, pair.primary));
}

void RekeyedRows::take(db::Pair& pair) {
  const auto& now = change_.now.relation;
  const auto& before = change_.before;
  in_primary_ = pair.primary_digests.has_value();
  in_secondary_ = pair.in_secondary;
  if (!pair.base_digests && !in_secondary_) {
    return;  // a new row
  }
  const auto old_key = key_bytes(before, pair.primary);
  base_rows_ += pair.base_digests ? 1 : 0;
  auto new_key = keys_.find(old_key);
  const bool told = new_key.has_value();
  if (!told) {
    obstacles_.lost += pair.base_digests ? 1 : 0;
    new_key = own_key(pair);
    if (!new_key) {
      ++obstacles_.nameless;
      return;
    }
    if (!note(old_key, *new_key)) {
      return;
    }
  }
  const auto cells = key_from(*new_key);
  const auto base = pair.base_digests ? std::optional(base_of(pair)) : std::nullopt;
  auto data = db::RekeyWriter::Data::as_it_is;
  if (in_secondary_) {
    const auto theirs = key_of(now.key, pair.secondary);
    if (theirs != cells) {
      data = db::RekeyWriter::Data::changes;
      const bool edited =
          std::ranges::any_of(theirs, [](const Value& cell) { return !cell.is_null(); }) &&
          (!base || !change_.new_key_known() || !bears_out(pair.secondary, old_key, *base));
      obstacles_.edited += edited ? 1 : 0;
    }
    db::respell_key(before, pair.primary, pair.secondary);
    digest(pair.secondary, old_key, was_secondary_);
    for (std::size_t k = 0; k < cells.size(); ++k) {
      pair.secondary.cells[now.key[k]] = cells[k];
    }
    digest(pair.secondary, *new_key, now_secondary_);
  }
  if (in_primary_) {
    was_primary_ = unpack_digests(*pair.primary_digests);
    digest(pair.primary, *new_key, now_primary_);
  }
  auto& row = in_secondary_ ? pair.secondary : pair.primary;
  for (std::size_t k = 0; k < cells.size(); ++k) {
    row.cells[now.key[k]] = cells[k];
  }
  const Row was{.cells = pair.primary.cells};
  rows_.add(was, row, data, base ? std::optional(next_base(*base, *new_key)) : std::nullopt);
}

std::string RekeyedRows::next_base(const std::vector<Digest>& base,
                                   const std::string& new_key) const {
  const auto& now = change_.now.relation;
  const auto cells = key_from(new_key);
  std::vector<Digest> next;
  for (std::size_t i = 0; i < change_.now.columns.size(); ++i) {
    if (const auto k = std::ranges::find(now.key, i); k != now.key.end()) {
      next.push_back(digest_cell(change_.now.digest_keys[i], new_key,
                                 cells[static_cast<std::size_t>(k - now.key.begin())]));
    } else if (!change_.places[i]) {
      next.push_back(digest_cell(change_.now.digest_keys[i], new_key, Value{}));
    } else if (const auto was = base[*change_.places[i]]; in_primary_ && was == was_primary_[i]) {
      next.push_back(now_primary_[i]);
    } else if (in_secondary_ && was == was_secondary_[i]) {
      next.push_back(now_secondary_[i]);
    } else {
      next.push_back(unknown_digest(unknown_key_, was));
    }
  }
  return pack(next);
}

}  // namespace abgleich::sync
