// A real vendor's history on a server: each version changes the schema in place, with rows in every
// table. Where its file is absent, the tests say so and do nothing.
#pragma once

#include "support/pairing.hpp"
#include "support/places.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::test {

inline std::optional<std::ifstream> shared_data(const std::string& name) {
  std::ifstream in(std::string(kSourceTree) + "/../shared/data/" + name);
  if (!in) {
    MESSAGE("skipped: there is no ../shared/data/", name);
    return std::nullopt;
  }
  return in;
}

/// The versions in their order; empty where there is no file.
inline std::vector<nlohmann::json> vendor_history() {
  std::vector<nlohmann::json> steps;
  if (auto in = shared_data("drift-steps.jsonl")) {
    for (std::string line; std::getline(*in, line);) {
      steps.push_back(nlohmann::json::parse(line));
    }
  }
  return steps;
}

/// What fills the tables. A value names the column it was written to (table and column by their
/// numbers, which no rename changes) and its row, so that a value under a wrong name shows.
inline constexpr std::string_view kFilling = R"SQL(
CREATE SCHEMA filling;
-- Columns of which nothing may leave as it is; their values say so.
CREATE TABLE filling.labelled (t text, c text);
-- Tables whose ids are such values too, and all that points to them.
CREATE TABLE filling.person_like (t text);

CREATE FUNCTION filling.value(kind regtype, modifier int, tab oid, col int, name text, canary bool,
                              n int) RETURNS text LANGUAGE sql AS $f$
  SELECT CASE
    WHEN kind IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) THEN
      left(n || CASE WHEN canary THEN 'CANARY' ELSE 'C' END || col || 'T' || tab,
           CASE WHEN modifier > 4 THEN modifier - 4 ELSE 100 END)
    WHEN kind IN ('int8'::regtype, 'int4'::regtype) THEN
      (CASE WHEN canary THEN 777000000 ELSE 0 END +
       CASE WHEN name = 'id' OR name LIKE '%\_id' THEN n ELSE col * 100 + n END)::text
    WHEN kind = 'int2'::regtype THEN (col * 10 + n)::text
    WHEN kind IN ('float4'::regtype, 'float8'::regtype, 'numeric'::regtype) THEN
      (CASE WHEN canary THEN 777000 ELSE 0 END + col + n / 8.0)::float4::text
    WHEN kind = 'bool'::regtype THEN (n % 2 = 0)::text
    WHEN kind IN ('timestamp'::regtype, 'timestamptz'::regtype, 'date'::regtype) THEN
      ('2020-01-01'::timestamp + make_interval(days => col, hours => n))::text
    WHEN kind IN ('json'::regtype, 'jsonb'::regtype) THEN
      format('{"t": %s, "c": %s, "n": %s}', tab, col, n)
    WHEN kind = 'tstzrange'::regtype THEN format('[2020-01-0%s 00:00:00+00,)', n)
  END $f$;

-- Three rows in a table that has none, and a value in every column that has none. What points to a
-- table whose ids are special points to them as soon as its foreign key is there.
CREATE FUNCTION filling.fill(named text) RETURNS void LANGUAGE plpgsql AS $f$
DECLARE
  tab oid := to_regclass(format('public.%I', named));
  places tid[]; n int; names text; list text; sets text;
BEGIN
  IF tab IS NULL THEN RETURN; END IF;
  EXECUTE format('SELECT array_agg(ctid) FROM %s', tab::regclass) INTO places;
  FOR n IN 1..3 LOOP
    SELECT string_agg(format('%I', attname), ', '), string_agg(format('%L', v), ', '),
           string_agg(format('%1$I = CASE WHEN %1$I IS NULL OR %3$s THEN %2$L ELSE %1$I END',
                             attname, v, points::text), ', ')
      INTO names, list, sets
      FROM (SELECT a.attname, a.points, filling.value(a.atttypid, a.atttypmod, tab, a.attnum,
                     a.attname, l.c IS NOT NULL OR a.points OR a.own, n) AS v
              FROM (SELECT a.*, a.attname = 'id' AND named IN (SELECT t FROM filling.person_like)
                             AS own,
                           EXISTS (SELECT FROM pg_constraint f
                             JOIN pg_class r ON r.oid = f.confrelid
                             WHERE f.contype = 'f' AND f.conrelid = tab
                             AND f.conkey = ARRAY[a.attnum]
                             AND r.relname IN (SELECT t FROM filling.person_like)) AS points
                      FROM pg_attribute a) a
              LEFT JOIN filling.labelled l ON l.t = named AND l.c = a.attname
             WHERE a.attrelid = tab AND a.attnum > 0 AND NOT a.attisdropped) x
     WHERE v IS NOT NULL;
    IF places[n] IS NULL THEN
      EXECUTE format('INSERT INTO %s (%s) VALUES (%s)', tab::regclass, names, list);
    ELSE
      EXECUTE format('UPDATE %s SET %s WHERE ctid = %L', tab::regclass, sets, places[n]);
    END IF;
  END LOOP;
