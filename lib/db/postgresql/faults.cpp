#include "db/postgresql/faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

using Cause = Fault::Cause;

struct Wording {
  std::string_view state;
  std::string_view text;
};

/// Our own words for what happens in practice; for all else the message has only the SQLSTATE
/// (PostgreSQL manual, appendix A).
constexpr std::array kWordings{
    Wording{"22001", "a text is too long for its column"},
    Wording{"22003", "a number is out of its column's range"},
    Wording{"22007", "a date or time is malformed"},
    Wording{"22008", "a date or time is out of range"},
    Wording{"22021", "a text is not valid in the database's encoding"},
    Wording{"22P02", "a value is malformed for its column's type"},
    Wording{"22P05", "a character does not exist in the database's encoding"},
    Wording{"23502", "NULL in a column that is NOT NULL"},
    Wording{"23503", "a foreign key is violated"},
    Wording{"23505", "a unique key exists already"},
    Wording{"23514", "a CHECK constraint is violated"},
    Wording{"23P01", "an exclusion constraint is violated"},
    Wording{"25006", "the database or the transaction is read-only"},
    Wording{"3F000", "a schema does not exist"},
    Wording{"40001", "another transaction changed the same rows"},
    Wording{"40P01", "deadlock with another transaction"},
    Wording{"42501", "permission denied, or row security would hide rows"},
    Wording{"42703", "a column does not exist"},
    Wording{"42P01", "a table does not exist"},
    Wording{"53100", "its disk is full"},
    Wording{"53200", "it is out of memory"},
    Wording{"53300", "it has no free connection"},
    Wording{"55000", "an object is not in a state to be used, such as an empty materialised view"},
    Wording{"55P03", "a lock was held by somebody else for too long"},
    Wording{"57014", "the statement took longer than statement_timeout, or was cancelled there"},
    Wording{"57P01", "the server ended the connection"},
};

std::string_view wording(std::string_view state) {
  for (const auto& known : kWordings) {
    if (known.state == state) {
      return known.text;
    }
  }
  return {};
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text == nullptr ? std::string() : std::string(text);
}

std::string objects(PGconn* connection, const PGresult* result, KnownNames& names) {
  using Kind = KnownNames::Kind;
  const auto known = [&](Kind kind, int code) {
    auto name = field(result, code);
    return name.empty() || names.knows(connection, kind, name) ? name : std::string();
  };
  std::string named;
  const auto name = [&](std::string_view what, const std::string& object) {
    if (!object.empty()) {
      named += fmt::format("{} '{}', ", what, object);
    }
  };
  auto table = known(Kind::table, PG_DIAG_TABLE_NAME);
  const auto schema = known(Kind::schema, PG_DIAG_SCHEMA_NAME);
  if (!table.empty() && !schema.empty()) {
    table = fmt::format("{}.{}", schema, table);
  }
  name("table", table);
  name("column", known(Kind::column, PG_DIAG_COLUMN_NAME));
  name("constraint", known(Kind::constraint, PG_DIAG_CONSTRAINT_NAME));
  return named;
}

/// The code of a fault whose cause has none of its own (Cause::other).
Code code_of(std::string_view state, Access access) {
  // A problem of the server that may pass: its disk, its configuration, a foreign server.
  if (state.starts_with("58") || state.starts_with("F0") || state == "HV00N") {
    return Code::try_again;
  }
  // A statement that the server does not understand is our bug. Everything else is about its
  // objects: not supported for one, in use, damaged, an operator or function that is missing.
  const bool ours = state == "42601" || state.starts_with("03") || state.starts_with("26") ||
                    state.starts_with("34") || state.starts_with("3B");
  return ours ? Code::bug : refusal_code(access);
}

std::string_view hint_of(Cause cause, std::string_view state, Access access) {
  if (state == "55P03") {
    return "pg_stat_activity and pg_locks of that server say who holds it; end that transaction, "
           "or set lock_timeout higher; then run the same command again. Nothing was changed";
  }
  if (state == "57014") {
    return "run the same command again; where it needs longer, set statement_timeout higher. "
           "Nothing was changed";
  }
  if (state == "53200") {
    return "where the server's log says 'out of shared memory', its administrator sets "
           "max_locks_per_transaction higher; otherwise it needs more memory. Then run the same "
           "command again. Nothing was changed";
  }
  switch (cause) {
    case Cause::rights:
      return "see the rights that this role needs: abgleich grants; and whether that is all: "
             "abgleich check";
    case Cause::missing:
      return access == Access::read ? "run 'abgleich drift': the schema may have changed"
                                    : "run 'abgleich check'";
    case Cause::unreachable:
    case Cause::serialization:
      return "run the same command again";
    case Cause::no_space:
      return "free space on the database server, then run the same command again";
    default:
      break;
  }
  if (state.starts_with("XX") || state.starts_with("58")) {
    return "the server itself is in trouble (damaged data, its disk): its log says more, and its "
           "administrator has to look. Nothing was changed";
  }
  if (state.starts_with("HV")) {
    return "a foreign table's server is in trouble: look at it first. Nothing was changed";
  }
  return "the server's log of this moment says more (and may quote rows). Nothing was changed";
}

