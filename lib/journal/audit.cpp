#include "journal/audit.hpp"

#include "journal/head.hpp"
#include "journal/run_kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <utility>

namespace abgleich::journal {

namespace {

/// The most findings of one kind that are listed: of a hundred thousand damaged runs, not every one
/// is to be reported.
constexpr std::size_t kTold = 20;

constexpr const char* kHint =
    "restore the secondary from its backup, then run: abgleich adopt --reason TEXT; or, where that "
    "cannot be, look at it and accept it: abgleich verify --repair-base --reason TEXT";

/// What the rows of a table are called in messages.
struct Names {
  std::string_view one;
  std::string_view many;
};
const std::map<std::string_view, Names> kSets{
    {"conflict", {"conflict", "conflicts"}},
    {"fact", {"fact", "facts"}},
    {"quarantine", {"quarantined row", "quarantined rows"}},
    {"tracked", {"remembered table", "remembered tables"}}};

class Audit {
 public:
  Audit(db::Books& books, const db::HeadRow& head) : books_(books), head_(head) {}

  Findings run() {
    look_at_head();
    follow_runs();
    look_at_sets();
    Listed journals;
    const auto untracked_entries =
        books_.inspect_journal([&](std::int64_t epoch, const db::Books::Inspection& journal) {
          findings_.journals.push_back(epoch);
          journals.add(
              journal.forged > 0 && journal.rows == journal.left
                  ? fmt::format("{} in the journal of run {} {}", entries(journal.forged), epoch,
                                not_ours(journal.forged))
              : journal.rows == journal.left
                  ? fmt::format("the journal of run {} has other entries than the run has left",
                                epoch)
                  : fmt::format("the journal of run {} has {} entries, but the run has left {}",
                                epoch, journal.rows, journal.left));
        });
    list(std::move(journals), "journals");
    const auto untracked = books_.count_untracked();
    name_no_table(untracked.conflicts, "conflicts");
    name_no_table(untracked.quarantined, "quarantined rows");
    if (accepted_ == 0) {
      name_no_table(untracked_entries, "journal entries");
    }
    std::ranges::move(found_, std::back_inserter(findings_.damage));
    return std::move(findings_);
  }

 private:
  /// What was found of one kind: the first findings, and how many there are.
  struct Listed {
    std::vector<std::string> first;
    std::size_t count = 0;

    void add(std::string what) {
      if (count++ < kTold) {
        first.push_back(std::move(what));
      }
    }
  };

  void found(std::string what) { found_.push_back({.what = std::move(what), .hint = kHint}); }

  void list(Listed listed, std::string_view of) {
    for (auto& what : listed.first) {
      found(std::move(what));
    }
    if (listed.count > listed.first.size()) {
      found(fmt::format("{} more {} are damaged", listed.count - listed.first.size(), of));
    }
  }

  void name_no_table(std::int64_t rows, std::string_view what) {
    if (rows > 0) {
      found(fmt::format("{} {} name a table that is not tracked", rows, what));
    }
  }

  static std::string entries(std::int64_t count) {
    return count == 1 ? "1 entry" : fmt::format("{} entries", count);
  }
  static std::string not_ours(std::int64_t count) {
    return count == 1 ? "is not as a run has left it" : "are not as a run has left them";
  }

  void look_at_head() {
    using Written = db::Books::Written;
    const auto written = books_.who_wrote(head_);
    findings_.head_forged = written == Written::other_head;
    findings_.seals_forged = written != Written::by_us;
    if (written == Written::other_seals) {
      found("the seals are not those that the last run has left");
    }
  }

  void follow_runs() {
    std::optional<db::RunRow> last;
    books_.each_run([&](const db::RunRow& row, bool genuine) {
      follow(last, row);
      if (genuine && is(row.kind, RunKind::repair)) {
        runs_ = {};
        accepted_ = row.epoch;
      }
      check_hash(row, genuine);
      last = row;
    });
    list(std::move(runs_), "runs");
    if (!last || last->epoch != head_.epoch || last->hash != head_.hash || last->id != head_.run) {
      found(fmt::format("the head names run {}, but the last run is {}", head_.run,
                        last ? last->id : "missing"));
    } else if (findings_.head_forged) {
      found("the head is not as the last run has left it");
    }
  }

  void look_at_sets() {
    for (const auto& set : books_.inspect()) {
      if (set.whole) {
        continue;
      }
      if (set.table == "run") {
        if (found_.empty()) {
          found("the runs are not those that were left");
        }
        continue;
      }
      findings_.tables_forged = findings_.tables_forged || set.table == "tracked";
      const auto& name = kSets.at(set.table);
      found(set.forged > 0
                ? fmt::format("{} {} {}", set.forged, set.forged == 1 ? name.one : name.many,
                              not_ours(set.forged))
            : set.rows == set.left
                ? fmt::format("the {} are not those that the runs have left", name.many)
                : fmt::format("there are {} {}, but the runs have left {}", set.rows, name.many,
                              set.left));
    }
  }

  /// Notes damage where `row` is not the run that follows `last`.
  void follow(const std::optional<db::RunRow>& last, const db::RunRow& row) {
    const std::int64_t expected = last ? last->epoch + 1 : 1;
    if (row.epoch != expected) {
      runs_.add(row.epoch == expected + 1
                    ? fmt::format("run {} is missing", expected)
                    : fmt::format("runs {} to {} are missing", expected, row.epoch - 1));
    } else if (row.previous != (last ? last->hash : "")) {
      runs_.add(fmt::format("run {} does not follow the run before it", row.id));
    }
  }

  void check_hash(const db::RunRow& row, bool genuine) {
    auto again = row;
    chain(row.previous.empty() ? std::nullopt : std::optional(db::HeadRow{.hash = row.previous}),
          head_.lineage, again);
    if (again.hash != row.hash || again.id != row.id) {
      runs_.add(fmt::format("run {} has been changed: its hash is not that of its fields", row.id));
    } else if (!genuine) {
      runs_.add(fmt::format("run {} is not as it was written", row.id));
    }
  }

  db::Books& books_;
  const db::HeadRow& head_;
  std::vector<state::Damage> found_;
  Listed runs_;  // since the last repair
  Findings findings_;
  std::int64_t accepted_ = 0;  // number of the last repair run
};

}  // namespace

Findings audit(db::Books& books, const db::HeadRow& head) {
  return Audit(books, head).run();
}

}  // namespace abgleich::journal
