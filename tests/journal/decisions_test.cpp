// Decisions as they come back from the page: a file or an address, from outside.
#include "journal/decisions.hpp"

#include "core/error.hpp"

#include <doctest/doctest.h>

using namespace abgleich;
using namespace abgleich::journal;

namespace {

const std::string kHead = "abgleich.decisions/1\npairing 0123456789abcdef\n";
const std::string kAddress =
    "file:///tmp/decide.html?format=abgleich.decisions%2F1&pairing=0123456789abcdef";

std::string refused(const std::string& text) {
  try {
    (void)parse_decisions(text, "d.txt");
  } catch (const Failure& failure) {
    CHECK(failure.error().code == Code::usage);
    CHECK(failure.error().hint.find("Nothing was changed") != std::string::npos);
    return failure.error().message;
  }
  return {};
}

}  // namespace

TEST_CASE("decisions: a file and the page's address say the same") {
  const auto file = parse_decisions(
      kHead + "8a33ecfccb6f primary\n0123456789ab open\n95f1f2863eb5 secondary\n", "d.txt");
  CHECK(file.pairing == "0123456789abcdef");
  REQUIRE(file.all.size() == 2);
  CHECK(file.all[0] == Decision{.id = "8a33ecfccb6f", .side = Side::primary, .line = 3});
  CHECK(file.all[1] == Decision{.id = "95f1f2863eb5", .side = Side::secondary, .line = 5});
  auto address = parse_decisions(
      kAddress + "&8a33ecfccb6f=primary&0123456789ab=open&95f1f2863eb5=secondary#decided\n", "-");
  REQUIRE(address.all.size() == 2);
  address.all[0].line = 3;
  address.all[1].line = 5;
  CHECK(address == file);
}

TEST_CASE("decisions: what editors and mails do to a text does no harm") {
  const auto plain = parse_decisions(kHead + "8a33ecfccb6f primary\n", "d.txt");
  CHECK(parse_decisions("\xEF\xBB\xBF"
                        "abgleich.decisions/1\r\npairing 0123456789abcdef\r\n"
                        "8a33ecfccb6f \t primary \r\n\r\n",
                        "d.txt") == plain);
  CHECK(parse_decisions("\xEF\xBB\xBF" + kAddress + "&8a33ecfccb6f=primary \r\n", "d.txt")
            .all.size() == 1);
}

TEST_CASE("decisions: hostile text is refused as a whole, with the line and no more of it") {
  CHECK(refused("") == "'d.txt' is empty");
  CHECK(refused("\n \r\n") == "'d.txt' is empty");
  CHECK(refused("hello\n") ==
        "'d.txt' is no file of decisions, and no address of the page for them");
  CHECK(refused("abgleich.decisions/2\n").find("another format") != std::string::npos);
  CHECK(refused("abgleich.decisions/1\n8a33ecfccb6f primary\n") ==
        "'d.txt' does not say which pairing it is for");
  CHECK(refused(kHead + "8a33ecfccb6f both\n") ==
        "line 3 of 'd.txt' is no decision: '8a33ecfccb6f both'");
  CHECK(refused(kHead + "8A33ECFCCB6F primary\n").starts_with("line 3"));
  CHECK(refused(kHead + "8a33 primary\n").starts_with("line 3"));
  CHECK(refused(kHead + "8a33ecfccb6f primary\npairing 0123456789abcdef\n").starts_with("line 4"));
  CHECK(refused(kHead + std::string("8a33ecfccb6f\0primary\n", 21)).find('\0') ==
        std::string::npos);
  CHECK(refused(kHead + "\xff\xfe\n").find('\xff') == std::string::npos);
  CHECK(refused(kHead + std::string(500'000, 'x') + "\n").size() < 300);
  CHECK(refused(std::string(kLongestDecisions + 1, 'x')).find("too long") != std::string::npos);
  CHECK(refused(kAddress + "&8a33ecfccb6f=both").find("a field") != std::string::npos);
  CHECK(refused(kAddress + "&x=%zz").find("a field") != std::string::npos);
  CHECK(refused("https://example.org/?q=1").find("a field") != std::string::npos);
  CHECK(refused("https://example.org/?").find("no address of the page") != std::string::npos);
}

TEST_CASE("decisions: a pairing's mark tells pairings apart and nothing else") {
  const auto mark = pairing_mark("0123456789abcdef0123456789abcdef");
  CHECK(mark.size() == 16);
  CHECK(mark.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(mark == pairing_mark("0123456789abcdef0123456789abcdef"));
  CHECK(mark != pairing_mark("0123456789abcdef0123456789abcdee"));
  CHECK(mark != "0123456789abcdef");
}