/// Whether only people's own code can have raised it: a trigger with RAISE … USING ERRCODE, in a
/// class that the server does not use itself.
bool is_of_people(std::string_view in_class) {
  constexpr std::array<std::string_view, 39> kServers{
      "00", "01", "02", "03", "08", "0A", "0B", "0F", "0L", "0P", "0Z", "20", "21",
      "22", "23", "24", "25", "26", "28", "2B", "2D", "2F", "34", "38", "39", "3B",
      "3D", "3F", "40", "42", "44", "53", "54", "55", "57", "58", "72", "F0", "HV"};
  return std::ranges::find(kServers, in_class) == kServers.end() && in_class != "XX" &&
         in_class != "P0";
}

}  // namespace

Cause cause_of(std::string_view state) {
  const auto in_class = state.substr(0, 2);
  if (state == "40001" || state == "40P01" || state == "72000") {
    return Cause::serialization;
  }
  // 57014: statement_timeout, or an administrator's cancel; 55P03: our own lock_timeout.
  if (in_class == "08" || state == "57014" || state == "57P01" || state == "57P02" ||
      state == "57P03" || state == "57P04" || state == "57P05" || state == "25P03" ||
      state == "53300" || state == "55P03") {
    return Cause::unreachable;
  }
  if (in_class == "23") {
    return Cause::constraint;
  }
  if (in_class == "22" || in_class == "44" || in_class == "54" || in_class == "P0" ||
      is_of_people(in_class)) {
    return Cause::data;
  }
  if (state == "42501" || state == "25006" || in_class == "28") {
    return Cause::rights;
  }
  if (in_class == "53") {
    return Cause::no_space;
  }
  if (state == "42P01" || state == "42703" || state == "3F000" || state == "42704" ||
      state == "3D000") {
    return Cause::missing;
  }
  return Cause::other;
}

bool blames_row(const Fault& fault) {
  return fault.cause() == Cause::constraint || fault.cause() == Cause::data;
}

Fault lost(const Peer& peer, std::string sqlstate) {
  auto message =
      fmt::format("the connection to the {} was lost (SQLSTATE {})", name_of(peer.role), sqlstate);
  return {Cause::unreachable, std::move(sqlstate),
          Error{.code = Code::try_again,
                .message = std::move(message),
                .hint = "run the same command again"}};
}

Fault stalled(const Peer& peer, std::chrono::seconds silence) {
  return {Cause::unreachable, "08006",
          Error{.code = Code::try_again,
                .message = fmt::format("the {} is connected and has not answered for {} s; the "
                                       "connection was given up (SQLSTATE 08006)",
                                       name_of(peer.role), silence.count()),
                .hint = "check whether that server, or the network to it, is stopped, "
                        "then run the same command again"}};
}

Fault fault_of(const Peer& peer, PGconn* connection, const PGresult* result, KnownNames& names,
               std::string_view holder) {
  auto state = result == nullptr ? std::string() : field(result, PG_DIAG_SQLSTATE);
  if (PQstatus(connection) == CONNECTION_BAD) {
    return lost(peer, state.empty() ? "08006" : std::move(state));
  }
  if (state.empty()) {
    // No SQLSTATE: the error is libpq's, not the server's. It is taken for out of memory.
    state = "53200";
  }
  const auto cause = cause_of(state);
  const auto text = wording(state);
  auto message =
      fmt::format("the {} refused a statement{}{}{}{} ({}SQLSTATE {})", name_of(peer.role),
                  text.empty() ? "" : ": ", text, holder.empty() ? "" : ", by ", holder,
                  objects(connection, result, names), state);
  const auto code = db::code_of(cause, peer.access).value_or(code_of(state, peer.access));
  std::string hint(hint_of(cause, state, peer.access));
  auto broken = result == nullptr ? std::string() : field(result, PG_DIAG_CONSTRAINT_NAME);
  if (broken.empty() && result != nullptr) {
    broken = field(result, PG_DIAG_COLUMN_NAME);
  }
  return {cause, std::move(state),
          Error{.code = code, .message = std::move(message), .hint = std::move(hint)},
          std::move(broken)};
}

}  // namespace abgleich::db::postgresql
