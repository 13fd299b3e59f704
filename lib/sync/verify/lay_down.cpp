#include "sync/verify/lay_down.hpp"

#include "core/clock.hpp"
#include "db/secondary/base_table.hpp"
#include "db/secondary/data_table.hpp"
#include "db/secondary/secondary_schema.hpp"
#include "journal/head.hpp"
#include "journal/run_kind.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/row_order.hpp"
#include "sync/run/writing_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace abgleich::sync {

namespace {

void lay_down_books(db::Books& books) {
  books.rewrite_journal([](db::JournalRow&) {});
  books.rewrite_conflicts([](db::ConflictRow&) {});
  books.rewrite_quarantine([](db::QuarantineRow&) {});
}

report::LaidDown attempt(const WritingRun& frame, const std::string& reason) {
  RunAttempt run(frame, now_utc());
  auto& target = run.target();
  auto& books = target.books();
  if (!run.look()) {
    throw Failure(Code::usage, "the secondary has no history yet",
                  "the first run makes it: abgleich sync");
  }
  target.load_catalog();
  std::vector<db::Relation> tracked;
  for (const auto& row : books.tracked()) {
    tracked.push_back(relation_of(row));
  }
  const auto relations = db::SecondarySchema(target).locate(std::move(tracked)).relations;
  report::LaidDown done{.left = lay_down_data(target, relations, run.epoch())};
  for (const auto& relation : relations) {
    if (auto left = db::BaseTable(target, relation).lay_down(); !left.empty()) {
      done.left.push_back(std::move(left));
    }
  }
  lay_down_books(books);
  done.tables = static_cast<std::int64_t>(relations.size());
  done.run = run.commit({.kind = journal::RunKind::lay_down,
                         .reason = reason.empty() ? std::nullopt : std::optional(reason),
                         .counts = "{}"});
  return done;
}

}  // namespace

std::vector<std::string> lay_down_data(db::Target& target,
                                       const std::vector<db::LocatedRelation>& relations,
                                       std::int64_t epoch) {
  std::vector<std::string> left;
  for (const auto& relation : relations) {
    if (auto statements = db::DataTable(target, relation).lay_down(); statements.empty()) {
      remember_order(target.books(), relation, epoch);
    } else {
      forget_order(target.books(), relation);
      left.push_back(std::move(statements));
    }
  }
  return left;
}

std::string text_of(const std::vector<std::string>& left) {
  return fmt::format(
      "the rows still lie in their old order, which can tell the primary's; the owner of the "
      "tables has to run, while "
      "nobody "
      "uses them: {}; then run: abgleich verify --lay-down-anew",
      fmt::join(left, "; "));
}

report::LaidDown lay_down(const Pairing& pairing, const std::string& reason) {
  const WritingRun frame(pairing);
  return frame.attempts([&] { return attempt(frame, reason); });
}

}  // namespace abgleich::sync
