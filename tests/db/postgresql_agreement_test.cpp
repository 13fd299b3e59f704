// Our reading of values against the server's, on many seeded values.
#include "db/postgresql/column_types.hpp"
#include "db/postgresql/json_text.hpp"
#include "db/postgresql/postgresql.hpp"
#include "support/postgres.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

using namespace abgleich;
using namespace abgleich::db;

namespace {

using Random = std::mt19937_64;

std::unique_ptr<Connection> connect() {
  Endpoint made;
  made.engine = Engine::postgresql;
  made.url = test::server_url();
  return postgresql::connect(made, Access::write);
}

int below(Random& random, int bound) {
  return static_cast<int>(random() % static_cast<std::uint64_t>(bound));
}

template <typename T>
const T& one_of(Random& random, const std::vector<T>& choices) {
  return choices[random() % choices.size()];
}

Type column(std::string name, std::string native, std::int32_t modifier = -1) {
  return postgresql::type_from(
      {.name = std::move(name), .native = std::move(native), .modifier = modifier});
}

std::string random_date(Random& random) {
  const std::vector<int> years{1,    4,    44,   100,  400,  1582, 1899,
                               1900, 1970, 2000, 2020, 4713, 4714, 9999};
  const int year = below(random, 3) == 0 ? below(random, 300000) : one_of(random, years);
  return fmt::format("{:04}-{:02}-{:02}", year, below(random, 14), below(random, 33));
}

std::string random_time(Random& random) {
  auto text = fmt::format("{:02}:{:02}", below(random, 26), below(random, 61));
  if (below(random, 4) != 0) {
    text += fmt::format(":{:02}", below(random, 60));
    if (below(random, 2) == 0) {
      text +=
          '.' + std::to_string(random()).substr(0, static_cast<std::size_t>(1 + below(random, 8)));
    }
  }
  return below(random, 20) == 0 ? "24:00:00" : text;
}

std::string random_zone(Random& random) {
  switch (below(random, 5)) {
    case 0:
      return "Z";
    case 1:
      return fmt::format("{}{:02}", below(random, 2) == 0 ? '+' : '-', below(random, 17));
    case 2:
      return fmt::format("{}{:02}:{:02}", below(random, 2) == 0 ? '+' : '-', below(random, 17),
                         below(random, 61));
    case 3:
      return fmt::format("{}{:02}{:02}", below(random, 2) == 0 ? '+' : '-', below(random, 17),
                         below(random, 61));
    default:
      return fmt::format("{}{:02}:{:02}:{:02}", below(random, 2) == 0 ? '+' : '-',
                         below(random, 17), below(random, 61), below(random, 61));
  }
}

/// What the server makes of the text in a column of this type, or its SQLSTATE.
class Server {
 public:
  Server() : connection_(connect()) {}

  std::string says(const std::string& text, const std::string& type) {
    std::string answer;
    const Cell parameter = text_cell(text);
    try {
      connection_->query("SELECT $1::text::" + type + "::text", {&parameter, 1},
                         [&](std::span<const Cell> cells) { answer = cells[0].bytes; });
    } catch (const Fault& fault) {
      return "refused " + fault.state();
    }
    return answer;
  }

  Connection& connection() { return *connection_; }

 private:
  std::unique_ptr<Connection> connection_;
};

}  // namespace

TEST_CASE("dates and times that are taken are taken as the server would print them") {
  Server server;
  Random random(20200229);
  const auto date = column("date", "date");
  const auto time = column("time", "time without time zone");
  const auto timetz = column("timetz", "time with time zone");
  const auto timestamp = column("timestamp", "timestamp without time zone");
  const auto timestamptz = column("timestamptz", "timestamp with time zone");
  int taken = 0;
  int refused = 0;
  for (int i = 0; i < 6000; ++i) {
    const auto* type = one_of(random, std::vector{&date, &time, &timetz, &timestamp, &timestamptz});
    const auto era = below(random, 4) == 0 ? " BC" : "";
    std::string text;
    if (type == &date) {
      text = random_date(random) + era;
    } else if (type == &time) {
      text = random_time(random);
    } else if (type == &timetz) {
      text = random_time(random) + random_zone(random);
    } else {
      text = random_date(random) + (below(random, 2) == 0 ? " " : "T") + random_time(random) +
             (type == &timestamptz ? random_zone(random) : "") + era;
    }
    Value value(Kind::text, text);
    const auto refusal = postgresql::dialect().fit(*type, value);
    const auto answer = server.says(text, type->native);
    CAPTURE(text);
    CAPTURE(type->native);
    if (!refusal) {
      ++taken;
      CHECK(value.bytes() == answer);
    } else if (*refusal != "would be rounded") {
      ++refused;
      // Nothing is refused that the server takes, but leap seconds and its odd hours past 24.
      CHECK_MESSAGE(answer.starts_with("refused"), answer);
    }
  }
  CHECK(taken > 2000);
  CHECK(refused > 500);
}

