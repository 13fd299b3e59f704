// A server that answers with too few or too many columns, or with nothing that was asked for: an
// error, whatever the statement, and never the end of the process.
#include "hostile/fake_server.hpp"
#include "support/child.hpp"
#include "support/pairing.hpp"

#include <doctest/doctest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace abgleich::test {

namespace {

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\n[tables.person.columns]\n"
    "id = { class = \"pseudonym\", identity = \"person\" }\nstatus = \"plain\"\n";

/// How many columns a SELECT asks for, roughly: top-level commas.
int columns_of(const std::string& sql) {
  int depth = 0;
  int columns = 1;
  const auto from = sql.find("SELECT");
  for (std::size_t i = from == std::string::npos ? 0 : from; i < sql.size(); ++i) {
    if (sql[i] == '(' || sql[i] == '[') {
      ++depth;
    } else if (sql[i] == ')' || sql[i] == ']') {
      --depth;
    } else if (depth == 0 && sql[i] == ',') {
      ++columns;
    } else if (depth == 0 && sql.compare(i, 5, " FROM") == 0) {
      break;
    }
  }
  return columns;
}

bool is_query(const std::string& sql) {
  return sql.find("SELECT") != std::string::npos && !sql.starts_with("SET") &&
         !sql.starts_with("DECLARE");
}

}  // namespace

TEST_CASE("a row that is too short ends a reader that believes its server: the control") {
  const auto read = [&](int column) {
    return ends_well([&] {
      // here, so that the process that is copied has no other threads
      const FakeServer server([](const std::string& sql) {
        return is_query(sql) ? FakeServer::rows(1, {{"1"}})
                             : FakeServer::done(sql.substr(0, sql.find(' ')));
      });
      const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
          PQconnectdb(server.url().c_str()), &PQfinish);  // ends before the server, which waits
      PQsetNoticeProcessor(
          connection.get(), [](void*, const char*) {}, nullptr);
      const auto* const answer = PQexec(connection.get(), "SELECT id, status FROM person");
      const char* const value = PQgetvalue(answer, 0, column);
      if (std::string(value).empty()) {
        throw std::runtime_error("nothing was read");
      }
    });
  };
  CHECK(read(0));
  CHECK(!read(1));
}

TEST_CASE("rows that are too short or too long are an error by name, at every statement of a run") {
  for (const int wrong : {-100, -1, +1, +40}) {
    CAPTURE(wrong);
    // each statement in turn is answered wrongly, the ones before it empty
    for (int turn = 0; turn < 12; ++turn) {
      CAPTURE(turn);
      std::mutex mutex;
      int asked = 0;
      const FakeServer server([&](const std::string& sql) {
        const std::lock_guard lock(mutex);
        if (!is_query(sql)) {
          return FakeServer::done(sql.substr(0, sql.find(' ')));
        }
        const bool lies = asked++ >= turn;
        const auto columns = std::max(0, columns_of(sql) + (lies ? wrong : 0));
        std::vector<std::string> row(static_cast<std::size_t>(columns), "1");
        if (sql.find("COPY") != std::string::npos) {
          std::string line;
          for (int i = 0; i < columns; ++i) {
            line += i == 0 ? "1" : "\t1";
          }
          return FakeServer::copy(columns, {line});
        }
        return FakeServer::rows(columns, {row});
      });
      Pairing pairing(On::sqlite, On::sqlite, kContract);
      for (const auto* const side : {"primary", "secondary"}) {
        CAPTURE(side);
        const bool primary = std::string_view(side) == "primary";
        if (!primary) {
          pairing.primary.run(
              "CREATE TABLE IF NOT EXISTS person (id TEXT PRIMARY KEY, status TEXT)");
        }
        write_file(pairing.directory.path() / "abgleich.toml",
                   "retry_for = \"0s\"\n[primary]\nurl = \"" +
                       (primary ? server.url() : pairing.primary.url()) +
                       "\"\n[secondary]\nurl = \"" +
                       (primary ? pairing.secondary.url() : server.url()) + "\"\n");
        {
          const std::lock_guard lock(mutex);
          asked = 0;
        }
        const auto ran = pairing.run({"sync"});
        CHECK_MESSAGE(ran.exit != 0, ran.out);
        CHECK_MESSAGE(ran.exit < 70, ran.exit, ran.err);
        CHECK_MESSAGE(ran.err.find("error: ") != std::string::npos, ran.err);
      }
    }
  }
}

}  // namespace abgleich::test
