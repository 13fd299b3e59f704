// What leaves in which class, and how well people are hidden in it, as sections of a page.
#pragma once

#include "report/page/html.hpp"
#include "report/page/words.hpp"
#include "report/privacy.hpp"

namespace abgleich::report {

/// Every column of the contract, table by table.
void write_what_leaves(Html& html, Language language, const Privacy& privacy);

/// k, l and who is unique, as charts; numbers only, never a value.
void write_hiding(Html& html, Language language, const Privacy& privacy);

}  // namespace abgleich::report
