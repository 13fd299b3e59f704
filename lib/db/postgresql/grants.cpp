#include "db/postgresql/grants.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

// Rights on tables that the role does not own: granted to itself, to PUBLIC, or to roles whose
// rights it has. "column" is empty for the whole table.
constexpr std::string_view kHeld = R"(
WITH me AS (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user),
     held AS (
  SELECT c.oid AS relation, '' AS "column", x.grantee, x.privilege_type
  FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) x
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION ALL
  SELECT a.attrelid, a.attname, x.grantee, x.privilege_type
  FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) x
  WHERE NOT a.attisdropped)
SELECT n.nspname, c.relname, h."column", h.privilege_type,
       CASE WHEN h.grantee = me.oid THEN 'own' WHEN h.grantee = 0 THEN 'public' ELSE 'role' END,
       coalesce(g.rolname, '')
FROM me CROSS JOIN held h JOIN pg_catalog.pg_class c ON c.oid = h.relation
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_catalog.pg_roles g ON g.oid = h.grantee
WHERE n.nspname <> 'information_schema' AND left(n.nspname, 3) <> 'pg_' AND c.relowner <> me.oid
  AND (h.grantee IN (0, me.oid) OR pg_catalog.pg_has_role(h.grantee, 'USAGE'))
ORDER BY 1, 2, 3, 4, 5, 6)";

constexpr std::string_view kOwned = R"(
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema'
  AND left(n.nspname, 3) <> 'pg_' AND pg_catalog.pg_has_role(c.relowner, 'USAGE')
ORDER BY 1, 2)";

constexpr std::string_view kMe =
    "SELECT rolname, rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user";

// Which of the server's roles that read or write everything it is a member of.
constexpr std::string_view kEverything = R"(
SELECT g.rolname
FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
     JOIN pg_catalog.pg_roles r ON r.oid = m.member
WHERE r.rolname = current_user AND g.rolname IN ('pg_read_all_data', 'pg_write_all_data')
ORDER BY 1)";

// Whether it may use the schema, also without the roles that read or write everything.
constexpr std::string_view kMayEnter = R"(
SELECT pg_catalog.pg_has_role(n.nspowner, 'USAGE') OR EXISTS (
         SELECT 1 FROM pg_catalog.aclexplode(n.nspacl) x
           LEFT JOIN pg_catalog.pg_roles g ON g.oid = x.grantee
         WHERE x.privilege_type = 'USAGE'
           AND (x.grantee = 0
                OR (pg_catalog.pg_has_role(x.grantee, 'USAGE')
                    AND g.rolname NOT IN ('pg_read_all_data', 'pg_write_all_data'))))
FROM pg_catalog.pg_namespace n WHERE n.nspname = $1)";

struct Name {
  std::string schema;
  std::string table;

  bool operator==(const Name&) const = default;
  bool operator<(const Name& other) const {
    return std::tie(schema, table) < std::tie(other.schema, other.table);
  }
};

/// Of one table: the columns by the right's name; the column "" is the whole table.
using Rights = std::map<std::string, std::set<std::string>>;

struct Held {
  std::map<Name, Rights> own;
  std::map<std::string, std::map<Name, Rights>> from;  // by the other role; "" is PUBLIC
  std::vector<Name> owned;
  std::vector<std::string> everything;
};

Held read_held(Session& session) {
  Held held;
  auto& connection = *session.connection;
  connection.query(std::string(kHeld), {}, [&](std::span<const Cell> row) {
    const Name name{std::string(row[0].bytes), std::string(row[1].bytes)};
    const std::string column(row[2].bytes);
    const std::string right(row[3].bytes);
    if (row[4].bytes == "own") {
      held.own[name][right].insert(column);
    } else {
      held.from[std::string(row[5].bytes)][name][right].insert(column);
    }
  });
  connection.query(std::string(kOwned), {}, [&](std::span<const Cell> row) {
    held.owned.push_back({std::string(row[0].bytes), std::string(row[1].bytes)});
  });
  connection.query(std::string(kEverything), {},
                   [&](std::span<const Cell> row) { held.everything.emplace_back(row[0].bytes); });
  return held;
}

