#include "sync/run/row_order.hpp"

#include <algorithm>
#include <string_view>

namespace abgleich::sync {

namespace {

constexpr std::string_view kFact = "layout";
constexpr const char* kByKey = "\"key\"";  // JSON

}  // namespace

void remember_order(db::Books& books, const db::Relation& relation, std::int64_t epoch) {
  books.put_fact({.kind = std::string(kFact),
                  .name = std::to_string(relation.id),
                  .value = kByKey,
                  .epoch = epoch});
}

void forget_order(db::Books& books, const db::Relation& relation) {
  books.forget_fact(kFact, std::to_string(relation.id));
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

}  // namespace abgleich::sync
