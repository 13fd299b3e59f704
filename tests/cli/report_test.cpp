// The pages of `report`, and the decisions that come back from one of them: the program itself, on
// both engines.
#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

const char* const kContract = R"toml(
[tables.person]
key = ["id"]
subject = "id"
quasi_identifiers = ["age"]
sensitive = ["status"]
[tables.person.columns]
id = { class = "pseudonym", identity = "person" }
name = "withhold"
status = { class = "plain", because = "no names in it" }
age = "plain"
code = { class = "plain", codes = ["A", "B"] }
)toml";

// no value of it may leave, and no page may have it
const char* const kSecret = "Mustermann";

struct Office : Pairing {
  explicit Office(On engine) : Pairing(engine, engine, kContract, "[limits]\nmax_updated = 9\n") {
    primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text, status text, age integer, code "
        "text)");
    primary.run(
        "INSERT INTO person VALUES (1, 'Mustermann', 'open', 30, 'A'), "
        "(2, 'Mustermann', 'open', 30, 'A'), (3, 'Mustermann', 'open', 40, 'B')");
    CHECK(sync()["exit"] == 0);
  }

  /// Gives the statuses of both sides; one sync finds the conflicts.
  void disagree(const std::string& ours = "case", const std::string& theirs = "closed") {
    primary.run("UPDATE person SET status = '" + ours + "'");
    secondary.run("UPDATE person SET status = '" + theirs + "'");
    CHECK(sync()["exit"] == 10);
  }
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> found;
    std::istringstream lines(run({"conflicts", "--json"}).out);
    for (std::string line; std::getline(lines, line);) {
      found.push_back(Json::parse(line)["id"]);
    }
    return found;
  }
  std::string statuses() { return secondary.rows("SELECT status FROM person ORDER BY status"); }

  [[nodiscard]] std::string page(const std::vector<std::string>& words, const char* file) const {
    auto all = words;
    all.insert(all.begin(), "report");
    const auto ran = run(all);
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    auto text = read_file(directory / file);
    well_formed(file);
    CHECK(text.find(kSecret) == std::string::npos);
    return text;
  }
  /// An XML parser, which takes nothing that is left open or not escaped, reads the page.
  void well_formed(const char* file) const {
    const auto read =
        run_program({"/usr/bin/xmllint", "--noout", "--nonet", file}, directory.path().string());
    CHECK_MESSAGE(read.exit == 0, read.err);
  }
  /// A file of decisions as the page makes it.
  [[nodiscard]] std::string decisions(const std::vector<std::string>& lines) const {
    const auto mark = mark_of(page({"--decide", "d.html"}, "d.html"));
    std::string text = "abgleich.decisions/1\npairing " + mark + "\n";
    for (const auto& line : lines) {
      text += line + "\n";
    }
    return text;
  }
  static std::string mark_of(const std::string& page) {
    const std::string before = "name=\"pairing\" value=\"";
    const auto at = page.find(before);
    REQUIRE(at != std::string::npos);
    return page.substr(at + before.size(), 16);
  }
  [[nodiscard]] Ran resolve(const std::string& decided, std::vector<std::string> more = {}) const {
    write_file(directory / "decided.txt", decided);
    more.insert(more.begin(), {"resolve", "--from", "decided.txt"});
    return run(more);
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t times = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++times;
  }
  return times;
}

template <class Test>
void on_both(const Test& test) {
  SUBCASE("SQLite") {
    test(On::sqlite);
  }
  SUBCASE("PostgreSQL") {
    test(On::postgresql);
  }
}

}  // namespace

