#include "sync/detect/stage.hpp"

#include "core/digest.hpp"
#include "db/secondary/target.hpp"
#include "journal/quarantine_cause.hpp"
#include "journal/record.hpp"
#include "sync/detect/k_anonymity.hpp"
#include "sync/detect/outgoing_row.hpp"

#include <array>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::sync {

namespace {

using journal::kNoKey;
using journal::QuarantineCause;

constexpr std::size_t kWords = 4 * sizeof(std::uint64_t);

/// Takes the rows of one table from the source to the stage.
class Stager {
 public:
  Stager(const TableReading& reading, CacheMatch* known, Into into)
      : table_(reading.table),
        exported_(reading.exported),
        known_(known),
        into_(into),
        out_(table_.target().dialect(), exported_, reading.keyring),
        rarity_(reading.source, exported_, reading.keyring),
        stage_(table_,
               [this](std::int64_t row, const std::string& state) { refused(row, state); }) {}

  /// Counts a row that is unchanged.
  void skip() {
    ++staged_.rows;
    ++staged_.usable;
  }

  void take(const RawRow& raw, const db::RowMark* mark) {
    ++staged_.rows;
    mark_.clear();
    if (mark != nullptr) {
      mark_ = pack(Mark{.row = mark->row, .key = mark->key, .place = std::string(mark->place)});
    }
    if (const auto fate = out_.make(raw); fate != OutgoingRow::Made::usable) {
      quarantine(fate);
      return;
    }
    if (rarity_.rare(out_.row())) {
      hold_rare();
      return;
    }
    const auto digests = out_.digest();
    if (into_.only_unequal != nullptr && into_.only_unequal->agrees(out_.key_bytes())) {
      ++staged_.usable;
      ++staged_.agreed;
      return;
    }
    if (into_.fill != nullptr) {
      into_.fill->add(out_.row(), digests);
    } else {
      remember();
      stage_.add(out_.row(), digests, mark_);
    }
    if (mark != nullptr) {
      known_->candidate({.row = mark->row, .key = mark->key, .key_bytes = out_.key_bytes()});
    }
    ++staged_.usable;
    ++staged_.looked_at;
  }

  Staged finish() {
    if (into_.fill != nullptr && added_ == 0) {
      return staged_;  // nothing is staged, and the secondary is busy with the previous table
    }
    stage_.flush();
    hold_back_late();
    stage_.finish();
    table_.hold_duplicates([&](const Row& key) {
      // several rows of the primary have this key, so all of them are held back
      record(journal::key_text(exported_.relation, key), "",
             text_of(QuarantineCause::repeated_key));
    });
    staged_.usable -= table_.hold_taken([&](const Row& key, const std::string& books) {
      record(journal::key_text(exported_.relation, key), "",
             text_of(QuarantineCause::taken, books));
    });
    const auto belonging = table_.hold_with_rare();
    staged_.rare += belonging;
    staged_.usable -= belonging;
    return staged_;
  }

 private:
  void record(const std::string& key, std::string_view column, std::string_view reason) {
    table_.target().books().found_quarantine(
        {.tracked = exported_.relation.id,
         .key_text = key == kNoKey ? key : journal::in_ascii(key),
         .column = std::string(column),
         .reason = std::string(reason)});
  }

  void quarantine(OutgoingRow::Made fate) {
    const auto& name = exported_.relation.columns[out_.column()].name;
    if (fate == OutgoingRow::Made::unresolved) {
      ++staged_.unresolved;
      record(std::string(kNoKey), name, out_.reason());
      return;
    }
    if (fate == OutgoingRow::Made::keyless) {
      ++staged_.keyless;
      record(std::string(kNoKey), name, out_.reason());
      return;
    }
    record(journal::key_text(exported_.relation, out_.row()), name, out_.reason());
    remember();
    stage_.hold(out_.row(), mark_);
    ++staged_.looked_at;
  }

  /// Holds the row back. The secondary must not learn which rows are rare, so this is not recorded
  /// there: only the temporary stage has their keys (`StagedTable::rare_rows`).
  void hold_rare() {
    ++staged_.rare;
    mark_ = db::kRareMark;
    remember();
    stage_.hold(out_.row(), mark_);
    ++staged_.looked_at;
  }

