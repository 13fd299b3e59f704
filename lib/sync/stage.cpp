#include "sync/stage.hpp"

#include "core/digest.hpp"
#include "journal/record.hpp"
#include "mask/masker.hpp"
#include "sync/rarity.hpp"

#include <string>
#include <utility>
#include <vector>

namespace abgleich::sync {

namespace {

constexpr std::int64_t kProgressEvery = 10'000;

/// Takes the rows of one table from the source to the stage.
class Stager {
 public:
  Stager(db::Source& source, db::Target& target, const ExportedTable& exported,
         const mask::Keyring& keyring)
      : target_(target),
        exported_(exported),
        masker_(*exported.table, exported.columns, types_of(exported), keyring),
        rarity_(source, exported, keyring),
        stage_(target, exported.relation,
               [this](std::int64_t row, const std::string& state) { refused(row, state); }) {
    for (const auto& column : exported.relation.columns) {
      // a column of exactly the type that was made for it takes every value as it is
      fits_.push_back(column.type == column.held);
    }
  }

  void take(const RawRow& raw) {
    ++staged_.rows;
    const auto outcome = masker_.mask(raw, row_);
    if (outcome.refusal) {
      quarantine(outcome.refusal->column, outcome.refusal->reason, outcome.key_is_whole);
      return;
    }
    for (std::size_t i = 0; i < row_.cells.size(); ++i) {
      if (fits_[i] || row_.cells[i].is_null()) {
        continue;
      }
      if (const auto why =
              target_.dialect().fit(exported_.relation.columns[i].held, row_.cells[i])) {
        quarantine(i, std::string(*why), fit_key(i));
        return;
      }
    }
    if (rarity_.rare(row_)) {
      hold_whole(rarity_.reason());
      return;
    }
    digest_row(exported_, row_, key_bytes_, scratch_, digests_);
    remember();
    stage_.add(row_, pack(digests_));
    ++staged_.usable;
  }

  Staged finish() {
    stage_.flush();
    hold_late();
    stage_.finish();
    target_.hold_duplicates(exported_.relation, [&](const Row& key) {
      // at least two rows of the primary have this key; which of them is meant, nobody can say
      record(journal::key_text(exported_.relation, key), "", "the key occurs more than once");
    });
    return staged_;
  }

 private:
  static std::vector<Type> types_of(const ExportedTable& exported) {
    std::vector<Type> types;
    for (const auto* source : exported.sources) {
      types.push_back(source->type);
    }
    return types;
  }

  /// Fits the key cells that come after `failed` as well: only then may the key be staged.
  bool fit_key(std::size_t failed) {
    for (const auto i : exported_.relation.key) {
      if (i == failed ||
          (!fits_[i] && i > failed &&
           target_.dialect().fit(exported_.relation.columns[i].held, row_.cells[i]))) {
        return false;
      }
    }
    return true;
  }

  void record(const std::string& key, std::string_view column, std::string_view reason) {
    target_.books().found_quarantine({.tracked = exported_.relation.id,
                                      .key_text = key,
                                      .column = std::string(column),
                                      .reason = std::string(reason)});
  }

  void quarantine(std::size_t column, const std::string& reason, bool key_is_whole) {
    const auto& name = exported_.relation.columns[column].name;
    if (!key_is_whole) {
      ++staged_.nameless;
      record("null", name, reason);
      return;
    }
    record(journal::key_text(exported_.relation, row_), name, reason);
    remember();
    stage_.hold(row_);
  }

  /// The row as a whole is held back: its key is known.
  void hold_whole(const std::string& reason) {
    record(journal::key_text(exported_.relation, row_), "", reason);
    remember();
    stage_.hold(row_);
  }

  /// Keeps the keys of the rows that are on their way: the server refuses a row by its number.
  void remember() {
    if (on_their_way_ == kBatch) {
      stage_.flush();
      on_their_way_ = 0;
      first_on_the_way_ = added_;
    }
    if (recent_.size() == on_their_way_) {
      recent_.emplace_back();
    }
    auto& key = recent_[on_their_way_++];
    key.cells.resize(exported_.relation.key.size());
    for (std::size_t i = 0; i < key.cells.size(); ++i) {
      const auto& cell = row_.cells[exported_.relation.key[i]];
      key.cells[i].set(cell.kind(), cell.bytes());
    }
    ++added_;
  }

  void refused(std::int64_t row, const std::string& state) {
    Row key;
    key.cells.resize(exported_.relation.columns.size());
    const auto& known = recent_.at(static_cast<std::size_t>(row - first_on_the_way_));
    for (std::size_t i = 0; i < known.cells.size(); ++i) {
      key.cells[exported_.relation.key[i]] = known.cells[i];
    }
    record(journal::key_text(exported_.relation, key), "",
           "the secondary's types refuse it (" + state + ")");
    held_late_.push_back(std::move(key));
    --staged_.usable;
  }

  /// Rows that the server refused count as present: only their values are unknown.
  void hold_late() {
    if (held_late_.empty()) {
      return;
    }
    db::Target::Stage stage(target_, exported_.relation,
                            [this](std::int64_t, const std::string&) { ++staged_.nameless; });
    for (const auto& key : held_late_) {
      stage.hold(key);
    }
    stage.flush();
  }

  static constexpr std::size_t kBatch = 4096;

  db::Target& target_;
  const ExportedTable& exported_;
  mask::Masker masker_;
  Rarity rarity_;
  db::Target::Stage stage_;
  std::vector<bool> fits_;
  Row row_;
  std::string key_bytes_;
  std::string scratch_;
  std::vector<Digest> digests_;
  std::vector<Row> recent_;  // key cells only
  std::size_t on_their_way_ = 0;
  std::int64_t first_on_the_way_ = 0;
  std::int64_t added_ = 0;
  std::vector<Row> held_late_;
  Staged staged_;
};

}  // namespace

Staged stage_table(db::Source& source, db::Target& target, const ExportedTable& exported,
                   const mask::Keyring& keyring, Progress& progress) {
  Stager stager(source, target, exported, keyring);
  std::int64_t rows = 0;
  source.read(exported.table->name, exported.sources, [&](const RawRow& raw) {
    stager.take(raw);
    if (++rows % kProgressEvery == 0) {
      progress.at("read", exported.table->name, rows);
    }
  });
  return stager.finish();
}

}  // namespace abgleich::sync
