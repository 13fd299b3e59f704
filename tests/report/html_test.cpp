// The writer of pages and its charts: nothing of others becomes markup, and no word is missing.
#include "report/page/html.hpp"

#include "report/page/chart.hpp"
#include "report/page/frame.hpp"
#include "report/page/shown_row.hpp"
#include "report/page/words.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace abgleich;
using namespace abgleich::report;

namespace {

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t times = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) {
    ++times;
  }
  return times;
}

constexpr HtmlVerbatim kScript = "document.title = 'x';";

}  // namespace

TEST_CASE("html: text and attributes of others stay text, whatever is in them") {
  Html html;
  {
    const auto element = html.open("p", {{"title", "\"><script>x</script>'"}});
    html.text("</p><!-- & -->]]><b a='\"'>");
  }
  CHECK(html.document() ==
        "<!DOCTYPE html>\n<p title=\"&quot;&gt;&lt;script&gt;x&lt;/script&gt;&#39;\">"
        "&lt;/p&gt;&lt;!-- &amp; --&gt;]]&gt;&lt;b a=&#39;&quot;&#39;&gt;</p>\n");
}

TEST_CASE("html: what cannot be seen, or is in no XML, is spelled out") {
  Html html;
  html.leaf("bdi", std::string("a\0b\r\n\x7f\xff", 7) + "\u202e\u2028\ufffe\uffff\u0085");
  CHECK(html.document() ==
        "<!DOCTYPE html>\n<bdi>a\\u0000b\\u000d\\u000a\\u007f\\xff\\u202e\\u2028"
        "\\ufffe\\uffff\\u0085</bdi>");
}

TEST_CASE("html: what was opened is closed, in the reverse order") {
  Html html;
  {
    const auto outer = html.open("div");
    const auto inner = html.open("ul");
    html.leaf("li", "one");
    html.empty("br");
  }
  CHECK(html.document() == "<!DOCTYPE html>\n<div><ul><li>one</li>\n<br />\n</ul>\n</div>\n");
}

TEST_CASE("page: its policy allows its own style sheet and script, and nothing else") {
  const PageHead plain{.language = Language::de, .title = "<T>", .made = "2026-03-09T08:00:00Z"};
  auto scripted = plain;
  scripted.script = kScript;
  const auto text = page_of(plain, [](Html&) {});
  CHECK(text.find("lang=\"de\"") != text.npos);
  CHECK(text.find("<title>&lt;T&gt;</title>") != text.npos);
  CHECK(text.find("default-src &#39;none&#39;") != text.npos);
  CHECK(text.find("script-src") == text.npos);
  CHECK(text.find("<script") == text.npos);
  CHECK(text.find("form-action &#39;none&#39;") != text.npos);
  CHECK(std::string_view(text).substr(0, kPageMarkWithin).find(kPageMark) != text.npos);
  const auto with_script = page_of(scripted, [](Html&) {});
  // openssl dgst -sha256 -binary | base64
  CHECK(source_hash(kScript) == "'sha256-50Gb08pbYvh/czsoacHlOU9i8miF5rMrUy6xPcLN6qo='");
  CHECK(with_script.find(
            "script-src &#39;sha256-50Gb08pbYvh/czsoacHlOU9i8miF5rMrUy6xPcLN6qo=&#39;") !=
        text.npos);
  CHECK(count(with_script, "<script>document.title = 'x';</script>") == 1);
}

TEST_CASE("chart: bars have the heights of their parts, and what is there can be seen") {
  Html html;
  draw_bars(html, {{.title = "<a>", .parts = {60, 30, 30}}, {.title = "b", .parts = {0, 1, -5}}},
            "both");
  const auto text = html.document();
  CHECK(text.find("<title>&lt;a&gt;</title>") != text.npos);
  CHECK(text.find("class=\"dark\" x=\"0.00\" y=\"60.00\" width=\"40.00\" height=\"60.00\"") !=
        text.npos);
  CHECK(text.find("class=\"light\" x=\"0.00\" y=\"0.00\" width=\"40.00\" height=\"30.00\"") !=
        text.npos);
  CHECK(text.find("class=\"middle\" x=\"300.00\" y=\"119.00\" width=\"40.00\" height=\"1.00\"") !=
        text.npos);
  CHECK(count(text, "<rect") == 5);  // three, one, and the floor
}

