#include "db/secondary/row_bytes.hpp"

#include "db/postgresql/column_types.hpp"
#include "db/postgresql/postgresql.hpp"
#include "db/secondary/base_statements.hpp"
#include "support/postgres.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

using namespace abgleich;
using namespace abgleich::db;

namespace {

Relation relation_of(const std::vector<std::pair<std::string, std::string>>& types) {
  Relation relation;
  relation.key = {1};
  for (const auto& [name, native] : types) {
    const auto type = postgresql::type_from({.name = name, .native = native, .modifier = -1});
    relation.columns.push_back({.source = "c" + std::to_string(relation.columns.size()),
                                .name = "c" + std::to_string(relation.columns.size()),
                                .type = type,
                                .stored = type});
  }
  return relation;
}

}  // namespace

TEST_CASE("row bytes: what is made of a row's cells is what COPY hands over, whatever its types") {
  const auto relation = relation_of({{"text", "text"},
                                     {"int4", "integer"},
                                     {"bytea", "bytea"},
                                     {"numeric", "numeric"},
                                     {"bool", "boolean"},
                                     {"date", "date"},
                                     {"timestamptz", "timestamp with time zone"},
                                     {"uuid", "uuid"},
                                     {"json", "json"},
                                     {"jsonb", "jsonb"},
                                     {"bpchar", "character(5)"},
                                     {"_text", "text[]"},
                                     {"interval", "interval"}});
  Endpoint endpoint;
  endpoint.engine = Engine::postgresql;
  endpoint.url = test::server_url();
  const auto connection = postgresql::connect(endpoint, Access::write);
  connection->execute_script(
      "CREATE TEMPORARY TABLE made (c0 text, c1 integer, c2 bytea, c3 numeric, c4 boolean, c5 date,"
      " c6 timestamptz, c7 uuid, c8 json, c9 jsonb, c10 character(5), c11 text[], c12 interval);"
      R"(INSERT INTO made VALUES (E'a\\b\n\r\t\b\f\v\x01 \\N Ü', 1, '\x005c0aff', -1.50, true,)"
      " '2020-02-29', '2020-02-29 12:00:00.5+02', '00010203-0405-0607-0809-0a0b0c0d0eff',"
      R"( E'{"a" :\n"\\\\n"}', '{"b": 1, "a": "\\"}', 'ab', ARRAY['a"b', NULL, 'c\d'],)"
      " interval '1 mon -2 days 00:00:01.5'),"
      " (NULL, 2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),"
      R"( ('\N', 3, '', 'NaN', false, 'infinity', '-infinity', NULL, '""', '[]', '', '{}', '0');)"
      "INSERT INTO made SELECT repeat('x', n) || chr(n) || repeat('y', 30 - n), n FROM"
      " generate_series(4, 40) n");
  RowBytes bytes(postgresql::dialect(), relation);
  REQUIRE(bytes.lines() != nullptr);

  const Names names{.data = "made", .base = {}, .stage = {}, .plan = {}, .gone = {}};
  std::vector<std::string> copied;
  connection->read_unknown(select_data(postgresql::dialect(), names, relation), {.keys = 1},
                           [&](std::string_view, std::string_view key, std::string_view row) {
                             CHECK(row.starts_with(std::string(key) + "\t"));
                             copied.emplace_back(row);
                             return true;
                           },
                           {});
  REQUIRE(copied.size() == 40);
  std::size_t at = 0;
  std::string scratch;
  connection->read("SELECT * FROM made", [&](std::span<const Cell> cells) {
    Row row;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto value =
          postgresql::dialect().decode(relation.columns[i].stored, cells[i], scratch);
      row.cells.emplace_back(value.kind, std::string(value.bytes));
    }
    CHECK(bytes.of(row) == copied.at(at++));
  });
  CHECK(at == copied.size());
}

TEST_CASE("row bytes: another row has other bytes, however its cells are cut") {
  for (const auto* const type : {"text", "double precision"}) {
    const auto relation = relation_of({{"text", "text"},
                                       {"int4", "integer"},
                                       {type == std::string("text") ? "text" : "float8", type}});
    RowBytes bytes(postgresql::dialect(), relation);
    CHECK((bytes.lines() != nullptr) == (std::string(type) == "text"));
    std::vector<std::string> all;
    for (const auto& [first, last] :
         std::vector<std::pair<Value, Value>>{{{}, {}},
                                              {{Kind::text, ""}, {}},
                                              {{}, {Kind::text, ""}},
                                              {{Kind::text, "\\N"}, {}},
                                              {{Kind::text, "a"}, {Kind::text, "b"}},
                                              {{Kind::text, "a\tb"}, {}},
                                              {{Kind::text, "a\n"}, {Kind::text, "b"}},
                                              {{Kind::text, "a"}, {Kind::text, "\nb"}},
                                              {{Kind::text, "a\\tb"}, {}}}) {
      all.emplace_back(bytes.of(Row{{first, {Kind::integer, "1"}, last}}));
    }
    for (std::size_t a = 0; a < all.size(); ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        CHECK(all[a] != all[b]);
      }
    }
  }
}
