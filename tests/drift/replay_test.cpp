// Every step of a real vendor's history, replayed on catalogues alone: the events that `compare`
// reports are those that the history's file lists, no more and no less.
#include "drift/drift.hpp"
#include "drift/history.hpp"
#include "drift/vendor.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace abgleich;
using namespace abgleich::drift;
using tests::everything;
using tests::Expected;
using tests::Step;
using tests::text;
using tests::Vendor;
using tests::words;

namespace {

using Json = nlohmann::json;

// ---- the history's SQL -----------------------------------------------------------------------

/// Reads one statement: names in double quotes, words, and the rest of a clause.
class Statement {
 public:
  explicit Statement(std::string_view text) : rest_(text) {}

  bool take(std::string_view words) {
    if (!rest_.starts_with(words)) {
      return false;
    }
    rest_.remove_prefix(words.size());
    skip_spaces();
    return true;
  }

  std::string name() {
    if (rest_.empty() || rest_.front() != '"') {
      throw std::logic_error{"no name at: " + std::string{rest_}};
    }
    const std::size_t end = rest_.find('"', 1);
    std::string found{rest_.substr(1, end - 1)};
    rest_.remove_prefix(end + 1);
    skip_spaces();
    return found;
  }

  std::vector<std::string> names() {
    std::vector<std::string> found;
    expect("(");
    do {
      found.push_back(name());
    } while (take(","));
    expect(")");
    return found;
  }

  /// A column's type, up to what may follow it.
  std::string type() {
    std::size_t end = 0;
    for (int depth = 0; end < rest_.size(); ++end) {
      const char c = rest_[end];
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      const std::string_view ahead = rest_.substr(end);
      if (depth < 0 ||
          (depth == 0 && (c == ',' || ahead.starts_with(" NOT NULL") ||
                          ahead.starts_with(" DEFAULT ") || ahead.starts_with(" USING ")))) {
        break;
      }
    }
    std::string found{rest_.substr(0, end)};
    rest_.remove_prefix(end);
    skip_spaces();
    return found;
  }

  tests::NewColumn column() {
    tests::NewColumn found{name(), type(), true};
    while (!rest_.empty() && rest_.front() != ',' && rest_.front() != ')') {
      if (take("NOT NULL")) {
        found.nullable = false;
      } else {
        expect("DEFAULT");
        static_cast<void>(type());
      }
    }
    return found;
  }

  void expect(std::string_view words) {
    if (!take(words)) {
      throw std::logic_error{"expected " + std::string{words} + " at: " + std::string{rest_}};
    }
  }

 private:
  void skip_spaces() { rest_.remove_prefix(std::min(rest_.find_first_not_of(' '), rest_.size())); }

