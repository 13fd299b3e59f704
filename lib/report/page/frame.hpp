// What all pages share: one file that loads nothing, whose content security policy allows its own
// style sheet and script only; fit for narrow screens and for paper.
#pragma once

#include "report/page/html.hpp"
#include "report/page/words.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::report {

/// Every page of ours has this in its beginning.
inline constexpr std::string_view kPageMark = "<meta name=\"generator\" content=\"abgleich\" />";
/// In how many bytes at most.
inline constexpr std::size_t kPageMarkWithin = 512;

struct PageHead {
  Language language = Language::en;
  std::string title;
  std::string made;  // UTC
  /// Runs after the page was read; empty: the page has no script, and none would run.
  std::optional<HtmlVerbatim> script;
};

/// The whole page; `body` writes what comes below its heading.
std::string page_of(const PageHead& head, const std::function<void(Html&)>& body);

}  // namespace abgleich::report
