// No hint without a scene: every text of the program that tells a reader what to run is named in
// `inventory`, with the scene that follows it or the reason why there is none.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

struct Text {
  std::string file;
  std::string text;
};

/// The string literals of a source file; those that stand beside each other are one, as they are to
/// the compiler.
std::vector<std::string> literals_of(const std::string& source) {
  std::vector<std::string> found;
  std::string text;
  bool open = false;  // a literal has ended, and another may follow
  const auto end = [&] {
    if (open) {
      found.push_back(text);
    }
    text.clear();
    open = false;
  };
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source.compare(i, 2, "//") == 0) {
      i = source.find('\n', i);
      if (i == std::string::npos) {
        break;
      }
    } else if (source[i] == '\'' && i + 2 < source.size() &&
               (source[i + 2] == '\'' || source[i + 1] == '\\')) {
      end();
      i = source.find('\'', i + (source[i + 1] == '\\' ? 3 : 1));
    } else if (source[i] == '"') {
      if (i > 0 && source[i - 1] == 'R') {
        end();  // raw: none of them is a hint
        i = source.find(")\"", i) + 1;
        continue;
      }
      for (++i; source[i] != '"'; ++i) {
        const bool escaped = source[i] == '\\';
        i += escaped ? 1 : 0;
        text += escaped && source[i] == 'n' ? '\n' : source[i];
      }
      open = true;
    } else if (std::isspace(static_cast<unsigned char>(source[i])) == 0) {
      end();
    }
  }
  end();
  return found;
}

/// What tells a reader to run something, or that he has to do something before a run goes on.
bool is_hint(const std::string& text) {
  static const std::regex kCommand(
      "abgleich (--config [^ ]+ "
      ")?(sync|drift|adopt|check|verify|resolve|resume|revert|keys|contract|diff|conflicts|"
      "quarantine|log|status|init|privacy|reveal|token|rekey|grants|peer|backup|restore|report)\\b|"
      "[Nn]"
      "othing was "
      "changed");
  return std::regex_search(text, kCommand);
}

std::vector<Text> hints() {
  std::vector<Text> found;
  for (const auto* directory : {"lib", "cmd"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(kSourceTree) / directory)) {
      const auto extension = entry.path().extension();
      if (extension != ".cpp" && extension != ".hpp") {
        continue;
      }
      for (auto& text : literals_of(read_file(entry.path()))) {
        if (is_hint(text)) {
          found.push_back({fs::relative(entry.path(), kSourceTree).string(), std::move(text)});
        }
      }
    }
  }
  return found;
}

/// One line: a part of the text, and after " | " either "test: NAME", the name of a test case or
/// its beginning, or "because: REASON".
struct Entry {
  std::string part;
  std::string kind;
  std::string what;
};

std::vector<Entry> inventory() {
  std::vector<Entry> entries;
  std::istringstream lines(read_file(fs::path(kSourceTree) / "tests/hints/inventory"));
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    const auto bar = line.rfind(" | ");
    const auto colon = line.find(": ", bar == std::string::npos ? 0 : bar);
    REQUIRE_MESSAGE((bar != std::string::npos && colon != std::string::npos), line);
    entries.push_back(
        {line.substr(0, bar), line.substr(bar + 3, colon - bar - 3), line.substr(colon + 2)});
    CHECK_MESSAGE((entries.back().kind == "test" || entries.back().kind == "because"), line);
  }
  return entries;
}

std::string all_tests() {
  std::string text;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(kSourceTree) / "tests")) {
    if (entry.path().extension() == ".cpp") {
      for (const auto& literal : literals_of(read_file(entry.path()))) {
        text += "\n" + literal;
      }
    }
  }
  return text;
}

}  // namespace

TEST_CASE("hints: every one has a scene that follows it, or a reason why not") {
  const auto texts = hints();
  CHECK(texts.size() > 100);  // they are found at all
  const auto entries = inventory();
  for (const auto& [file, text] : texts) {
    const auto named = std::ranges::any_of(
        entries, [&](const Entry& entry) { return text.find(entry.part) != std::string::npos; });
    CHECK_MESSAGE(named, file, ": '", text,
                  "' is not in tests/hints/inventory: write a scene that follows it");
  }
  const auto tests = all_tests();
  for (const auto& [part, kind, what] : entries) {
    const auto alive = std::ranges::any_of(
        texts, [&](const Text& text) { return text.text.find(part) != std::string::npos; });
    CHECK_MESSAGE(alive, "tests/hints/inventory names what is no hint any more: ", part);
    if (kind == "test") {
      CHECK_MESSAGE(tests.find("\n" + what) != std::string::npos, "there is no such test: ", what);
    }
  }
}

}  // namespace abgleich::test
