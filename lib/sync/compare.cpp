#include "sync/compare.hpp"

#include "db/row_bytes.hpp"
#include "sync/outgoing_row.hpp"

#include <atomic>
#include <exception>
#include <string>
#include <thread>
#include <vector>

namespace abgleich::sync {

namespace {

/// The other side has failed: what is still to come here is of no use.
struct Abandoned {};

/// The secondary's half: the base and the data, one after the other.
class SecondaryHalf {
 public:
  SecondaryHalf(db::Target& target, const ExportedTable& exported, Sides& sides,
                std::atomic<bool>& failed)
      : target_(target), exported_(exported), sides_(sides), failed_(failed) {}

  db::Target::Base run() {
    const auto& relation = exported_.relation;
    std::string key_bytes;
    const auto base = target_.read_base(relation, [&](const Row& key, std::string_view cells) {
      go_on();
      key_bytes_of(relation, key, key_bytes);
      sides_.add_base(key_bytes, cells);
    });
    target_.read_data(relation, [&](const Row& key, std::string_view bytes) {
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
  const ExportedTable& exported_;
  Sides& sides_;
  std::atomic<bool>& failed_;
};

void read_primary(db::Source& source, OutgoingRow& out, db::RowBytes& bytes,
                  const ExportedTable& exported, Sides& sides, const std::atomic<bool>& failed,
                  Progress& progress, Compared& compared) {
  std::int64_t rows = 0;
  std::string key_bytes;
  source.read(exported.table->name, exported.sources, [&](const RawRow& raw) {
    if (failed.load(std::memory_order_relaxed)) {
      throw Abandoned();
    }
    if (++rows % kProgressEvery == 0) {
      progress.at("read", exported.table->name, rows);
    }
    switch (out.make(raw)) {
      case OutgoingRow::Fate::usable: {
        const auto digests = out.digest();
        sides.add_primary(out.key_bytes(), digests, bytes.of(out.row()));
        ++compared.usable;
        return;
      }
      case OutgoingRow::Fate::held:
        key_bytes_of(exported.relation, out.row(), key_bytes);
        sides.doubt(key_bytes);
        return;
      case OutgoingRow::Fate::nameless:
        ++compared.nameless;
        return;
    }
  });
}

}  // namespace

bool may_compare(const db::Target& target, const ExportedTable& exported) {
  return target.stands(exported.relation) &&
         (exported.table->min_k < 2 || exported.table->quasi_identifiers.empty());
}

Compared compare(db::Source& source, db::Target& target, const ExportedTable& exported,
                 const mask::Keyring& keyring, Sides& sides, Progress& progress) {
  OutgoingRow out(target.dialect(), exported, keyring);
  db::RowBytes bytes(target.dialect(), exported.relation);
  Compared compared;
  std::atomic<bool> failed = false;
  std::exception_ptr secondary_failed;
  std::exception_ptr primary_failed;
  {
    std::jthread other([&] {
      try {
        compared.base = SecondaryHalf(target, exported, sides, failed).run();
      } catch (const Abandoned&) {
        return;  // the reason is the primary's
      } catch (...) {
        secondary_failed = std::current_exception();
        failed = true;
      }
    });
    try {
      read_primary(source, out, bytes, exported, sides, failed, progress, compared);
    } catch (const Abandoned&) {
      // the reason is the secondary's
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
