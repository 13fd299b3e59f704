// Of the bookkeeping: what runs have settled for those after them.
#include "db/books.hpp"
#include "db/books_cells.hpp"

#include <fmt/format.h>

namespace abgleich::db {

std::vector<FactRow> Books::facts(std::string_view kind) {
  expect("fact");
  std::vector<FactRow> rows;
  const Cell parameters[] = {text_cell(kind)};
  session_.connection->query(
      fmt::format("SELECT {} FROM {} WHERE kind = $1 ORDER BY name", kFactColumns, own("fact")),
      parameters, [&](std::span<const Cell> cells) { rows.push_back(fact_row(cells)); });
  return rows;
}

std::vector<FactRow> Books::all_facts() {
  expect("fact");
  std::vector<FactRow> rows;
  session_.connection->query(fmt::format("SELECT {} FROM {}", kFactColumns, own("fact")), {},
                             [&](std::span<const Cell> cells) { rows.push_back(fact_row(cells)); });
  return rows;
}

std::optional<FactRow> Books::find_fact(std::string_view kind, std::string_view name) {
  expect("fact");
  std::optional<FactRow> row;
  const Cell parameters[] = {text_cell(kind), text_cell(name)};
  session_.connection->query(
      fmt::format("SELECT {} FROM {} WHERE kind = $1 AND name = $2", kFactColumns, own("fact")),
      parameters, [&](std::span<const Cell> cells) { row = fact_row(cells); });
  return row;
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
