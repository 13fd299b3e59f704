#include "report/markup_text.hpp"

#include "core/visible_text.hpp"

namespace abgleich::report {

std::string markup_text(std::string_view text) {
  // no XML may contain them
  constexpr std::string_view kFffe = "\xEF\xBF\xBE";
  constexpr std::string_view kFfff = "\xEF\xBF\xBF";
  const auto seen = visible(text);
  std::string out;
  out.reserve(seen.size());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const auto rest = std::string_view(seen).substr(i);
    if (rest.starts_with(kFffe) || rest.starts_with(kFfff)) {
      out += rest.starts_with(kFffe) ? "\\ufffe" : "\\uffff";
      i += kFffe.size() - 1;
      continue;
    }
    switch (seen[i]) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += seen[i];
    }
  }
  return out;
}

}  // namespace abgleich::report
