// README.md and the quickstart: what they show is what happens.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <regex>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

const fs::path kTop = kSourceTree;

/// The code blocks of the README (indented by four spaces) under a heading, from the first that
/// contains `words`, without the indentation.
std::string readme_block(const std::string& heading, const std::string& words) {
  const auto readme = read_file(kTop / "README.md");
  const auto from = readme.find("\n## " + heading + "\n");
  REQUIRE(from != std::string::npos);
  std::istringstream lines(readme.substr(from, readme.find("\n## ", from + 1) - from));
  std::string block;
  std::string blanks;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("    ")) {
      block += blanks + line.substr(4) + "\n";
      blanks.clear();
    } else if (line.empty()) {
      blanks += block.empty() ? "" : "\n";
    } else {
      if (block.find(words) != std::string::npos) {
        return block;
      }
      block.clear();
      blanks.clear();
    }
  }
  REQUIRE_MESSAGE(block.find(words) != std::string::npos, "no code block under '", heading,
                  "' has: ", words);
  return block;
}

/// What is new in every run, exchanged for a word.
std::string steady(std::string text) {
  text = std::regex_replace(text, std::regex("p1_[a-z2-7]{26}"), "PSEUDONYM");
  text = std::regex_replace(text, std::regex("\\b[0-9a-f]{12}\\b"), "CONFLICT");
  return std::regex_replace(text, std::regex("\\br([0-9]+)-[0-9a-f]{8}\\b"), "r$1-RUN");
}

void replace_word(std::string& text, const std::string& word, const std::string& by) {
  text = std::regex_replace(text, std::regex("\\b" + word + "\\b"), by);
}

}  // namespace

TEST_CASE("the quickstart keeps what it promises, and the README's transcript is a part of it") {
  const TemporaryDirectory directory;
  const auto ran = run_program({(kTop / "examples/quickstart/run").string(), directory / "demo"},
                               "/", {std::string("EXAMPLE_BINARY=") + kProgram, "NO_COLOR=1"});
  REQUIRE_MESSAGE(ran.exit == 0, ran.out, ran.err);
  const auto out = steady(ran.out);
  std::istringstream parts(steady(readme_block("What it looks like", "$ abgleich diff")));
  std::string part;
  std::size_t shown = 0;
  const auto check = [&] {
    if (!part.empty()) {
      CAPTURE(part);
      CHECK(out.find("\n" + part) != std::string::npos);
      ++shown;
    }
    part.clear();
  };
  for (std::string line; std::getline(parts, line);) {
    if (line.empty()) {
      check();
    } else {
      part += line + "\n";
    }
  }
  check();
  CHECK(shown >= 4);
}

namespace {

/// Runs an example, which checks itself, and looks for the part of its output that its page shows.
void check_example(const std::string& name) {
  const TemporaryDirectory directory;
  const auto example = kTop / "examples" / name;
  const auto ran = run_program({(example / "run").string(), directory / "demo"}, "/",
                               {std::string("EXAMPLE_BINARY=") + kProgram, "NO_COLOR=1"});
  REQUIRE_MESSAGE(ran.exit == 0, ran.out, ran.err);
  std::string shown;
  std::istringstream page(read_file(example / "README.md"));
  for (std::string line; std::getline(page, line);) {
    shown += line.starts_with("    $") || (!shown.empty() && line.starts_with("    "))
                 ? line.substr(4) + "\n"
                 : "";
  }
  REQUIRE(!shown.empty());
  CHECK_MESSAGE(ran.out.find("\n" + shown) != std::string::npos, shown);
}

}  // namespace

TEST_CASE("the example of applications, offices and a relay keeps what it promises") {
  check_example("iris");
}

TEST_CASE("the example of people whom nobody knows keeps what it promises") {
  check_example("queue");
}

TEST_CASE("the README's roles, contract and commands work on PostgreSQL as they are written") {
  Pairing pairing(On::postgresql, On::postgresql, "");
  pairing.primary.run(
      "CREATE TABLE person (id integer PRIMARY KEY, first_name text, phone text, birth_date date,"
      " sex text, status text, status_date date, note text);"
      "INSERT INTO person VALUES (1, 'Annegret', '040 66969011', '1948-02-11', 'f', 'case',"
      " '2026-03-02', NULL)");
  // roles belong to the whole server: names of this test's own
  const auto number = std::to_string(::getpid());
  const auto own = [&](std::string text) {
    for (const auto* role : {"abgleich_reader", "abgleich_writer", "public_order_office"}) {
      replace_word(text, role, std::string(role) + number);
    }
    replace_word(text, "DATABASE kpm",
                 "DATABASE " + pairing.primary.rows("SELECT current_database()"));
    replace_word(text, "DATABASE second",
                 "DATABASE " + pairing.secondary.rows("SELECT current_database()"));
    return text;
  };
  const std::string heading = "PostgreSQL and cron";
  pairing.primary.run(own(readme_block(heading, "CREATE ROLE abgleich_reader")));
  pairing.secondary.run(own(readme_block(heading, "CREATE ROLE abgleich_writer")));

  const auto url = [&](const Database& database, const std::string& role) {
    const auto whole = database.url();
    return whole.substr(0, whole.find("user=")) + "user=" + own(role);
  };
  const auto directory = (pairing.directory.path() / "etc").string();
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"--config", directory + "/abgleich.toml"});
    auto ran = pairing.run(words);
    CHECK_MESSAGE(ran.exit == 0, words.back(), ": ", ran.out, ran.err);
    return ran;
  };
  fs::create_directory(directory);
  const auto init = pairing.run({"init", "--directory", directory, "--primary",
                                 url(pairing.primary, "abgleich_reader"), "--secondary",
                                 url(pairing.secondary, "abgleich_writer")});
  CHECK_MESSAGE(init.exit == 0, init.err);
  write_file(directory + "/contract.toml", readme_block("The contract", "[tables.person]"));
  CHECK(run({"check"}).out.find("hint") == std::string::npos);
  CHECK(run({"diff"}).out.starts_with("+ person id=p1_"));
  CHECK(run({"sync"}).out.find("1 inserted") != std::string::npos);
  CHECK(run({"sync", "-q"}).out.empty());
  CHECK(pairing.secondary.rows("SELECT birth_date, sex, status FROM person") == "1948|f|case");
  // the people who edit it may, and sync keeps what they wrote
  pairing.secondary.run(
      own("SET ROLE public_order_office; UPDATE person SET note = 'rang twice';"
          "RESET ROLE"));
  run({"sync"});
  CHECK(run({"verify"}).out.find(" 0 unexplained") != std::string::npos);
  CHECK(pairing.secondary.rows("SELECT note FROM person") == "rang twice");

  for (auto* database : {&pairing.primary, &pairing.secondary}) {
    database->run(own("DROP OWNED BY abgleich_reader"));
  }
  pairing.secondary.run(
      own("DROP OWNED BY abgleich_writer; DROP OWNED BY public_order_office; DROP ROLE "
          "abgleich_writer, abgleich_reader, public_order_office"));
}

}  // namespace abgleich::test