class Grantor {
 public:
  explicit Grantor(Session& session) : session_(session), held_(read_held(session)) {
    session.connection->query(std::string(kMe), {}, [&](std::span<const Cell> row) {
      grants_.role = row[0].bytes;
      grants_.superuser = row[1].bytes == "t";
    });
    role_ = session.dialect->quote(grants_.role);
  }

  /// Whether a right to a column ("": to the whole table) is one that the role needs.
  using IsNeeded =
      std::function<bool(const Name& name, const std::string& right, const std::string& column)>;

  void take_back(const IsNeeded& is_needed) {
    for (const auto& role : held_.everything) {
      grants_.surplus.push_back("everything, by its membership in " + role);
      state(fmt::format("REVOKE {} FROM {}", session_.dialect->quote(role), role_));
    }
    for (const auto& [name, rights] : held_.own) {
      for (const auto& [right, columns] : rights) {
        take_back(name, right, columns, is_needed);
      }
    }
    for (const auto& [role, tables] : held_.from) {
      remark_on(role, tables, is_needed);
    }
    for (const auto& name : held_.owned) {
      if (!is_needed(name, "OWNER", "")) {
        grants_.surplus.push_back("everything on " + text(name) + ", as its owner");
        grants_.remarks.push_back(
            fmt::format("it owns {}, or has the rights of the owner: those cannot be taken from it",
                        text(name)));
      }
    }
  }

  /// Grants rights to read columns that it does not have, or that `take_back` revokes with the
  /// whole table.
  void give(const Name& name, const std::vector<std::string>& columns) {
    std::vector<std::string> lacking;
    for (const auto& column : columns) {
      if (!may_read(name, column)) {
        lacking.push_back(session_.dialect->quote(column));
      }
    }
    if (!lacking.empty()) {
      state(fmt::format("GRANT SELECT ({}) ON {} TO {}", fmt::join(lacking, ", "), quoted(name),
                        role_));
    }
  }

  void state(std::string statement) { grants_.statements.push_back(std::move(statement)); }

  [[nodiscard]] const std::string& role() const { return role_; }
  [[nodiscard]] Grants grants() && { return std::move(grants_); }
  [[nodiscard]] bool superuser() const { return grants_.superuser; }

 private:
  void take_back(const Name& name, const std::string& right, const std::set<std::string>& columns,
                 const IsNeeded& is_needed) {
    std::vector<std::string> some;
    for (const auto& column : columns) {
      if (is_needed(name, right, column)) {
        continue;
      }
      if (column.empty()) {
        grants_.surplus.push_back(fmt::format("{} on {}", right, text(name)));
        state(fmt::format("REVOKE {} ON {} FROM {}", right, quoted(name), role_));
        if (right == "SELECT") {
          taken_.insert(name);  // the server revokes the rights to columns with it
        }
        return;
      }
      some.push_back(session_.dialect->quote(column));
      grants_.surplus.push_back(fmt::format("{} on {}.{}", right, text(name), column));
    }
    if (!some.empty()) {
      state(fmt::format("REVOKE {} ({}) ON {} FROM {}", right, fmt::join(some, ", "), quoted(name),
                        role_));
    }
  }

  void remark_on(const std::string& role, const std::map<Name, Rights>& tables,
                 const IsNeeded& is_needed) {
    for (const auto& [name, rights] : tables) {
      for (const auto& [right, columns] : rights) {
        if (std::ranges::all_of(columns,
                                [&, &table = name, &what = right](const std::string& column) {
                                  return is_needed(table, what, column);
                                })) {
          continue;
        }
        const auto of = role.empty() ? std::string("PUBLIC") : session_.dialect->quote(role);
        grants_.surplus.push_back(fmt::format("{} on {}, as {} may", right, text(name), of));
        grants_.remarks.push_back(
            role.empty()
                ? fmt::format("every role may {0} {1}: REVOKE {0} ON {1} FROM PUBLIC", right,
                              quoted(name))
                : fmt::format("it may {} {}, since it has the rights of {}: REVOKE {} FROM {}",
                              right, quoted(name), of, of, role_));
      }
    }
  }

