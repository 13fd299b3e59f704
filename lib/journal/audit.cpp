#include "journal/audit.hpp"

#include "journal/head.hpp"

#include <fmt/format.h>

#include <utility>

namespace abgleich::journal {

namespace {

/// A damaged table of a hundred thousand runs is not to be told run by run.
constexpr std::size_t kTold = 20;

constexpr const char* kHint =
    "restore the secondary from its backup, then run: abgleich adopt --reason TEXT; or, where that "
    "cannot be, look at it and accept it: abgleich verify --repair-base --reason TEXT";

class Audit {
 public:
  Audit(db::Books& books, const db::HeadRow& head) : books_(books), head_(head) {}

  std::vector<Damage> run() {
    std::optional<db::RunRow> last;
    books_.each_run([&](const db::RunRow& row) {
      follow(last, row);
      if (row.kind == kRepair) {
        found_.clear();
        accepted_ = row.epoch;
      }
      check_hash(row);
      last = row;
    });
    if (!last || last->epoch != head_.epoch || last->hash != head_.hash || last->id != head_.run) {
      found(fmt::format("the head names run {}, but the last run is {}", head_.run,
                        last ? last->id : "missing"));
    }
    books_.unsealed_journal([&](std::int64_t epoch, std::int64_t entries, std::int64_t sealed) {
      // a repair writes no entries of the runs before it, but its own are to be there
      if (epoch >= accepted_) {
        found(fmt::format("the journal of run {} has {} entries, but the run has left {}", epoch,
                          entries, sealed));
      }
    });
    const auto untracked = books_.count_untracked();
    name_no_table(untracked.conflicts, "conflicts");
    name_no_table(untracked.quarantined, "quarantined rows");
    if (accepted_ == 0) {
      name_no_table(untracked.journal, "journal entries");
    }
    return std::move(found_);
  }

 private:
  void found(std::string what) {
    if (found_.size() < kTold) {
      found_.push_back({.what = std::move(what), .hint = kHint});
    }
  }

  void name_no_table(std::int64_t rows, std::string_view what) {
    if (rows > 0) {
      found(fmt::format("{} {} name a table that is not tracked", rows, what));
    }
  }

  /// Whether `row` is the one that follows `last`.
  void follow(const std::optional<db::RunRow>& last, const db::RunRow& row) {
    const std::int64_t expected = last ? last->epoch + 1 : 1;
    if (row.epoch != expected) {
      found(fmt::format("between epochs {} and {} runs are missing", expected - 1, row.epoch));
    } else if (row.previous != (last ? last->hash : "")) {
      found(fmt::format("run {} does not follow the run before it", row.id));
    }
  }

  void check_hash(const db::RunRow& row) {
    auto again = row;
    chain(row.previous.empty() ? std::nullopt : std::optional(db::HeadRow{.hash = row.previous}),
          head_.lineage, again);
    if (again.hash != row.hash || again.id != row.id) {
      found(fmt::format("run {} has been changed: its hash is not that of its fields", row.id));
    }
  }

  db::Books& books_;
  const db::HeadRow& head_;
  std::vector<Damage> found_;
  std::int64_t accepted_ = 0;  // epoch of the last repair
};

}  // namespace

std::vector<Damage> audit(db::Books& books, const db::HeadRow& head) {
  return Audit(books, head).run();
}

}  // namespace abgleich::journal
