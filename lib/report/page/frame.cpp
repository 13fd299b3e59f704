#include "report/page/frame.hpp"

#include "report/local_time.hpp"

#include <fmt/format.h>

namespace abgleich::report {

namespace {

constexpr HtmlVerbatim kStyle = R"(
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; color: #111; background: #fff; font: 100%/1.45 sans-serif; hyphens: auto; }
main { max-width: 60em; margin: 0 auto; padding: 1em; }
body, td, th, dd, legend { overflow-wrap: anywhere; }
h1 { font-size: 1.5em; }
h2 { font-size: 1.2em; margin-top: 2em; border-bottom: 1px solid #888; }
h3 { font-size: 1em; margin-bottom: 0.3em; }
table { width: 100%; border-collapse: collapse; margin: 0.5em 0 1em; }
th, td { padding: 0.25em 0.4em; text-align: left; vertical-align: top; border: 1px solid #999; }
th { background: #eee; }
dl { display: grid; grid-template-columns: minmax(6em, 1fr) 2fr; gap: 0.2em 0.8em; }
dt { font-weight: bold; }
dd { margin: 0; }
bdi { unicode-bidi: isolate; white-space: break-spaces; }
td bdi { border-bottom: 1px dotted #888; }
em { font-style: italic; color: #444; }
.differs td { font-weight: bold; background: #fff3d6; }
.key { font-weight: normal; }
svg { display: block; width: 100%; margin: 0.4em 0; }
.bars { height: 8em; }
.level { height: 1em; }
.dark { fill: #1f4e79; }
.middle { fill: #7fb0d8; }
.light { fill: #dbe8f3; stroke: #1f4e79; vector-effect: non-scaling-stroke; }
.rest { fill: #e4e4e4; }
.limit { fill: #b00020; }
.floor { fill: #111; }
svg.shade { display: inline-block; width: 1em; height: 1em; margin: 0 0.3em 0 0; vertical-align: -0.1em; }
.shades span { white-space: nowrap; margin-right: 1em; }
fieldset, article { border: 1px solid #888; margin: 1em 0; padding: 0.6em; min-width: 0; }
legend { padding: 0 0.3em; font-weight: bold; max-width: 100%; }
label { display: block; padding: 0.3em; }
label:focus-within, button:focus-visible, a:focus-visible { outline: 3px solid #1f4e79; }
button { font: inherit; padding: 0.5em 1em; max-width: 100%; white-space: normal; }
.note { border-left: 4px solid #888; padding-left: 0.6em; }
@media print {
  main { max-width: none; padding: 0; }
  body { font-size: 10pt; }
  nav, button { display: none; }
  svg, th, .differs td { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  tr, fieldset, article, svg, dl { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
}
)";

/// What the browser may use: the style sheet and the script of this page. A form may lead back to
/// the page, which lies in a file.
std::string policy(const std::optional<HtmlVerbatim>& script) {
  const auto rules =
      fmt::format("default-src 'none'; base-uri 'none'; style-src {}", source_hash(kStyle));
  return script ? fmt::format("{}; script-src {}; form-action 'self' file:", rules,
                              source_hash(*script))
                : rules + "; form-action 'none'";
}

void write_head(Html& html, const PageHead& head) {
  const auto element = html.open("head");
  html.empty("meta", {{"charset", "utf-8"}});
  html.empty("meta", {{"name", "generator"}, {"content", "abgleich"}});
  html.empty("meta", {{"http-equiv", "Content-Security-Policy"}, {"content", policy(head.script)}});
  html.empty("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  html.empty("meta", {{"name", "referrer"}, {"content", "no-referrer"}});
  html.leaf("title", head.title);
  html.style(kStyle);
}

}  // namespace

std::string page_of(const PageHead& head, const std::function<void(Html&)>& body) {
  Html html;
  {
    const std::string language(name_of(head.language));
    const auto root =
        html.open("html", {{"xmlns", "http://www.w3.org/1999/xhtml"}, {"lang", language}});
    write_head(html, head);
    const auto whole = html.open("body");
    {
      const auto main = html.open("main");
      html.leaf("h1", head.title);
      html.leaf("p", phrase(head.language, Word::made, with_local(head.made)));
      html.leaf("p", word(head.language, Word::confidential), {{"class", "note"}});
      body(html);
      html.leaf("p", word(head.language, Word::words_note));
      html.leaf("p", word(head.language, Word::language_note));
    }
    if (head.script) {
      html.script(*head.script);
    }
  }
  return html.document();
}

}  // namespace abgleich::report
