#include "sync/verify/compare.hpp"

#include "db/secondary/data_table.hpp"
#include "db/secondary/row_bytes.hpp"
#include "sync/detect/outgoing_row.hpp"

#include <atomic>
#include <exception>
#include <string>
#include <thread>
#include <vector>

namespace abgleich::sync {

namespace {

/// Thrown to stop one side once the other has failed.
struct Abandoned {};

/// The secondary's half: the base and the data, one after the other.
class SecondaryHalf {
 public:
  SecondaryHalf(db::Target& target, const LocatedTable& exported, BucketChecksums& sides,
                std::atomic<bool>& failed)
      : target_(target), exported_(exported), sides_(sides), failed_(failed) {}

  db::MeasuredBase run() {
    const auto& relation = exported_.relation;
    std::string key_bytes;
    const auto base =
        db::BaseTable(target_, relation).read([&](const Row& key, std::string_view cells) {
          go_on();
          key_bytes_of(relation, key, key_bytes);
          sides_.add_base(key_bytes, cells);
        });
    db::DataTable(target_, exported_.located()).read([&](const Row& key, std::string_view bytes) {
      go_on();
      key_bytes_of(relation, key, key_bytes);
      sides_.add_secondary(key_bytes, bytes);
    });
    return base;
  }

 private:
  void go_on() const {
    if (failed_.load(std::memory_order_relaxed)) {
      throw Abandoned();
    }
  }

  db::Target& target_;
  const LocatedTable& exported_;
  BucketChecksums& sides_;
  std::atomic<bool>& failed_;
};

/// The primary's half. To be made before the secondary's thread starts, since it asks the
/// secondary's dialect.
class PrimaryHalf {
 public:
  PrimaryHalf(const db::Target& target, const ExportedTable& exported, const mask::Keyring& keyring,
              BucketChecksums& sides, const std::atomic<bool>& failed)
      : exported_(exported),
        sides_(sides),
        failed_(failed),
        out_(target.dialect(), exported, keyring),
        bytes_(target.dialect(), exported.relation) {}

  void run(db::Source& source, Progress& progress, Compared& compared) {
    std::int64_t rows = 0;
    source.read(exported_.table->name, exported_.sources, [&](const RawRow& raw) {
      if (failed_.load(std::memory_order_relaxed)) {
        throw Abandoned();
      }
      if (++rows % kProgressEvery == 0) {
        progress.at("read", exported_.table->name, rows);
      }
      add(raw, compared);
    });
  }

 private:
  void add(const RawRow& raw, Compared& compared) {
    switch (out_.make(raw)) {
      case OutgoingRow::Made::usable: {
        const auto digests = out_.digest();
        sides_.add_primary(out_.key_bytes(), digests, bytes_.of(out_.row()));
        ++compared.usable;
        return;
      }
      case OutgoingRow::Made::held_back:
        key_bytes_of(exported_.relation, out_.row(), key_bytes_);
        sides_.mark_unequal(key_bytes_);
        return;
      case OutgoingRow::Made::keyless:
        ++compared.keyless;
        return;
      case OutgoingRow::Made::unresolved:
        return;
    }
  }

  const ExportedTable& exported_;
  BucketChecksums& sides_;
  const std::atomic<bool>& failed_;
  OutgoingRow out_;
  db::RowBytes bytes_;
  std::string key_bytes_;
};

}  // namespace

bool may_compare(const db::Target& target, const ExportedTable& exported) {
  return target.stand_ins().none(exported.relation) &&
         (exported.table->min_k < 2 || exported.table->quasi_identifiers.empty());
}

Compared compare(db::Source& source, db::Target& target, const LocatedTable& exported,
                 const mask::Keyring& keyring, BucketChecksums& sides, Progress& progress) {
  Compared compared;
  std::atomic<bool> failed = false;
  PrimaryHalf primary(target, exported, keyring, sides, failed);
  std::exception_ptr secondary_failed;
  std::exception_ptr primary_failed;
  {
    std::jthread other([&] {
      try {
        compared.base = SecondaryHalf(target, exported, sides, failed).run();
      } catch (const Abandoned&) {
        return;  // the primary's failure is reported
      } catch (...) {
        secondary_failed = std::current_exception();
        failed = true;
      }
    });
    try {
      primary.run(source, progress, compared);
    } catch (const Abandoned&) {
      // the secondary's failure is reported
    } catch (...) {
      primary_failed = std::current_exception();
      failed = true;
    }
  }
  for (const auto& failure : {primary_failed, secondary_failed}) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
  sides.finish();
  return compared;
}

}  // namespace abgleich::sync
