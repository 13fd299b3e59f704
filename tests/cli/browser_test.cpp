// The pages of `report` in a real browser: with and without scripts, by keyboard alone, as narrow
// as a telephone, and with values that would like to be markup.
#include "support/chromium.hpp"
#include "support/pairing.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Scripts = Chromium::Scripts;

const char* const kContract =
    "[tables.person]\nkey = [\"id\"]\nsubject = \"id\"\nquasi_identifiers = [\"age\"]\n"
    "[tables.person.columns]\nid = { class = \"pseudonym\", identity = \"person\" }\n"
    "status = { class = \"plain\", because = \"a test\" }\nage = \"plain\"\n";

const std::string kHostile =
    "</bdi></td></table><script>document.title=\"hacked\"</script><img src=x "
    "onerror=document.title=\"hacked\"><a href=javascript:0>" +
    std::string(400, 'w');

/// Three conflicts, and both pages.
struct Clerk : Pairing {
  Clerk() : Pairing(On::sqlite, On::sqlite, kContract, "[limits]\nmax_updated = 9\n") {
    primary.run("CREATE TABLE person (id integer PRIMARY KEY, status text, age integer)");
    primary.run("INSERT INTO person VALUES (1, 'open', 30), (2, 'open', 30), (3, 'open', 40)");
    CHECK(sync()["exit"] == 0);
    primary.run("UPDATE person SET status = '" + kHostile + "'");
    secondary.run("UPDATE person SET status = 'ours'");
    CHECK(sync()["exit"] == 10);
    for (const auto* option : {"--html", "--decide"}) {
      const auto file = std::string(option).substr(2) + ".html";
      const auto ran = run({"report", option, file, "--lang", "de"});
      CHECK_MESSAGE(ran.exit == 0, ran.err);
    }
  }

  [[nodiscard]] fs::path html() const { return directory / "html.html"; }
  [[nodiscard]] fs::path decide() const { return directory / "decide.html"; }
};

/// What has to be true of every page, whatever it shows.
void look_over(Chromium& browser) {
  CHECK(browser.evaluate("document.documentElement.scrollWidth") <= Chromium::kWidth);
  CHECK(browser.evaluate("document.body.scrollWidth") <= Chromium::kWidth);
  CHECK(browser.evaluate("document.querySelectorAll('img, iframe, link, [onerror]').length") == 0);
  CHECK(browser.evaluate("document.querySelectorAll('a:not([href^=\"#\"])').length") == 0);
  CHECK(browser.evaluate("document.title.startsWith('hacked')") == false);
  CHECK(browser.evaluate("document.body.textContent.includes('</bdi></td></table><script>')") ==
        true);
  CHECK(browser.evaluate("document.documentElement.lang") == "de");
  // the style sheet is used, although the policy allows only one that it knows
  CHECK(browser.evaluate("getComputedStyle(document.body).margin") == "0px");
}

/// The first conflict for the primary, the second for the secondary, the third left open; by the
/// keyboard, from the top of the page to its button.
void decide_by_keyboard(Chromium& browser) {
  browser.tab();  // to the choice that is made, the last of three
  browser.up();
  browser.up();
  CHECK(browser.evaluate("document.activeElement.value") == "primary");
  browser.tab();
  browser.up();
  CHECK(browser.evaluate("document.activeElement.value") == "secondary");
  browser.tab();
  CHECK(browser.evaluate("document.activeElement.value") == "open");
  browser.tab();
  CHECK(browser.evaluate("document.activeElement.id") == "save");
}

void expect_applied(Clerk& clerk, const Ran& resolved) {
  CHECK_MESSAGE(resolved.exit == 0, resolved.err);
  CHECK(resolved.out.starts_with("2 resolved, 1 open"));
  CHECK(clerk.secondary.rows("SELECT count(*) FROM person WHERE status = 'ours'") == "2");
}

}  // namespace

TEST_CASE("browser: the page to read fits a telephone, with all its charts, and runs no script") {
  const Clerk clerk;
  Chromium browser;
  browser.open(clerk.html(), Scripts::on);
  look_over(browser);
  CHECK(browser.evaluate("document.scripts.length") == 0);
  CHECK(browser.evaluate("document.querySelectorAll('section').length") == 8);
  CHECK(browser.evaluate("[...document.querySelectorAll('svg')].every(svg => "
                         "svg.getBoundingClientRect().width > 0 && "
                         "svg.getBoundingClientRect().height > 0)") == true);
  CHECK(browser.evaluate("document.querySelectorAll('svg rect').length") > 5);
}

TEST_CASE("browser: decisions are saved as a file, by the keyboard alone") {
  Clerk clerk;
  Chromium browser;
  browser.save_into(clerk.directory / "saved");
  browser.open(clerk.decide(), Scripts::on);
  look_over(browser);
  CHECK(browser.evaluate("document.scripts.length") == 1);
  CHECK(browser.evaluate("document.getElementById('unscripted').hidden") == true);
  decide_by_keyboard(browser);
  CHECK(browser.evaluate("document.getElementById('decided').textContent") ==
        "2 von 3 entschieden");
  browser.enter();
  browser.wait_until_saved();
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(clerk.directory / "saved")) {
    files.push_back(entry.path());
  }
  REQUIRE(files.size() == 1);
  CHECK(files.front().filename().string().starts_with("decisions-"));
  expect_applied(clerk, clerk.run({"resolve", "--from", files.front().string()}));
}

TEST_CASE("browser: without scripts the choices are in the page's address") {
  Clerk clerk;
  Chromium browser;
  browser.open(clerk.decide(), Scripts::off);
  look_over(browser);
  CHECK(browser.evaluate("document.getElementById('unscripted').hidden") == false);
  CHECK(browser.evaluate("document.getElementById('save').textContent") ==
        "Auswahl in die Adresse schreiben");
  decide_by_keyboard(browser);
  browser.enter();
  browser.wait_until_loaded();
  const std::string address = browser.evaluate("location.href");
  write_file(clerk.directory / "address.txt", address + "\n");
  expect_applied(clerk, clerk.run({"resolve", "--from", "address.txt"}));
}

TEST_CASE("browser: every choice has a label, and every label its choice") {
  const Clerk clerk;
  Chromium browser;
  browser.open(clerk.decide(), Scripts::on);
  CHECK(browser.evaluate("document.querySelectorAll('input[type=radio]').length") == 9);
  CHECK(browser.evaluate("[...document.querySelectorAll('input[type=radio]')].every(box => "
                         "box.labels.length === 1 && box.labels[0].textContent.trim() !== '' && "
                         "box.closest('fieldset').querySelector('legend').textContent.includes("
                         "box.name))") == true);
  CHECK(browser.evaluate("document.querySelectorAll('h1').length") == 1);
  CHECK(browser.evaluate("[...document.querySelectorAll('th')].every(th => th.scope !== '')") ==
        true);
}

}  // namespace abgleich::test