TEST_CASE("chart: no bars, or numbers of a damaged record, are drawn all the same") {
  Html html;
  draw_bars(html, {}, "none");
  draw_bars(html, {{.title = "huge", .parts = {INT64_MAX, INT64_MAX, INT64_MIN}}}, "huge");
  draw_level(html, {.value = 5, .whole = 0, .limit = 9}, "more than whole");
  draw_level(html, {.value = -5, .whole = INT64_MAX, .limit = -1}, "less than nothing");
  const auto text = html.document();
  CHECK(text.find("nan") == text.npos);
  CHECK(text.find("inf") == text.npos);
  CHECK(text.find("\"-") == text.npos);
}

TEST_CASE("words: both languages have every word, with the same places") {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < kWords; ++i) {
    const auto which = static_cast<Word>(i);
    const auto en = word(Language::en, which);
    const auto de = word(Language::de, which);
    CAPTURE(en);
    CHECK(!en.empty());
    CHECK(!de.empty());
    CHECK(count(en, "{}") == count(de, "{}"));
    CHECK(count(en, "{") == count(en, "{}"));
    seen.insert(en);
  }
  CHECK(seen.size() + 2 >= kWords);  // nearly none says what another one says
  for (auto kind = 0; kind <= static_cast<int>(drift::EventKind::unused_was); ++kind) {
    CHECK(word(Language::de, static_cast<drift::EventKind>(kind)) !=
          word(Language::en, static_cast<drift::EventKind>(kind)));
  }
}

TEST_CASE("words: an age has the unit that says most") {
  CHECK(span_words(Language::en, 1) == "1 second");
  CHECK(span_words(Language::en, 119) == "119 seconds");
  CHECK(span_words(Language::de, 7'199) == "119 Minuten");
  CHECK(span_words(Language::de, 172'800) == "2 Tage");
}

TEST_CASE("shown: long values are cut between characters, and what is no text is hexadecimal") {
  const auto cut = shown_value(Value(Kind::text, std::string(999, 'a') + "ä" + "b"));
  CHECK(cut.text == std::string(999, 'a'));
  CHECK(cut.more == 3);
  CHECK(shown_value(Value(Kind::bytes, std::string("\x00\xff", 2))).text == "\\x00ff");
  CHECK(shown_value(Value(Kind::text, "\xff")).text == "\\xff");
  CHECK(shown_value(Value(Kind::boolean, "f")).text == "false");
  CHECK(shown_value(Value()).is == ShownValue::Is::null);
}

TEST_CASE("shown: a column that the contract withholds has no value on a page") {
  const Change change{
      .table = "person",
      .key = {{"id", Value(Kind::text, "p1_a")}, {"secret", Value(Kind::text, "S3CR3T")}},
      .fate = Fate::conflict,
      .cells = {{.column = "status",
                 .primary = Value(Kind::text, "case"),
                 .secondary = Value(Kind::text, "open")},
                {.column = "secret",
                 .primary = Value(Kind::text, "S3CR3T"),
                 .secondary = std::nullopt}},
      .id = "8a33ecfccb6f"};
  const auto shown = shown_conflict(
      change, [](std::string_view, std::string_view column) { return column != "secret"; });
  CHECK(shown.key[1].value == ShownValue{.is = ShownValue::Is::withheld});
  CHECK(shown.cells[0].differs);
  CHECK(shown.cells[1].primary == ShownValue{.is = ShownValue::Is::withheld});
  CHECK(shown.cells[1].secondary == ShownValue{.is = ShownValue::Is::withheld});
}
