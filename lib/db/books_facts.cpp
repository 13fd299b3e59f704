// Of the bookkeeping: what runs have settled for those after them.
#include "db/books.hpp"
#include "db/books_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace abgleich::db {

const std::vector<FactRow>& Books::known_facts() {
  expect("fact");
  if (!read_.facts) {
    auto& rows = read_.facts.emplace();
    session_.connection->query(
        fmt::format("SELECT {} FROM {}", kFactColumns, own("fact")), {},
        [&](std::span<const Cell> cells) { rows.push_back(fact_row(cells)); });
    // not as the database sorts: by bytes
    std::ranges::sort(rows, {}, [](const FactRow& row) {
      return std::pair<std::string_view, std::string_view>(row.kind, row.name);
    });
  }
  return *read_.facts;
}

std::vector<FactRow> Books::all_facts() {
  return known_facts();
}

std::vector<FactRow> Books::facts(std::string_view kind) {
  std::vector<FactRow> rows;
  std::ranges::copy_if(known_facts(), std::back_inserter(rows),
                       [&](const FactRow& row) { return row.kind == kind; });
  return rows;
}

std::optional<FactRow> Books::find_fact(std::string_view kind, std::string_view name) {
  const auto& rows = known_facts();
  const auto found = std::ranges::find_if(
      rows, [&](const FactRow& row) { return row.kind == kind && row.name == name; });
  return found == rows.end() ? std::nullopt : std::optional(*found);
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
      fmt::format("INSERT INTO {} (kind, name, value, epoch, mac) VALUES ($1, $2, $3, $4, $5) "
                  "ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value, "
                  "epoch = excluded.epoch, mac = excluded.mac",
                  own("fact")),
      cells);
}

void Books::forget_fact(std::string_view kind, std::string_view name) {
  changes("fact");
  const Cell cells[] = {text_cell(kind), text_cell(name)};
  session_.connection->execute(
      fmt::format("DELETE FROM {} WHERE kind = $1 AND name = $2", own("fact")), cells);
}

}  // namespace abgleich::db