TEST_CASE("report --html shows in both languages what happened and what is open") {
  on_both([](On engine) {
    Office office(engine);
    office.disagree();
    office.primary.run("INSERT INTO person VALUES (4, 'Mustermann', 'open', 50, 'X')");
    office.primary.run("ALTER TABLE person ADD COLUMN phone text");
    CHECK(office.sync()["exit"] == 10);

    const auto en = office.page({"--html", "r.html"}, "r.html");
    const auto de = office.page({"--html", "r.de.html", "--lang", "de"}, "r.de.html");
    CHECK(has(en, "lang=\"en\""));
    CHECK(has(de, "lang=\"de\""));
    for (const auto* page : {&en, &de}) {
      CHECK(count(*page, "<article>") == 3);
      CHECK(has(*page, "<bdi>case</bdi>"));
      CHECK(has(*page, "<bdi>closed</bdi>"));
      CHECK(has(*page, "column &#39;code&#39;: not among the contract&#39;s codes"));
      CHECK(has(*page, "person.phone"));
      CHECK(has(*page, "k = "));
      CHECK(has(*page, "l = "));
      CHECK(count(*page, "<svg") >= 6);
      CHECK(count(*page, "<section ") == 8);
      CHECK(!has(*page, "<script"));
      CHECK(!has(*page, "http://e"));
      for (const auto& id : office.ids()) {
        CHECK(has(*page, id));
      }
    }
    CHECK(has(en, "differs"));
    CHECK(has(en, "Both sides have changed the row."));
    CHECK(has(en, "withhold: never leaves"));
    CHECK(has(en, "a new column"));
    CHECK(has(en, "3 inserted, 0 updated, 0 deleted"));
    CHECK(has(de, "verschieden"));
    CHECK(has(de, "Beide Seiten haben die Zeile geändert."));
    CHECK(has(de, "withhold: wird nie weitergegeben"));
    CHECK(has(de, "eine neue Spalte"));
    CHECK(has(de, "3 eingefügt, 0 geändert, 0 gelöscht"));
  });
}

TEST_CASE("report works before the first run, and where the primary does not answer") {
  on_both([](On engine) {
    Pairing fresh(engine, engine, kContract);
    fresh.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text, status text, age "
        "integer, code text)");
    const auto early = fresh.run({"report", "--html", "-"});
    CHECK_MESSAGE(early.exit == 0, early.err);
    CHECK(has(early.out, "There was no run yet."));
    const auto none = fresh.run({"report", "--decide", "d.html"});
    CHECK(none.exit == 64);
    CHECK(has(none.err, "has no history yet"));

    Office office(engine);
    const auto file = office.directory / "abgleich.toml";
    auto config = read_file(file);
    const auto at = config.find("url = \"") + 7;
    config.replace(at, config.find('"', at) - at, "sqlite:gone.db");
    write_file(file, "retry_for = \"0\"\n" + config);
    const auto page = office.page({"--html", "r.html"}, "r.html");
    CHECK(has(page, "Not known: "));
  });
}

TEST_CASE("report: what is full of markup stays text, in values, names and reasons") {
  on_both([](On engine) {
    Office office(engine);
    const std::string hostile =
        "</bdi></td><script>alert(1)</script>\"''><!-- --> ]]> &amp; \u202egnp.exe\u2066";
    office.disagree(hostile, hostile + "<img src=x onerror=alert(2)>");
    for (const auto* option : {"--html", "--decide"}) {
      const auto page = office.page({option, "x.html"}, "x.html");
      CHECK(!has(page, "<script>alert"));
      CHECK(!has(page, "<img"));
      CHECK(!has(page, "<!-- "));
      CHECK(!has(page, "\u202e"));
      CHECK(has(page,
                "&lt;/bdi&gt;&lt;/td&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;"
                "&gt;&lt;!-- --&gt; ]]&gt; &amp;amp; \\u202egnp.exe\\u2066"));
      CHECK(has(page, "&lt;img src=x onerror=alert(2)&gt;"));
    }
    const auto resolved =
        office.run({"resolve", "--all", "--take", "primary", "--reason", "<b onclick=x>\x1b[31m"});
    CHECK_MESSAGE(resolved.exit == 0, resolved.err);
    CHECK(has(office.page({"--html", "x.html"}, "x.html"), "&lt;b onclick=x&gt;\\u001b[31m"));
  });
}

TEST_CASE("report: a column that the contract withholds by now has no value on the pages") {
  on_both([](On engine) {
    Office office(engine);
    office.disagree("S3CR3T", "0P3N");
    std::string less = kContract;
    const std::string line = "status = { class = \"plain\", because = \"no names in it\" }";
    less.replace(less.find(line), line.size(), "status = \"withhold\"");
    less.replace(less.find("sensitive = [\"status\"]\n"), 23, "");
    office.set_contract(less);
    for (const auto* option : {"--html", "--decide"}) {
      const auto page = office.page({option, "x.html"}, "x.html");
      CHECK(!has(page, "S3CR3T"));
      CHECK(!has(page, "0P3N"));
      CHECK(has(page, "because the contract has changed since they were found: conflicts, 3"));
      CHECK(!has(page, "there is nothing to decide"));
    }
    const auto json = office.run({"report", "--decide", "x.html", "--json"});
    CHECK(Json::parse(json.out)["conflicts"] == 3);
    CHECK(has(office.run({"report", "--decide", "x.html"}).out,
              "3 open conflicts, 0 of them on it\n"));
  });
}

