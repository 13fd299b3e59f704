#include "sync/lay_down.hpp"

#include "db/retry.hpp"
#include "journal/head.hpp"
#include "journal/state.hpp"
#include "mask/keyring.hpp"
#include "sync/books_key.hpp"
#include "sync/commit.hpp"
#include "sync/exported.hpp"
#include "sync/recover.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::sync {

namespace {

constexpr std::string_view kFact = "layout";
constexpr const char* kByKey = "\"key\"";  // JSON

void lay_down_books(db::Books& books) {
  books.rewrite_journal([](db::JournalRow&) {});
  books.rewrite_conflicts([](db::ConflictRow&) {});
  books.rewrite_quarantine([](db::QuarantineRow&) {});
}

report::LaidDown attempt(const Pairing& pairing, const mask::Keyring& keyring,
                         const std::string& reason) {
  const auto started = journal::now_utc();
  db::Target target(pairing.config.secondary, db::Mode::real);
  auto& books = target.books();
  const auto head = open_books(pairing, target, keyring, {.lock = db::Books::Lock::row});
  if (!head) {
    throw Failure(Code::usage, "the secondary has no history yet",
                  "the first run makes it: abgleich sync");
  }
  target.load_catalog();
  std::vector<db::Relation> relations;
  for (const auto& row : books.tracked()) {
    relations.push_back(relation_of(row));
  }
  (void)target.missing_ddl(relations);  // fills in how the secondary holds each column
  const auto epoch = head->epoch + 1;
  report::LaidDown done{.left = lay_down_data(target, relations, epoch)};
  for (const auto& relation : relations) {
    if (auto left = target.lay_down_base(relation); !left.empty()) {
      done.left.push_back(std::move(left));
    }
  }
  lay_down_books(books);
  done.tables = static_cast<std::int64_t>(relations.size());
  done.run = commit_run(pairing, target, head, head->key_check, head->primary_id,
                        {.kind = std::string(kLayDown),
                         .started = started,
                         .reason = reason.empty() ? std::nullopt : std::optional(reason),
                         .counts = "{}"});
  return done;
}

}  // namespace

void remember_order(db::Books& books, const db::Relation& relation, std::int64_t epoch) {
  books.put_fact({.kind = std::string(kFact),
                  .name = std::to_string(relation.id),
                  .value = kByKey,
                  .epoch = epoch});
}

std::vector<std::string> tables_out_of_order(db::Books& books) {
  std::vector<std::string> tables;
  const auto facts = books.facts(kFact);
  for (const auto& row : books.tracked()) {
    if (std::ranges::find(facts, std::to_string(row.id), &db::FactRow::name) == facts.end()) {
      tables.push_back(row.source);
    }
  }
  return tables;
}

std::vector<std::string> lay_down_data(db::Target& target,
                                       const std::vector<db::Relation>& relations,
                                       std::int64_t epoch) {
  std::vector<std::string> left;
  for (const auto& relation : relations) {
    if (auto statements = target.lay_down_data(relation); statements.empty()) {
      remember_order(target.books(), relation, epoch);
    } else {
      target.books().forget_fact(kFact, std::to_string(relation.id));
      left.push_back(std::move(statements));
    }
  }
  return left;
}

std::string text_of(const std::vector<std::string>& left) {
  return fmt::format(
      "where rows lie still tells their old order; the owner of the tables has to run, while "
      "nobody "
      "uses them: {}; then run: abgleich verify --lay-down-anew",
      fmt::join(left, "; "));
}

report::LaidDown lay_down(const Pairing& pairing, const std::string& reason) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  const journal::StateLock lock(pairing.config.state_directory);
  expect_unlatched(pairing, keyring);
  return db::with_retries({.in_all = pairing.config.retry_for},
                          [&] { return attempt(pairing, keyring, reason); });
}

}  // namespace abgleich::sync