TEST_CASE("a float4 of the server always fits a float4") {
  Server server;
  Random random(32);
  const auto single = column("float4", "real");
  const auto& dialect = postgresql::dialect();
  std::string sql = "SELECT v::float4 FROM (VALUES ('0')";
  for (int i = 0; i < 20000; ++i) {
    // Half of them powers of two, where the interval of a float is lopsided.
    const auto bits = i % 2 == 0 ? static_cast<std::uint32_t>(random())
                                 : static_cast<std::uint32_t>(random() % 255) << 23U;
    const auto number = std::bit_cast<float>(bits);
    if (std::isfinite(number)) {
      sql += fmt::format(",('{:.9e}')", number);
    }
  }
  sql += ") f(v)";
  std::string scratch;
  int rows = 0;
  server.connection().read(sql, [&](std::span<const Cell> cells) {
    const auto decoded = dialect.decode(single, cells[0], scratch);
    Value value(decoded.kind, std::string(decoded.bytes));
    const auto refusal = dialect.fit(single, value);
    ++rows;
    if (refusal) {
      FAIL_CHECK("refused: ", value.bytes());
    }
  });
  CHECK(rows > 19000);
}

TEST_CASE("a double is the same real whichever side printed it") {
  Server server;
  Random random(64);
  const auto type = column("float8", "double precision");
  std::string sql = "SELECT v, v::float8 FROM (VALUES ('0')";
  for (int i = 0; i < 20000; ++i) {
    const auto number = std::bit_cast<double>(random());
    if (std::isfinite(number)) {
      sql += fmt::format(",('{}')", number);
    }
  }
  sql += ") f(v)";
  std::string ours;
  std::string theirs;
  server.connection().read(sql, [&](std::span<const Cell> cells) {
    const auto a = postgresql::dialect().decode(type, cells[0], ours);
    const auto b = postgresql::dialect().decode(type, cells[1], theirs);
    if (a.bytes != b.bytes || a.kind != Kind::real) {
      FAIL_CHECK("differ: ", std::string(a.bytes), " and ", std::string(b.bytes));
    }
  });
}

TEST_CASE("numbers that are taken by a numeric column are printed by the server as fitted") {
  Server server;
  Random random(10);
  for (int i = 0; i < 3000; ++i) {
    const int precision = 1 + below(random, 8);
    const int scale = below(random, 12) - 3;
    auto text = std::to_string(random()).substr(0, static_cast<std::size_t>(1 + below(random, 8)));
    if (below(random, 2) == 0) {
      text +=
          '.' + std::to_string(random()).substr(0, static_cast<std::size_t>(1 + below(random, 6)));
    }
    if (below(random, 3) == 0) {
      text += fmt::format("e{}", below(random, 16) - 10);
    }
    text = (below(random, 2) == 0 ? "-" : "") + text;
    auto type = column("numeric", "numeric");
    if (i % 4 != 0) {
      type.precision = precision;
      type.scale = scale;
      type.native = fmt::format("numeric({},{})", precision, scale);
    }
    CAPTURE(text);
    CAPTURE(type.native);
    Value value(Kind::text, text);
    const auto refusal = postgresql::dialect().fit(type, value);
    const auto answer = server.says(text, type.native);
    if (!refusal) {
      CHECK(value.bytes() == answer);
    } else if (*refusal == "out of range") {
      CHECK(answer.starts_with("refused"));
    }
  }
}

namespace {

std::string random_json(Random& random, int depth) {
  const std::vector<std::string> strings{R"("")",   R"("a")",      R"("bb")",
                                         R"("ä")",  R"("\u0041")", R"("\n\u0001\"")",
                                         R"("\/")", R"("🦠")",   R"("aa")"};
  const std::vector<std::string> scalars{"null", "true", "1", "1.00", "-0", "1e3", "0.10", "-5E-2"};
  const auto space = [&] { return below(random, 3) == 0 ? " " : ""; };
  switch (below(random, depth > 3 ? 2 : 4)) {
    case 0:
      return one_of(random, strings);
    case 1:
      return one_of(random, scalars);
    case 2: {
      std::string text = "[";
      for (int i = below(random, 4); i > 0; --i) {
        text += space() + random_json(random, depth + 1) + (i > 1 ? "," : "");
      }
      return text + space() + "]";
    }
    default: {
      std::string text = "{";
      for (int i = below(random, 4); i > 0; --i) {
        text += one_of(random, strings) + space() + ":" + space() + random_json(random, depth + 1) +
                (i > 1 ? "," : "");
      }
      return text + "}";
    }
  }
}

}  // namespace

TEST_CASE("what jsonb prints is known as its own form, and nothing else is") {
  Server server;
  Random random(8259);
  int same = 0;
  for (int i = 0; i < 3000; ++i) {
    auto text = random_json(random, 0);
    if (below(random, 10) == 0) {
      text.erase(random() % text.size(), 1);
    }
    CAPTURE(text);
    const auto answer = server.says(text, "jsonb");
    const auto form = postgresql::json_form(text);
    if (answer.starts_with("refused")) {
      // Half a character may be left over, which only the server's encoding check sees.
      CHECK((form == postgresql::JsonForm::invalid || !is_utf8(text)));
      continue;
    }
    CHECK(postgresql::json_form(answer) == postgresql::JsonForm::canonical);
    CHECK((form == postgresql::JsonForm::canonical) == (answer == text));
    same += answer == text ? 1 : 0;
  }
  CHECK(same > 500);
}