  /// Keeps the keys of rows that were sent and may still be refused: the server names a refused row
  /// only by its number.
  void remember() {
    if (on_their_way_ == kBatch) {
      stage_.flush();
      on_their_way_ = 0;
      first_on_the_way_ = added_;
    }
    if (recent_.size() == on_their_way_) {
      recent_.emplace_back();
      recent_marks_.emplace_back();
    }
    recent_marks_[on_their_way_] = mark_;
    auto& key = recent_[on_their_way_++];
    key.cells.resize(exported_.relation.key.size());
    for (std::size_t i = 0; i < key.cells.size(); ++i) {
      const auto& cell = out_.row().cells[exported_.relation.key[i]];
      key.cells[i].set(cell.kind(), cell.bytes());
    }
    ++added_;
  }

  void refused(std::int64_t row, const std::string& state) {
    Row key;
    key.cells.resize(exported_.relation.columns.size());
    const auto at = static_cast<std::size_t>(row - first_on_the_way_);
    const auto& known = recent_.at(at);
    for (std::size_t i = 0; i < known.cells.size(); ++i) {
      key.cells[exported_.relation.key[i]] = known.cells[i];
    }
    record(journal::key_text(exported_.relation, key), "",
           text_of(QuarantineCause::refused_by_type, state));
    held_back_late_.emplace_back(std::move(key), recent_marks_.at(at));
    --staged_.usable;
  }

  /// Stages the keys of rows that the server refused: they are in the primary, and only their
  /// values are not known.
  void hold_back_late() {
    if (held_back_late_.empty()) {
      return;
    }
    db::StageWriter stage(table_, [this](std::int64_t, const std::string&) {
      ++staged_.keyless;
      ++staged_.late;
    });
    for (const auto& [key, mark] : held_back_late_) {
      stage.hold(key, mark);
    }
    stage.flush();
  }

  static constexpr std::size_t kBatch = 4096;

  db::StagedTable& table_;
  const ExportedTable& exported_;
  CacheMatch* known_;
  Into into_;
  OutgoingRow out_;
  KAnonymity rarity_;
  db::StageWriter stage_;
  std::string mark_;
  std::vector<Row> recent_;  // key cells only
  std::vector<std::string> recent_marks_;
  std::size_t on_their_way_ = 0;
  std::int64_t first_on_the_way_ = 0;
  std::int64_t added_ = 0;
  std::vector<std::pair<Row, std::string>> held_back_late_;  // with their marks
  Staged staged_;
};

}  // namespace

std::string pack(const Mark& mark) {
  const std::array<std::uint64_t, 4> words{mark.row.low, mark.row.high, mark.key.low,
                                           mark.key.high};
  std::string bytes(kWords, '\0');
  std::memcpy(bytes.data(), words.data(), kWords);
  return bytes + mark.place;
}

std::optional<Mark> unpack_mark(std::string_view bytes) {
  if (bytes.size() < kWords) {
    return std::nullopt;
  }
  std::array<std::uint64_t, 4> words{};
  std::memcpy(words.data(), bytes.data(), kWords);
  return Mark{.row = {.low = words[0], .high = words[1]},
              .key = {.low = words[2], .high = words[3]},
              .place = std::string(bytes.substr(kWords))};
}

namespace {

Staged stage_read(const TableReading& reading, Stager& stager) {
  const auto& exported = reading.exported;
  std::int64_t rows = 0;
  reading.source.read(exported.table->name, exported.sources, [&](const RawRow& raw) {
    stager.take(raw, nullptr);
    if (++rows % kProgressEvery == 0) {
      reading.progress.at("read", exported.table->name, rows);
    }
  });
  return stager.finish();
}

}  // namespace

Staged stage_table(const TableReading& reading) {
  Stager stager(reading, nullptr, {});
  return stage_read(reading, stager);
}

Staged stage_unequal(const TableReading& reading, const BucketChecksums& checksums) {
  Stager stager(reading, nullptr, {.only_unequal = &checksums});
  return stage_read(reading, stager);
}

Staged stage_unknown(const TableReading& reading, const CachedScan& scan, Into into) {
  Stager stager(reading, &scan.known, into);
  std::int64_t rows = 0;
  reading.source.read(
      scan.rows, scan.fingerprinter,
      [&](const db::RowMark& mark) {
        if (++rows % kProgressEvery == 0) {
          reading.progress.at("read", reading.exported.table->name, rows);
        }
        const bool skip = scan.is_known(mark);
        if (skip) {
          stager.skip();
        }
        return skip;
      },
      [&](const RawRow& raw, const db::RowMark& mark) { stager.take(raw, &mark); });
  return stager.finish();
}

}  // namespace abgleich::sync