TEST_CASE("what an older contract let leave is neither shown nor resolved") {
  on_both([](On engine) {
    for (const bool pseudonym : {false, true}) {
      CAPTURE(pseudonym);
      Office office(engine);
      office.disagree("S3CR3T", "0P3N");
      const auto ids = office.ids();
      std::string less = kContract;
      const std::string line = "status = { class = \"plain\", because = \"no names in it\" }";
      less.replace(less.find(line), line.size(),
                   pseudonym ? "status = { class = \"pseudonym\", identity = \"status\" }"
                             : "status = \"withhold\"");
      less.replace(less.find("sensitive = [\"status\"]\n"), 23, "");
      office.set_contract(less);
      for (const auto* option : {"--html", "--decide"}) {
        const auto page = office.page({option, "x.html"}, "x.html");
        CHECK(!has(page, "S3CR3T"));
        CHECK(!has(page, "0P3N"));
      }
      for (const auto* const side : {"primary", "secondary"}) {
        const auto refused = office.run({"resolve", ids.front(), "--take", side});
        CHECK_MESSAGE(refused.exit == 10, refused.out, refused.err);
        CHECK_MESSAGE(has(refused.err, "the contract lets other things of this table leave than"),
                      refused.err);
      }
      CHECK(office.statuses() == "0P3N\n0P3N\n0P3N");
      // the run that the hint names decides anew
      const auto after = office.sync();
      CAPTURE(after.dump());
      CHECK(after["exit"] <= 11);
      CHECK(office.run({"resolve", "--all", "--take", "primary", "-q"}).exit <= 10);
      CHECK(!has(office.secondary.rows("SELECT * FROM person"), "S3CR3T"));
    }
  });
}

TEST_CASE("report: a conflict about a row that min_k would hold back is counted, and not shown") {
  on_both([](On engine) {
    Pairing pairing(engine, engine, kContract, "[privacy]\nmin_k = 2\n[limits]\nmax_updated = 9\n");
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text, status text, age integer, code "
        "text)");
    pairing.primary.run(
        "INSERT INTO person VALUES (1, 'M', 'open', 30, 'A'), (2, 'M', 'open', 30, 'A')");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.secondary.run("UPDATE person SET status = 'EDITED'");
    pairing.primary.run("UPDATE person SET age = 40 WHERE id = 1");
    const auto found = pairing.sync();
    CAPTURE(found.dump());
    REQUIRE(found["open"]["conflicts"] > 0);
    for (const auto* option : {"--html", "--decide"}) {
      const auto page = pairing.run({"report", option, "-"});
      CHECK(page.exit == 0);
      CHECK(!has(page.out, "EDITED"));
      CHECK_MESSAGE(has(page.out, "abgleich conflicts"), page.out);
    }
  });
}

TEST_CASE("report: a rare row that others refer to is not called withdrawn, and is not shown") {
  on_both([](On engine) {
    Pairing pairing(
        engine, engine,
        std::string(kContract) + "chief = { class = \"pseudonym\", identity = \"person\" }\n",
        "[privacy]\nmin_k = 2\n[limits]\nmax_updated = 9\nmax_deleted = 9\n");
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text, status text, age integer, code "
        "text, chief integer REFERENCES person (id))");
    pairing.primary.run(
        "INSERT INTO person VALUES (1, 'M', 'RARE', 30, 'A', NULL), (2, 'M', 'open', 30, 'A', 1), "
        "(3, 'M', 'open', 30, 'A', 1)");
    REQUIRE(pairing.sync()["exit"] == 0);
    pairing.primary.run("UPDATE person SET age = 80 WHERE id = 1");
    const auto ran = pairing.run({"sync"});
    CHECK_MESSAGE(ran.exit == 10, ran.out, ran.err);
    CHECK_MESSAGE(!has(ran.out + ran.err, "withdrawn from the secondary"), ran.out, ran.err);
    CHECK(pairing.secondary.rows("SELECT count(*) FROM person WHERE status = 'RARE'") == "1");
    for (const auto* option : {"--html", "--decide"}) {
      const auto page = pairing.run({"report", option, "-"});
      CHECK(page.exit == 0);
      CHECK(!has(page.out, "RARE"));
      CHECK(has(page.out, "conflicts about rows that are to be withdrawn, 1 in number"));
    }
  });
}

