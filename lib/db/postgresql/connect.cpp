#include "db/postgresql/password_file.hpp"
#include "db/postgresql/postgres_connection.hpp"
#include "db/postgresql/postgresql.hpp"
#include "db/postgresql/wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <poll.h>
#include <vector>

namespace abgleich::db::postgresql {

namespace {

using std::chrono::steady_clock;

constexpr int kDefaultTimeoutSeconds = 10;
constexpr int kOldestVersion = 120000;  // generated columns, floats that read back exactly

/// The form in which the server hands over values and names, independent of how the server, the
/// database or the role is configured. With only pg_catalog in the path, names of types and
/// functions that are not the server's own come qualified, and no table can be taken for another.
constexpr const char* kPinnedSettings =
    "SET TimeZone = 'UTC';"
    "SET DateStyle = 'ISO, YMD';"
    "SET IntervalStyle = 'postgres';"
    "SET extra_float_digits = 1;"
    "SET bytea_output = 'hex';"
    "SET lc_monetary = 'C';"
    "SET xmloption = 'content';"
    "SET array_nulls = on;"
    "SET quote_all_identifiers = off;"
    "SET standard_conforming_strings = on;"
    "SET search_path = pg_catalog, pg_temp;"
    "SET row_security = off;"          // rows that a policy would hide are an error, not an absence
    "SET cursor_tuple_fraction = 1;"   // cursors are read to their end
    "SET synchronize_seqscans = off;"  // rows come in the table's order, every time
    "SET max_parallel_workers_per_gather = 0;"
    "SET client_min_messages = 'warning';"
    "SET jit = off;"  // compiling a statement would take longer than running it
    // Finds a peer that has vanished; no effect on a local socket.
    "SET tcp_keepalives_idle = 30;"
    "SET tcp_keepalives_interval = 10;"
    "SET tcp_keepalives_count = 3;"
    // Only newer servers have these. A statement ends when its client has gone, which a server on
    // Windows cannot check.
    "SELECT set_config(name, CASE name WHEN 'client_connection_check_interval' THEN '10s'"
    " ELSE '0' END, false) FROM pg_settings"
    " WHERE name IN ('idle_session_timeout', 'transaction_timeout')"
    " OR (name = 'client_connection_check_interval' AND version() LIKE '%linux%')";

/// How long a statement may run, how long we wait for a lock, and how long our transaction may be
/// idle (this process may hang or be stopped): others need what we have locked.
std::string limits_of(const Endpoint& endpoint) {
  return fmt::format(
      "SET statement_timeout = '{0}s'; SET lock_timeout = '{1}s';"
      " SET idle_in_transaction_session_timeout = '{0}s'",
      endpoint.statement_timeout.count(), endpoint.lock_timeout.count());
}

/// The server itself ends a statement after statement_timeout. If it is silent for longer, it or
/// the network to it has stopped.
std::chrono::seconds silence_of(const Endpoint& endpoint) {
  constexpr auto kGrace = std::chrono::seconds(5);
  return endpoint.statement_timeout.count() == 0 ? std::chrono::seconds(0)
                                                 : endpoint.statement_timeout + kGrace;
}

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

struct Finish {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using Raw = std::unique_ptr<PGconn, Finish>;

/// An option's value, empty where it is not set.
std::string_view option(const Options& options, std::string_view name) {
  for (const auto* at = options.get(); at != nullptr && at->keyword != nullptr; ++at) {
    if (name == at->keyword && at->val != nullptr) {
      return at->val;
    }
  }
  return {};
}

/// Keywords and values for libpq: the URL as it is, and what it does not set.
struct Parameters {
  std::vector<const char*> keywords;
  std::vector<const char*> values;

