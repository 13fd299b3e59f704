#include "db/postgresql/select_list.hpp"

#include <doctest/doctest.h>

using abgleich::db::postgresql::selected_columns;

TEST_CASE("the columns of a statement are counted by its own text") {
  CHECK(selected_columns("SELECT a FROM t") == 1);
  CHECK(selected_columns("SELECT a, \"b,c\", 'd, e' AS \"from\", f(g, h) FROM t") == 4);
  CHECK(selected_columns("SELECT FROM t WHERE a IN (1, 2)") == 0);
  CHECK(selected_columns("SELECT count(*), a * b, ARRAY[1, 2] WHERE true, false") == 3);
  CHECK(selected_columns("SELECT a IS DISTINCT FROM b AS moved, c FROM t, u") == 2);
  CHECK(selected_columns("SELECT DISTINCT a, b FROM t") == 2);
  CHECK(selected_columns("SELECT E'\\', x', 'it''s, so', b") == 3);
  CHECK(selected_columns("SELECT coalesce((SELECT x, y FROM z), 0), b UNION SELECT c, d, e") == 2);
  CHECK(selected_columns("WITH w AS (SELECT a, b FROM t) SELECT a FROM w ORDER BY a, b") == 1);
  CHECK(selected_columns(
            "WITH w AS (SELECT 1) INSERT INTO t SELECT a, b FROM w RETURNING a, b, c") == 3);
  CHECK(selected_columns("select a, b from t") == 2);
  CHECK(selected_columns("SELECT substring(a FROM 1 FOR 2), \"ä,\" FROM t") == 2);
}

TEST_CASE("where the text does not tell how many columns there are, nothing is said") {
  CHECK_FALSE(selected_columns("SELECT * FROM t"));
  CHECK_FALSE(selected_columns("SELECT a, t.* FROM t"));
  CHECK_FALSE(selected_columns("INSERT INTO t SELECT a, b FROM u"));
  CHECK_FALSE(selected_columns("BEGIN"));
  CHECK_FALSE(selected_columns(""));
}