TEST_CASE("report: of rows that min_k holds back, the page has the number only") {
  on_both([](On engine) {
    Pairing pairing(engine, engine, kContract, "[privacy]\nmin_k = 2\n");
    pairing.primary.run(
        "CREATE TABLE person (id integer PRIMARY KEY, name text, status text, age "
        "integer, code text)");
    pairing.primary.run(
        "INSERT INTO person VALUES (1, 'M', 'open', 30, 'A'), "
        "(2, 'M', 'open', 30, 'A'), (3, 'M', 'open', 40, 'B')");
    CHECK(pairing.sync()["exit"] == 11);
    const auto listed = pairing.run({"quarantine", "--json"});
    const std::string rare = Json::parse(listed.out)["key"]["id"];
    const auto page = pairing.run({"report", "--html", "-"});
    CHECK(page.exit == 0);
    CHECK(!has(page.out, rare));
    CHECK(has(page.out, "one row, not named here"));
    CHECK(has(page.out, "fewer than 2 subjects"));
  });
}

TEST_CASE("report is written with mode 0600, over a page of its own and over nothing else") {
  Office office(On::sqlite);
  (void)office.page({"--html", "r.html"}, "r.html");
  const auto file = office.directory / "r.html";
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0600);
  (void)office.page({"--html", "r.html", "--lang", "de"}, "r.html");

  const auto before = read_file(office.directory / "contract.toml");
  const auto refused = office.run({"report", "--html", "contract.toml"});
  CHECK(refused.exit == 64);
  CHECK(has(refused.err, "'contract.toml' is there already, and is no page of abgleich"));
  CHECK(read_file(office.directory / "contract.toml") == before);
  fs::create_symlink("r.html", office.directory / "link.html");
  CHECK(office.run({"report", "--html", "link.html"}).exit == 64);
  CHECK(office.run({"report", "--html", "."}).exit == 64);
  CHECK(has(office.run({"report", "--html", "gone/r.html"}).err, "cannot be written"));
  CHECK(office.run({"report"}).exit == 64);
  CHECK(office.run({"report", "--html", "a", "--decide", "b"}).exit == 64);
  CHECK(office.run({"report", "--html", "-", "--json"}).exit == 64);
  CHECK(office.run({"report", "--html", "a", "--lang", "fr"}).exit == 64);
  const auto json = office.run({"report", "--html", "r.html", "--json"});
  CHECK(Json::parse(json.out) ==
        Json({{"schema", "abgleich.report/1"}, {"file", "r.html"}, {"conflicts", 0}}));
}

TEST_CASE("resolve --from applies what was decided on the page") {
  on_both([](On engine) {
    Office office(engine);
    office.disagree();
    const auto ids = office.ids();
    REQUIRE(ids.size() == 3);
    const auto page = office.page({"--decide", "d.html"}, "d.html");
    CHECK(count(page, "<fieldset>") == 3);
    CHECK(count(page, "<input type=\"radio\"") == 9);
    CHECK(count(page, "<script>") == 1);
    for (const auto& id : ids) {
      CHECK(has(page, "name=\"" + id + "\" value=\"primary\""));
    }
    const auto done = office.resolve(
        office.decisions({ids[0] + " primary", ids[1] + " secondary", ids[2] + " open"}),
        {"--reason", "asked the ward"});
    CHECK_MESSAGE(done.exit == 0, done.err);
    CHECK(has(done.out, "2 resolved, 1 open; run r3-"));
    CHECK(office.ids() == std::vector{ids[2]});
    CHECK(office.statuses() == "case\nclosed\nclosed");
    CHECK(has(office.run({"log", "-n", "1", "--json"}).out, R"("reason":"asked the ward")"));
  });
}

