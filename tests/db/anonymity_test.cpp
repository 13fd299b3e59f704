#include "db/secondary/anonymity.hpp"

#include <doctest/doctest.h>

namespace abgleich::db {
namespace {

TEST_CASE("subjects are counted once, NULL is a value, and names are quoted") {
  const auto sql = measure_anonymity(dialect(Engine::postgresql), "\"s\".\"t\"",
                                     {.table = "t",
                                      .subject = "id",
                                      .quasi_identifiers = {"a\"b", "c"},
                                      .sensitive = {"ill"},
                                      .min_k = 5});
  CHECK(sql ==
        "SELECT coalesce(sum(n), 0), count(*), coalesce(min(k), 0), "
        "coalesce(sum(CASE WHEN k < 5 THEN 1 ELSE 0 END), 0), "
        "coalesce(sum(CASE WHEN k < 5 THEN n ELSE 0 END), 0), coalesce(min(l0), 0) "
        "FROM (SELECT count(*) AS n, count(DISTINCT CAST(\"id\" AS text)) + sum(CASE WHEN "
        "CAST(\"id\" AS text) IS NULL THEN 1 ELSE 0 END) AS k, count(DISTINCT CAST(\"ill\" AS "
        "text)) + max(CASE WHEN CAST(\"ill\" AS text) IS NULL THEN 1 ELSE 0 END) AS l0 FROM "
        "\"s\".\"t\" GROUP BY CAST(\"a\"\"b\" AS text), CAST(\"c\" AS text)) AS g");
}

TEST_CASE("without a subject, each row is one") {
  const auto sql = measure_anonymity(dialect(Engine::sqlite), "\"t\"",
                                     {.table = "t",
                                      .subject = std::nullopt,
                                      .quasi_identifiers = {"a"},
                                      .sensitive = {},
                                      .min_k = 0});
  CHECK(sql.find("count(*) AS n, count(*) AS k FROM \"t\" GROUP BY") != std::string::npos);
}

}  // namespace
}  // namespace abgleich::db
