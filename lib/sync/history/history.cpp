#include "sync/history/history.hpp"

#include "contract/words.hpp"
#include "db/secondary/target.hpp"
#include "sync/history/revert.hpp"
#include "sync/merge/plan.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/commit.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>

namespace abgleich::sync {

namespace {

constexpr std::int64_t kNamesToCompare = 200;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

[[noreturn]] void unknown(db::Books& books, std::string_view called) {
  std::vector<std::string> ids;
  for (const auto& run : books.runs(kNamesToCompare)) {
    ids.push_back(run.id);
  }
  const std::vector<std::string_view> words(ids.begin(), ids.end());
  const auto near = contract::nearest(called, words);
  throw Failure(Code::usage, fmt::format("there is no run {}", contract::in_quotes(called)),
                near ? fmt::format("the nearest is '{}'; see them all: abgleich log", *near)
                     : "see them: abgleich log");
}

void expect_known(const std::map<std::int64_t, std::string>& names, const std::string& table) {
  std::vector<std::string_view> words;
  words.reserve(names.size());
  for (const auto& [id, name] : names) {
    words.push_back(name);
  }
  if (table.empty() || std::ranges::find(words, table) != words.end()) {
    return;
  }
  const auto near = contract::nearest(table, words);
  throw Failure(Code::usage, fmt::format("no run knows a table {}", contract::in_quotes(table)),
                (near ? fmt::format("did you mean '{}'? ", *near) : std::string()) +
                    "see which tables the runs changed: abgleich log");
}

}  // namespace

std::vector<db::RunRow> runs(const Pairing& pairing, std::int64_t limit) {
  db::Target target(pairing.config.secondary, db::Mode::dry);
  (void)open_to_look(pairing, target);
  return target.books().exist() ? target.books().runs(limit) : std::vector<db::RunRow>{};
}

db::RunRow find_run(db::Books& books, std::string_view called) {
  if (called == "latest") {
    auto newest = books.runs(1);
    if (newest.empty()) {
      unknown(books, called);
    }
    return newest.front();
  }
  // "r7" means run 7 only, not run 70 and those after it
  const bool number = called.starts_with('r') && all_digits(called.substr(1));
  const auto found = books.runs_called(std::string(called) + (number ? "-" : ""));
  if (called.size() < 2 || found.empty()) {
    unknown(books, called);
  }
  if (found.size() > 1) {
    throw Failure(Code::usage,
                  fmt::format("{} is the beginning of several runs", contract::in_quotes(called)),
                  "give more of its characters: abgleich log");
  }
  return found.front();
}

void expect_kept(const Pairing& pairing, const db::RunRow& run) {
  if (run.purged) {
    throw Failure(
        Code::usage, fmt::format("the changes of run {} are no longer kept", run.id),
        fmt::format("they were purged on {}; how long they are kept: [journal] keep in {}",
                    *run.purged, pairing.config.file.string()));
  }
}

db::RunRow show(const Pairing& pairing, const std::string& called, const std::string& only,
                const std::function<void(const db::RunRow&)>& on_run,
                const std::function<void(const report::Change&)>& on_change) {
  db::Target target(pairing.config.secondary, db::Mode::dry);
  auto& books = target.books();
  (void)open_to_look(pairing, target);
  if (!books.exist()) {
    throw Failure(Code::usage, "the secondary has no history yet",
                  "the first run makes it: abgleich sync");
  }
  auto run = find_run(books, called);
  expect_kept(pairing, run);
  std::map<std::int64_t, std::string> names;
  for (const auto& row : books.tracked()) {
    names[row.id] = row.source;
  }
  expect_known(names, only);
  on_run(run);
  books.journal_of(run.epoch, [&](const db::JournalRow& row) {
    const auto& table = names[row.tracked];
    if (!only.empty() && table != only) {
      return;
    }
    if (row.fate == kFirstLoad) {
      const auto rows = first_load_rows(row);
      on_change({.table = table,
                 .fate = report::Fate::insert,
                 .reason = fmt::format("{} {}, the first load of this table", rows,
                                       rows == 1 ? "row" : "rows")});
    } else if (row.before || row.after) {
      tell_change(table, row, on_change);
    } else if (erased(row)) {
      on_change({.table = table,
                 .key = journal::read_cells(row.key_text),
                 .fate = report::Fate::remove,
                 .reason = "erased: no trace of the row is kept"});
    }  // otherwise only the base has changed: nothing to show
  });
  return run;
}

}  // namespace abgleich::sync