  void add(const char* keyword, const char* value) {
    keywords.push_back(keyword);
    values.push_back(value);
  }
};

/// As in libpq: 1 second means 2, and 0 or less means none.
std::optional<std::chrono::seconds> timeout_of(const Options& options) {
  const auto text = option(options, "connect_timeout");
  int seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (seconds <= 0) {
    return std::nullopt;
  }
  return std::chrono::seconds(std::max(seconds, 2));
}

enum class Attempt : std::uint8_t { finished, timed_out };

/// Continues the attempt until it is connected, has failed, or time is over.
Attempt complete(PGconn* connection, std::optional<std::chrono::seconds> timeout) {
  const auto deadline = steady_clock::now() + timeout.value_or(std::chrono::seconds(0));
  auto wants = PGRES_POLLING_WRITING;
  while (wants != PGRES_POLLING_OK && wants != PGRES_POLLING_FAILED) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now());
    if (timeout && left.count() <= 0) {
      return Attempt::timed_out;
    }
    pollfd socket{.fd = PQsocket(connection),
                  .events = wants == PGRES_POLLING_READING ? short{POLLIN} : short{POLLOUT},
                  .revents = 0};
    const int ready = ::poll(&socket, 1, timeout ? static_cast<int>(left.count()) + 1 : -1);
    if (ready > 0) {
      wants = PQconnectPoll(connection);
    } else if (ready < 0 && errno != EINTR) {
      break;
    }
  }
  return Attempt::finished;
}

/// Only libpq's own loop gives each of several hosts its timeout.
bool several_hosts(const Options& options) {
  return option(options, "host").find(',') != std::string_view::npos ||
         option(options, "hostaddr").find(',') != std::string_view::npos;
}

/// The SQLSTATE in libpq's message about a failed connection, which with PQERRORS_SQLSTATE ends the
/// server's line: "…: FATAL:  28P01". Empty where no server answered.
std::string sqlstate_in(std::string_view message) {
  std::string found;
  while (!message.empty()) {
    const auto end = std::min(message.find('\n'), message.size());
    const auto line = message.substr(0, end);
    message.remove_prefix(std::min(end + 1, message.size()));
    if (line.size() < 7 || line[line.size() - 6] != ' ') {
      continue;
    }
    const auto state = line.substr(line.size() - 5);
    const bool coded = std::ranges::all_of(
        state, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
    if (coded) {
      found = state;
    }
  }
  return found;
}

struct Reason {
  Code code = Code::try_again;
  std::string text;
  std::string hint;
  Fault::Cause cause = Fault::Cause::unreachable;
};

/// Why the server refused the connection, by its SQLSTATE.
Reason reason_of(const Peer& peer, std::string_view state) {
  if (state.starts_with("28")) {
    return {Code::key_or_trust, "the server does not let this user in",
            "check the user, its password (password_file or ~/.pgpass) and the server's "
            "pg_hba.conf",
            Fault::Cause::rights};
  }
  if (state == "3D000") {
    return {Code::try_again, "the server has no such database", "check the name in the url",
            Fault::Cause::unreachable};
  }
  if (state == "42501") {
    return {refusal_code(peer.access), "this user may not connect to the database",
            "GRANT CONNECT ON DATABASE … TO …", Fault::Cause::rights};
  }
  if (state == "53300") {
    return {Code::try_again, "the server has no free connection", "run the same command again",
            Fault::Cause::unreachable};
  }
  if (state == "57P03") {
    return {Code::try_again, "the server is starting up or shutting down",
            "run the same command again", Fault::Cause::unreachable};
  }
  return {Code::try_again, "the server ended the attempt", "look into the server's log",
          Fault::Cause::unreachable};
}

constexpr std::string_view kLessInWords =
    "less than sslmode=verify-full has to be written in the url, for example ?sslmode=require";

/// The line of a .pgpass file for this connection, with PASSWORD where the password goes.
std::string pgpass_line(PGconn* connection) {
  std::string line;
  const auto add = [&](std::string_view field) {
    for (const char c : field) {
      line += c == ':' || c == '\\' ? "\\" : "";
      line += c;
    }
    line += ':';
  };
  const std::string_view host = PQhost(connection);
  add(host == "/var/run/postgresql" ? "localhost" : host);  // so libpq calls the usual socket
  add(PQport(connection));
  add(PQdb(connection));
  add(PQuser(connection));
  return line + "PASSWORD";
}

/// What went wrong before any server answered. libpq's message is searched and never shown.
Reason reason_of(PGconn* connection, std::string_view message, const Wire& wire) {
  const auto says = [&](std::string_view words) {
    return message.find(words) != std::string_view::npos;
  };
  if (PQconnectionNeedsPassword(connection) != 0) {
    return {Code::key_or_trust, "the server wants a password and there is none",
            fmt::format("write the line {} into ~/.pgpass (mode 600), or set password_file",
                        pgpass_line(connection)),
            Fault::Cause::rights};
  }
  if (says("does not support SSL")) {
    return {Code::key_or_trust,
            "the server has no TLS, and a password is sent to a verified server only",
            fmt::format("switch TLS on there (ssl = on); {}", kLessInWords), Fault::Cause::rights};
  }
  if (says("SSL") || says("certificate") || says("GSS") || says("SCRAM")) {
    return {Code::key_or_trust, "no trusted connection could be made (TLS or authentication)",
            fmt::format("check the server's certificate, the host's name in it, and the authority "
                        "that signed it{}; {}",
                        wire.sslrootcert.empty()
                            ? " (sslrootcert)"
                            : fmt::format(", which is looked for in {} (write sslrootcert=FILE "
                                          "into the url for another)",
                                          wire.sslrootcert),
                        kLessInWords),
            Fault::Cause::rights};
  }
  if (says(std::strerror(ECONNREFUSED))) {
    return {Code::try_again, "connection refused", "is the server running, and on this port?",
            Fault::Cause::unreachable};
  }
  if (says(std::strerror(ENOENT))) {
    return {Code::try_again, "no server listens on this socket",
            "is the server running, and is this its socket directory?", Fault::Cause::unreachable};
  }
  return {Code::try_again, "no server answered", "check host and port, and the network between",
          Fault::Cause::unreachable};
}

std::string tried(const Options& options) {
  std::string text;
  const auto name = [&](std::string_view what, std::string_view value) {
    if (!value.empty()) {
      text += fmt::format("{}{} '{}'", text.empty() ? "" : ", ", what, value);
    }
  };
  const auto host = option(options, "host");
  name(host.starts_with('/') ? "socket directory" : "host", host);
  name("address", option(options, "hostaddr"));
  name("port", option(options, "port"));
  name("database", option(options, "dbname"));
  name("user", option(options, "user"));
  return text;
}

/// The result points into the arguments, which have to outlive it.
Parameters parameters_of(const Endpoint& endpoint, const PasswordFile& password, const Wire& wire) {
  // The URL (dbname) overrides parameters before it; parameters after it override the URL.
  Parameters parameters;
  static const auto default_timeout = std::to_string(kDefaultTimeoutSeconds);
  if (std::getenv("PGCONNECT_TIMEOUT") == nullptr) {
    parameters.add("connect_timeout", default_timeout.c_str());
  }
  parameters.add("fallback_application_name", "abgleich");
  // Finds a server that has vanished.
  parameters.add("keepalives_idle", "30");
  parameters.add("keepalives_interval", "10");
  parameters.add("keepalives_count", "3");
  parameters.add("tcp_user_timeout", "60000");
  parameters.add("dbname", endpoint.url.c_str());
  parameters.add("client_encoding", "UTF8");
  const auto protect = [&](const char* keyword, const std::string& value) {
    if (!value.empty()) {
      parameters.add(keyword, value.c_str());
    }
  };
  protect("sslmode", wire.sslmode);
  protect("sslrootcert", wire.sslrootcert);
  protect("gssencmode", wire.gssencmode);
  if (!endpoint.password_file.empty()) {
    if (password.form == PasswordForm::bare) {
      parameters.add("password", password.password.c_str());
    } else {
      parameters.add("passfile", endpoint.password_file.c_str());
    }
  }
  parameters.add(nullptr, nullptr);
  return parameters;
}

/// The Fault of an attempt to connect that has failed.
Fault not_connected(PGconn* raw, const Peer& peer, const Wire& wire, Attempt attempt,
                    const std::string& where) {
  auto state = sqlstate_in(PQerrorMessage(raw));
  auto reason =
      attempt == Attempt::timed_out
          ? Reason{Code::try_again, "no answer in time",
                   "check host and port, and the network between", Fault::Cause::unreachable}
      : state.empty() ? reason_of(raw, PQerrorMessage(raw), wire)
                      : reason_of(peer, state);
  auto message =
      fmt::format("cannot connect to the {}: {} (tried {}{})", name_of(peer.role), reason.text,
                  where, state.empty() ? "" : fmt::format(", SQLSTATE {}", state));
  return {
      reason.cause, state.empty() ? "08001" : std::move(state),
      Error{.code = reason.code, .message = std::move(message), .hint = std::move(reason.hint)}};
}

Raw open_raw(const Endpoint& endpoint, const Peer& peer) {
  const Options given(PQconninfoParse(endpoint.url.c_str(), nullptr));
  if (!given) {
    throw Failure(Code::configuration,
                  fmt::format("the url of the {} is not a libpq URI", name_of(peer.role)),
                  "write url = \"postgresql://user@host:port/database\"");
  }
  PasswordFile password;
  if (!endpoint.password_file.empty()) {
    read_password_file(endpoint.password_file, peer.role, password);
  }

  const auto wire = wire_of(endpoint.url);
  const auto parameters = parameters_of(endpoint, password, wire);

  Raw raw(PQconnectStartParams(parameters.keywords.data(), parameters.values.data(), 1));
  if (!raw) {
    throw Failure(Code::out_of_space, "out of memory while connecting");
  }
  const Options in_use(PQconninfo(raw.get()));
  auto attempt = Attempt::finished;
  if (several_hosts(in_use)) {
    raw.reset();  // ends this attempt at the first host, since libpq's own begins anew
    raw.reset(PQconnectdbParams(parameters.keywords.data(), parameters.values.data(), 1));
  } else if (PQstatus(raw.get()) != CONNECTION_BAD) {
    PQsetErrorVerbosity(raw.get(), PQERRORS_SQLSTATE);
    attempt = complete(raw.get(), timeout_of(in_use));
  }
  if (attempt == Attempt::finished && PQstatus(raw.get()) == CONNECTION_OK) {
    return raw;
  }

  throw not_connected(raw.get(), peer, wire, attempt, tried(in_use));
}

/// A database in SQL_ASCII has no encoding and can contain any bytes. For a client that wants
/// UTF-8, one value that is not UTF-8 would end the whole statement. This way we find the value
/// ourselves, and only its row is held back.
void take_bytes_as_they_are(PostgresConnection& connection) {
  if (server_encoding(connection) == "SQL_ASCII") {
    connection.execute("SET client_encoding = 'SQL_ASCII'");
  }
}

}  // namespace

std::string_view server_encoding(Connection& connection) {
  const char* const encoding =
      PQparameterStatus(dynamic_cast<PostgresConnection&>(connection).raw(), "server_encoding");
  return encoding == nullptr ? std::string_view() : std::string_view(encoding);
}

std::unique_ptr<Connection> connect(const Endpoint& endpoint, Access access) {
  const Peer peer{.role = endpoint.role, .access = access};
  auto raw = open_raw(endpoint, peer);
  const int version = PQserverVersion(raw.get());
  if (version < kOldestVersion) {
    throw Failure(Code::configuration,
                  fmt::format("the {} is PostgreSQL {}.{}, which is too old", name_of(peer.role),
                              version / 10000, version % 10000),
                  "abgleich needs PostgreSQL 12 or newer");
  }
  auto connection = std::make_unique<PostgresConnection>(raw.release(), peer, silence_of(endpoint),
                                                         Tracer(endpoint));
  connection->execute_script(kPinnedSettings);
  take_bytes_as_they_are(*connection);
  connection->execute_script(limits_of(endpoint));
  if (access == Access::read) {
    connection->execute("SET default_transaction_read_only = on");
  }
  return connection;
}

}  // namespace abgleich::db::postgresql