  std::string_view rest_;
};

void add_constraint(Vendor& vendor, const std::string& table, Statement& sql) {
  const std::string name = sql.name();
  if (sql.take("PRIMARY KEY")) {
    vendor.table(table).primary_key = CatalogKey{name, sql.names()};
    for (const std::string& column : vendor.table(table).primary_key->columns) {
      vendor.column(table, column).nullable = false;
    }
  } else if (sql.take("UNIQUE")) {
    vendor.table(table).uniques.push_back({name, sql.names()});
  } else {
    sql.expect("FOREIGN KEY");
    CatalogForeignKey key{name, sql.names(), {}, {}, false};
    sql.expect("REFERENCES");
    key.table = sql.name();
    key.referenced = sql.names();
    vendor.table(table).foreign_keys.push_back(key);
  }
}

void alter_column(Vendor& vendor, const std::string& table, Statement& sql) {
  CatalogColumn& column = vendor.column(table, sql.name());
  if (sql.take("SET NOT NULL")) {
    column.nullable = false;
  } else if (sql.take("DROP NOT NULL")) {
    column.nullable = true;
  } else {
    sql.expect("TYPE");
    column.type = tests::type_of(sql.type());
  }
}

void execute(Vendor& vendor, std::string_view text) {
  Statement sql{text};
  if (sql.take("CREATE TABLE")) {
    const std::string table = sql.name();
    std::vector<tests::NewColumn> columns;
    sql.expect("(");
    do {
      columns.push_back(sql.column());
    } while (sql.take(","));
    vendor.create_table(table, columns);
    return;
  }
  if (sql.take("DROP TABLE")) {
    vendor.drop_table(sql.name());
    return;
  }
  sql.expect("ALTER TABLE");
  const std::string table = sql.name();
  if (sql.take("ADD COLUMN")) {
    vendor.add_column(table, sql.column());
  } else if (sql.take("ADD CONSTRAINT")) {
    add_constraint(vendor, table, sql);
  } else if (sql.take("DROP COLUMN")) {
    vendor.drop_column(table, sql.name());
  } else if (sql.take("DROP CONSTRAINT")) {
    vendor.drop_constraint(table, sql.name());
  } else if (sql.take("ALTER COLUMN")) {
    alter_column(vendor, table, sql);
  } else if (sql.take("RENAME COLUMN")) {
    const std::string name = sql.name();
    sql.expect("TO");
    vendor.rename_column(table, name, sql.name());
  } else {
    sql.expect("RENAME TO");
    vendor.rename_table(table, sql.name());
  }
}

/// Calls visit(version, before, after, events) for every step of the history; false where there is
/// no file.
template <class Visit>
bool replay(Visit visit) {
  const std::filesystem::path file =
      std::filesystem::path{abgleich::test::kSourceTree} / "../shared/data/drift-steps.jsonl";
  std::ifstream in(file);
  if (!in) {
    MESSAGE("skipped: there is no ../shared/data/drift-steps.jsonl");
    return false;
  }
  Vendor vendor;
  std::string line;
  while (std::getline(in, line)) {
    const Json step = Json::parse(line);
    const Catalog before = vendor.catalog();
    for (const Json& sql : step["sql"]) {
      execute(vendor, sql.get<std::string>());
    }
    visit(step["version"].get<int>(), before, vendor, step["events"]);
  }
  return true;
}

}  // namespace

TEST_CASE("every version of a real history is judged as its list of events says") {
  int versions = 0;
  std::set<std::string> kinds;
  const bool replayed =
      replay([&](int version, const Catalog& before, const Vendor& vendor, const Json& listed) {
        CAPTURE(version);
        const Catalog& after = vendor.catalog();
        const Expected found = words(compare(everything(before, before), before, after));
        const Expected expected = Step{before, after, listed}.expected();
        if (found != expected) {
          FAIL_CHECK("expected:" << text(expected) << "\nfound:" << text(found));
        }
        for (const auto& event : found) {
          kinds.insert(event[0]);
        }
        ++versions;
      });
  if (replayed) {
    CHECK(versions > 300);
    CHECK(kinds.size() >= 10);
  }
}

TEST_CASE("a restored dump of no version of a real history has drift") {
  replay([&](int version, const Catalog&, const Vendor& vendor, const Json&) {
    CAPTURE(version);
    const Catalog& catalog = vendor.catalog();
    CHECK(text(words(compare(everything(catalog, catalog), catalog, vendor.restored()))) == "");
  });
}

TEST_CASE("accepting the renames of a real history leaves no event about them") {
  replay([&](int version, const Catalog& before, const Vendor& vendor, const Json& listed) {
    CAPTURE(version);
    std::set<std::string> remade;
    for (const Json& event : listed) {
      if (event["kind"] == "column_replaced") {
        remade.insert(event["col"].get<std::string>());
      }
    }
    const auto contract = everything(vendor.catalog(), before);
    for (const Event& event : compare(contract, before, vendor.catalog())) {
      CAPTURE(event.table);
      CAPTURE(event.column);
      const bool about_names =
          name_of(event.kind).starts_with("renamed_") ||
          event.kind == EventKind::missing_in_primary || event.kind == EventKind::unused_was ||
          (event.kind == EventKind::replaced_column && remade.count(event.column) == 0);
      // Tables without a key are not in the contract, and only inform.
      CHECK_FALSE((about_names && event.verdict == Verdict::block));
    }
  });
}
