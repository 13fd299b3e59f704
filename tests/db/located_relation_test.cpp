// What writes to people's tables takes a relation of which is known how the secondary stores it,
// and nobody makes one but who looks. The compiler holds this; a test that compiles shows it.

#include "db/secondary/located_relation.hpp"

#include "db/secondary/data_table.hpp"
#include "db/secondary/secondary_schema.hpp"
#include "db/secondary/staged_table.hpp"
#include "db/secondary/target.hpp"

#include <doctest/doctest.h>

#include <type_traits>

namespace {

using namespace abgleich::db;

template <class Given>
constexpr bool kPrepares = std::is_invocable_v<decltype(&Target::prepare), Target&, Given>;

TEST_CASE("a relation that nobody has located cannot be written") {
  CHECK(kPrepares<const LocatedRelation&>);
  CHECK_FALSE(kPrepares<const Relation&>);
  CHECK(std::is_constructible_v<DataTable, Target&, const LocatedRelation&>);
  CHECK_FALSE(std::is_constructible_v<DataTable, Target&, const Relation&>);
  CHECK_FALSE(std::is_constructible_v<StagedTable, Target&, const Relation&>);
}

TEST_CASE("only the schema of the secondary locates a relation") {
  CHECK_FALSE(std::is_constructible_v<LocatedRelation, Relation>);
  CHECK_FALSE(std::is_convertible_v<Relation, LocatedRelation>);
  CHECK_FALSE(std::is_default_constructible_v<LocatedRelation>);
  CHECK_FALSE(std::is_assignable_v<LocatedRelation&, const Relation&>);
  CHECK(std::is_convertible_v<const LocatedRelation&, const Relation&>);
}

}  // namespace
