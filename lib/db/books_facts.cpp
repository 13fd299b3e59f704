// Of the bookkeeping: what runs have settled for those after them.
#include "db/books.hpp"
#include "db/cell_values.hpp"

#include <fmt/format.h>

namespace abgleich::db {

namespace {

FactRow fact_row(std::span<const Cell> cells) {
  return {.kind = text(cells[0]),
          .name = text(cells[1]),
          .value = text(cells[2]),
          .epoch = number(cells[3])};
}

}  // namespace

std::vector<FactRow> Books::facts(std::string_view kind) {
  std::vector<FactRow> rows;
  const Cell parameters[] = {text_cell(kind)};
  session_.connection->query(
      fmt::format("SELECT kind, name, value, epoch FROM {} WHERE kind = $1 ORDER BY name",
                  own("fact")),
      parameters, [&](std::span<const Cell> cells) { rows.push_back(fact_row(cells)); });
  return rows;
}

std::optional<FactRow> Books::find_fact(std::string_view kind, std::string_view name) {
  std::optional<FactRow> row;
  const Cell parameters[] = {text_cell(kind), text_cell(name)};
  session_.connection->query(
      fmt::format("SELECT kind, name, value, epoch FROM {} WHERE kind = $1 AND name = $2",
                  own("fact")),
      parameters, [&](std::span<const Cell> cells) { row = fact_row(cells); });
  return row;
}

void Books::put_fact(const FactRow& fact) {
  const auto epoch = std::to_string(fact.epoch);
  const Cell cells[] = {text_cell(fact.kind), text_cell(fact.name), text_cell(fact.value),
                        number_cell(epoch)};
  session_.connection->execute(
      fmt::format("INSERT INTO {} (kind, name, value, epoch) VALUES ($1, $2, $3, $4) "
                  "ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value, "
                  "epoch = excluded.epoch",
                  own("fact")),
      cells);
}

void Books::forget_fact(std::string_view kind, std::string_view name) {
  const Cell cells[] = {text_cell(kind), text_cell(name)};
  session_.connection->execute(
      fmt::format("DELETE FROM {} WHERE kind = $1 AND name = $2", own("fact")), cells);
}

}  // namespace abgleich::db
