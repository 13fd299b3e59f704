// The headings of a table on a page.
#pragma once

#include "report/page/html.hpp"
#include "report/page/words.hpp"

#include <initializer_list>

namespace abgleich::report {

/// REQUIRES: a table is open, and has nothing in it.
inline void write_table_head(Html& html, Language language, std::initializer_list<Word> columns) {
  const auto head = html.open("thead");
  const auto row = html.open("tr");
  for (const auto column : columns) {
    html.leaf("th", word(language, column), {{"scope", "col"}});
  }
}

}  // namespace abgleich::report