END $f$;

-- One statement of the history. Rows are in its way where the vendor had none, or others: then the
-- column is emptied first.
CREATE FUNCTION filling.change(named text, col text, ddl text) RETURNS void LANGUAGE plpgsql AS $f$
BEGIN
  EXECUTE ddl;
EXCEPTION WHEN OTHERS THEN
  IF col = '' THEN RAISE; END IF;
  EXECUTE format('ALTER TABLE public.%I ALTER %I DROP NOT NULL', named, col);
  EXECUTE format('UPDATE public.%I SET %I = NULL', named, col);
  EXECUTE ddl;
END $f$;
)SQL";

class VendorHistory {
 public:
  explicit VendorHistory(Database& primary) : primary_(primary), steps_(vendor_history()) {
    primary_.run(std::string(kFilling) + ";SET session_replication_role = replica");
  }

  [[nodiscard]] const std::vector<nlohmann::json>& steps() const { return steps_; }
  [[nodiscard]] bool absent() const { return steps_.empty(); }

  /// Of these columns nothing may leave as it is.
  void label(const nlohmann::json& labels, const std::vector<std::string>& person_like) {
    std::string sql;
    for (const auto& [table, columns] : labels.items()) {
      for (const auto& [column, label] : columns.items()) {
        sql += "INSERT INTO filling.labelled VALUES ('" + table + "', '" + column + "');";
      }
    }
    for (const auto& table : person_like) {
      sql += "INSERT INTO filling.person_like VALUES ('" + table + "');";
    }
    primary_.run(sql);
  }

  /// Versions before `version`; every table has its rows afterwards.
  void replay_before(int version) {
    std::string sql;
    for (const auto& step : steps_) {
      if (step["version"].get<int>() < version) {
        for (const auto& statement : step["sql"]) {
          sql += not_valid(statement) + ";";
        }
        last_ = step["version"];
      }
    }
    primary_.run(sql +
                 "DO $$ DECLARE t text; BEGIN FOR t IN SELECT relname FROM pg_class WHERE "
                 "relkind = 'r' AND relnamespace = 'public'::regnamespace LOOP PERFORM "
                 "filling.fill(t); END LOOP; END $$");
  }

  /// Changes the schema as this version does, with the rows that are there, in one transaction.
  /// New columns and tables are filled afterwards, where `then` says so.
  enum class Then { fill, leave };
  void apply(const nlohmann::json& step, Then then = Then::fill) {
    std::string sql = "BEGIN;";
    std::set<std::string> touched;
    for (const auto& statement : step["sql"]) {
      const auto ddl = not_valid(statement);
      const auto table = quoted(ddl, 0);
      const auto column = ddl.find("ALTER COLUMN") == std::string::npos ? "" : quoted(ddl, 1);
      if (ddl.find("SET NOT NULL") != std::string::npos) {
        sql += "SELECT filling.fill('" + table + "');";
      }
      sql += "SELECT filling.change('" + table + "', '" + column + "', $ddl$" + ddl + "$ddl$);";
      touched.insert(table);
      if (const auto at = ddl.find(" RENAME TO "); at != std::string::npos) {
        touched.insert(quoted(ddl, 1));
      }
    }
    if (then == Then::fill) {
      for (const auto& table : touched) {
        sql += "SELECT filling.fill('" + table + "');";
      }
    }
    primary_.run(sql + "COMMIT");
    last_ = step["version"];
  }

  void fill(const std::string& table) { primary_.run("SELECT filling.fill('" + table + "')"); }

  [[nodiscard]] const nlohmann::json& step(int version) const {
    for (const auto& step : steps_) {
      if (step["version"] == version) {
        return step;
      }
    }
    FAIL("the history has no version ", version);
    return steps_.front();
  }

 private:
  /// The values of a foreign key are ours.
  static std::string not_valid(const nlohmann::json& statement) {
    const auto text = statement.get<std::string>();
    return text.find(" FOREIGN KEY ") == std::string::npos ? text : text + " NOT VALID";
  }

  /// The name in the double quotes number `which`, from 0.
  static std::string quoted(const std::string& text, int which) {
    std::size_t at = 0;
    for (int i = 0; i < 2 * which + 1; ++i) {
      at = text.find('"', i == 0 ? 0 : at) + 1;
    }
    return text.substr(at, text.find('"', at) - at);
  }

  Database& primary_;
  std::vector<nlohmann::json> steps_;
  int last_ = 0;
};

}  // namespace abgleich::test
