// Any text as text of XML or HTML.
#pragma once

#include <string>
#include <string_view>

namespace abgleich::report {

/// For an element, or for an attribute in quotation marks. What is invisible, and what no XML may
/// contain, is spelled out.
std::string markup_text(std::string_view text);

}  // namespace abgleich::report
