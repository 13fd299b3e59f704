// Of the bookkeeping: what runs have settled for later runs.
#include "db/bookkeeping/books.hpp"
#include "db/bookkeeping/books_cells.hpp"

#include <fmt/format.h>

#include <utility>

namespace abgleich::db {

Books::FactsByName& Books::known_facts() {
  expect("fact");
  if (!read_.facts) {
    auto& rows = read_.facts.emplace();
    session_.connection->query(fmt::format("SELECT {} FROM {}", kFactColumns, own("fact")), {},
                               [&](std::span<const Cell> cells) {
                                 auto row = fact_row(cells);
                                 auto name = std::pair(row.kind, row.name);
                                 rows.emplace(std::move(name), std::move(row));
                               });
  }
  return *read_.facts;
}

std::vector<FactRow> Books::all_facts() {
  std::vector<FactRow> rows;
  for (const auto& [name, row] : known_facts()) {
    rows.push_back(row);
  }
  return rows;
}

std::vector<FactRow> Books::facts(std::string_view kind) {
  std::vector<FactRow> rows;
  const auto& all = known_facts();
  for (auto at = all.lower_bound({std::string(kind), {}}); at != all.end(); ++at) {
    if (at->second.kind != kind) {
      break;
    }
    rows.push_back(at->second);
  }
  return rows;
}

std::optional<FactRow> Books::find_fact(std::string_view kind, std::string_view name) {
  const auto& all = known_facts();
  const auto found = all.find({std::string(kind), std::string(name)});
  return found == all.end() ? std::nullopt : std::optional(found->second);
}

void Books::put_fact(const FactRow& fact) {
  changes("fact");
  const auto epoch = std::to_string(fact.epoch);
  const auto mac = sealer().mac(fact);
  const Cell cells[] = {text_cell(fact.kind),
                        text_cell(fact.name),
                        text_cell(fact.value),
                        number_cell(epoch),
                        {Cell::Storage::blob, mac}};
  session_.connection->execute(
      session_.dialect->upsert({.table = own("fact"),
                                .columns = {"kind", "name", "value", "epoch", "mac"},
                                .key = 2,
                                .values = "$1, $2, $3, $4, $5"}),
      cells);
  known_facts().insert_or_assign({fact.kind, fact.name}, fact);
}

void Books::forget_fact(std::string_view kind, std::string_view name) {
  changes("fact");
  const Cell cells[] = {text_cell(kind), text_cell(name)};
  session_.connection->execute(
      fmt::format("DELETE FROM {} WHERE kind = $1 AND name = $2", own("fact")), cells);
  known_facts().erase({std::string(kind), std::string(name)});
}

}  // namespace abgleich::db
