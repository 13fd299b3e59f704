#include "db/postgresql/known_names.hpp"

#include "db/postgresql/another_session.hpp"
#include "db/postgresql/result.hpp"

namespace abgleich::db::postgresql {

namespace {

// A trigger could put another name into every error; from here on, the server is not asked.
constexpr std::size_t kMostAsked = 1'000;

std::string in_double_quotes(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    text += c == '"' ? "\"\"" : std::string(1, c);
  }
  return text + '"';
}

const char* query_for(KnownNames::Kind kind) {
  using Kind = KnownNames::Kind;
  switch (kind) {
    case Kind::schema:
      return "SELECT 1 FROM pg_namespace WHERE nspname = $1 LIMIT 1";
    case Kind::table:
      return "SELECT 1 FROM pg_class WHERE relname = $1 LIMIT 1";
    case Kind::column:
      return "SELECT 1 FROM pg_attribute WHERE attname = $1 AND NOT attisdropped LIMIT 1";
    case Kind::constraint:  // a unique index is one, too
      return "SELECT 1 WHERE EXISTS (SELECT 1 FROM pg_constraint WHERE conname = $1)"
             " OR EXISTS (SELECT 1 FROM pg_class WHERE relname = $1 AND relkind IN ('i', 'I'))";
  }
  return "";
}

bool has(PGconn* connection, KnownNames::Kind kind, const std::string& name) {
  const auto session = connect_like(connection);
  if (PQstatus(session.get()) != CONNECTION_OK) {
    return false;
  }
  PQsetNoticeReceiver(
      session.get(), [](void*, const PGresult*) {}, nullptr);
  const Result set(PQexec(session.get(),
                          "SET search_path = pg_catalog, pg_temp; SET statement_timeout = '3s';"
                          " SET default_transaction_read_only = on"));
  const char* const values[] = {name.c_str()};
  const Result found(
      PQexecParams(session.get(), query_for(kind), 1, nullptr, values, nullptr, nullptr, 0));
  return PQresultStatus(set.get()) == PGRES_COMMAND_OK &&
         PQresultStatus(found.get()) == PGRES_TUPLES_OK && PQntuples(found.get()) == 1;
}

}  // namespace

bool KnownNames::knows(PGconn* connection, Kind kind, const std::string& name) {
  if (statement_.find(in_double_quotes(name)) != std::string::npos) {
    return true;
  }
  const auto key = std::pair(kind, name);
  auto asked = asked_.find(key);
  if (asked == asked_.end()) {
    if (asked_.size() >= kMostAsked) {
      return false;
    }
    asked = asked_.emplace(key, has(connection, kind, name)).first;
  }
  return asked->second;
}

}  // namespace abgleich::db::postgresql
