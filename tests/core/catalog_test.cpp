#include "core/catalog.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string_view>

namespace abgleich {
namespace {

TEST_CASE("every family is found by its name") {
  constexpr std::array kFamilies{
      Family::boolean, Family::integer, Family::decimal, Family::real,      Family::text,
      Family::bytes,   Family::date,    Family::time,    Family::timestamp, Family::timestamptz,
      Family::uuid,    Family::json,    Family::other,   Family::dynamic};
  for (const auto family : kFamilies) {
    CHECK(family_from(name_of(family)) == family);
  }
  CHECK(name_of(Family::timestamptz) == "timestamptz");
  CHECK_FALSE(family_from("Integer"));
  CHECK_FALSE(family_from(""));
}

TEST_CASE("every kind of table is found by its name") {
  constexpr std::array kTableKinds{
      TableKind::table, TableKind::partitioned,       TableKind::partition,
      TableKind::view,  TableKind::materialised_view, TableKind::foreign};
  for (const auto kind : kTableKinds) {
    CHECK(table_kind_from(name_of(kind)) == kind);
  }
  CHECK_FALSE(table_kind_from("sequence"));
}

TEST_CASE("tables and columns are found by their exact names") {
  CatalogTable person{.name = "person"};
  person.columns = {CatalogColumn{.name = "id"}, CatalogColumn{.name = "Größe"}};
  const Catalog catalog{.schema = "public", .tables = {person}};
  const auto* const table = catalog.find_table("person");
  REQUIRE(table != nullptr);
  REQUIRE(table->find_column("Größe") != nullptr);
  CHECK(table->find_column("Größe")->name == "Größe");
  CHECK(table->find_column("größe") == nullptr);
  CHECK(catalog.find_table("Person") == nullptr);
}

TEST_CASE("databases are the same only where both say which they are, and say the same") {
  const DatabaseIdentity one{.engine = Engine::postgresql, .system = "7", .database = "16384"};
  auto other = one;
  other.version = "15.9";
  CHECK(one.same_database(other));
  other.database = "16385";
  CHECK_FALSE(one.same_database(other));
  other = one;
  other.system = "8";
  CHECK_FALSE(one.same_database(other));
  const DatabaseIdentity sqlite{.engine = Engine::sqlite};
  CHECK_FALSE(sqlite.same_database(sqlite));
}

}  // namespace
}  // namespace abgleich