TEST_CASE("resolve --from takes the page's address, from a file or standard input") {
  Office office(On::sqlite);
  office.disagree();
  const auto ids = office.ids();
  const auto mark = Office::mark_of(office.page({"--decide", "d.html"}, "d.html"));
  const auto address = "file:///home/clerk/d.html?format=abgleich.decisions%2F1&pairing=" + mark +
                       "&" + ids[0] + "=primary&" + ids[1] + "=open&";
  const auto piped =
      run_program(office.command({"resolve", "--from", "-"}), office.directory.path().string(), {},
                  address + ids[2] + "=open\n");
  CHECK_MESSAGE(piped.exit == 0, piped.err);
  CHECK(has(piped.out, "1 resolved, 2 open"));
  const auto filed = office.resolve(address + ids[2] + "=secondary");
  CHECK(filed.exit == 10);
  CHECK(has(filed.out, "1 resolved, 1 open"));
  CHECK_MESSAGE(has(filed.err, "not applied: " + ids[0] + ": no open conflict has this id"),
                filed.err);
}

TEST_CASE("resolve --from refuses line by line what has changed since, and applies the rest") {
  on_both([](On engine) {
    Office office(engine);
    office.disagree();
    const auto ids = office.ids();
    const auto decided =
        office.decisions({ids[0] + " primary", ids[1] + " primary", "", ids[2] + " primary",
                          "0123456789ab secondary", ids[2] + " secondary"});
    // the first is edited, and found again under another id; the last is decided twice
    office.secondary.run(
        "UPDATE person SET status = 'newer' WHERE id = (SELECT id FROM person ORDER BY id LIMIT "
        "1)");
    CHECK(office.sync()["exit"] == 10);
    const auto now = office.ids().front();
    CHECK(now != ids[0]);
    const auto done = office.resolve(decided);
    CHECK(done.exit == 10);
    CHECK(has(done.out, "1 resolved, 2 open"));
    CHECK(done.err == "left open: line 3: " + ids[0] +
                          ": it has changed since it was shown; it is now '" + now +
                          "': status: primary \"case\" | secondary \"newer\"\n"
                          "left open: line 6: " +
                          ids[2] +
                          ": it is decided twice, and differently: see line 8\n"
                          "not applied: line 7: 0123456789ab: no open conflict has this id; it was "
                          "decided or has closed since\n");
    CHECK(office.statuses() == "case\nclosed\nnewer");
    const auto json = Json::parse(office.resolve(decided, {"--json"}).out);
    CHECK(json["resolved"] == 0);
    CHECK(json["left_open"].back()["line"] == 7);
    CHECK(json["left_open"].back()["open"] == false);
  });
}

TEST_CASE("resolve --from refuses the decisions of another pairing, and damaged ones, as a whole") {
  on_both([](On engine) {
    Office office(engine);
    Office other(engine);
    office.disagree();
    other.disagree();
    const auto ids = office.ids();
    const auto foreign = office.resolve(other.decisions({ids[0] + " primary"}));
    CHECK(foreign.exit == 64);
    CHECK(has(foreign.err, "these decisions are for another pairing"));
    const auto damaged =
        office.resolve(office.decisions({ids[0] + " primary", ids[1] + " prim\x01"}));
    CHECK(damaged.exit == 64);
    CHECK(has(damaged.err, "line 4 of 'decided.txt' is no decision: "));
    CHECK(has(office.resolve(office.decisions({ids[0] + " open"})).err, "decides nothing"));
    CHECK(office.resolve(office.decisions({ids[0] + " primary"}), {"--all"}).exit == 64);
    CHECK(office.run({"resolve", "--from", "gone.txt"}).exit == 64);
    CHECK(office.run({"resolve", "--from", "."}).exit == 64);
    CHECK(office.ids() == ids);
    CHECK(office.statuses() == "closed\nclosed\nclosed");
  });
}

TEST_CASE("report --decide offers only the sides that can be taken") {
  on_both([](On engine) {
    Office office(engine);
    office.secondary.run("UPDATE person SET status = 'ours'");
    office.primary.run("DELETE FROM person WHERE id = 1");
    const auto found = office.sync();
    CHECK(found["exit"] == 10);
    const auto page = office.page({"--decide", "d.html", "--lang", "de"}, "d.html");
    CHECK(has(page, "Die Zeile löschen, wie die Primärdatenbank"));
    CHECK(has(page, "keine solche Zeile"));
    const auto id = office.ids().front();
    CHECK(office.resolve(office.decisions({id + " primary"})).exit == 0);
    CHECK(office.statuses() == "ours\nours");
    CHECK(has(office.page({"--decide", "d.html"}, "d.html"), "there is nothing to decide"));
  });
}

}  // namespace abgleich::test