  [[nodiscard]] bool may_read(const Name& name, const std::string& column) const {
    if (std::ranges::find(held_.owned, name) != held_.owned.end()) {
      return true;
    }
    const auto has = [&](const std::map<Name, Rights>& tables) {
      const auto table = tables.find(name);
      if (table == tables.end()) {
        return false;
      }
      const auto right = table->second.find("SELECT");
      return right != table->second.end() &&
             (right->second.contains("") || right->second.contains(column));
    };
    if (!taken_.contains(name) && has(held_.own)) {
      return true;
    }
    return std::ranges::any_of(held_.from, [&](const auto& role) { return has(role.second); });
  }

  [[nodiscard]] std::string quoted(const Name& name) const {
    return session_.dialect->table(name.schema, name.table);
  }
  [[nodiscard]] static std::string text(const Name& name) { return name.schema + "." + name.table; }

  Session& session_;
  Held held_;
  Grants grants_;
  std::string role_;
  std::set<Name> taken_;
};

/// Adds the columns that row versions are made of, for tables whose rows may be in a heap.
std::vector<std::string> with_system_columns(const CatalogTable& table,
                                             const std::set<std::string>& columns) {
  std::vector<std::string> all(columns.begin(), columns.end());
  if (table.kind == TableKind::table || table.kind == TableKind::partitioned) {
    all.insert(all.end(), {"ctid", "xmin"});
  }
  return all;
}

void give_schema(Session& session, Grantor& grantor) {
  const Cell schema[] = {text_cell(session.schema)};
  session.connection->query(std::string(kMayEnter), schema, [&](std::span<const Cell> row) {
    if (row[0].bytes != "t") {
      grantor.state(fmt::format("GRANT USAGE ON SCHEMA {} TO {}",
                                session.dialect->quote(session.schema), grantor.role()));
    }
  });
}

}  // namespace

Grants grants_to_read(Session& session, const Catalog& catalog, const ReadColumns& needed) {
  Grantor grantor(session);
  if (grantor.superuser()) {
    return std::move(grantor).grants();
  }
  const auto columns_of = [&](const Name& name) -> std::optional<std::vector<std::string>> {
    const auto found = needed.find(name.table);
    const auto* table = catalog.find_table(name.table);
    return name.schema != session.schema || found == needed.end() || table == nullptr
               ? std::nullopt
               : std::optional(with_system_columns(*table, found->second));
  };
  grantor.take_back([&](const Name& name, const std::string& right, const std::string& column) {
    const auto columns = right == "SELECT" ? columns_of(name) : std::nullopt;
    if (!columns) {
      return false;
    }
    if (!column.empty()) {
      return std::ranges::find(*columns, column) != columns->end();
    }
    return std::ranges::all_of(catalog.find_table(name.table)->columns, [&](const auto& each) {
      return std::ranges::find(*columns, each.name) != columns->end();
    });
  });
  give_schema(session, grantor);
  for (const auto& [name, columns] : needed) {
    if (const auto all = columns_of({session.schema, name})) {
      grantor.give({session.schema, name}, *all);
    }
  }
  return std::move(grantor).grants();
}

Grants grants_beyond(Session& session, const KeptTables& kept) {
  Grantor grantor(session);
  if (!grantor.superuser()) {
    grantor.take_back([&](const Name& name, const std::string&, const std::string&) {
      return kept.books.contains(name.schema) || kept.data.contains({name.schema, name.table}) ||
             kept.anywhere.contains(name.table);
    });
  }
  return std::move(grantor).grants();
}

}  // namespace abgleich::db::postgresql
