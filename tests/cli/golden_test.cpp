// What people see, word for word: every case in tests/cli/golden/ is a directory with two files.
//
// `scene` says what happens, line by line:
//   # text            a comment; it is copied to `expected`
//   include NAME      the lines of tests/cli/golden/NAME, in silence: nothing of it is shown
//   only sqlite       the pairing is SQLite's alone, because the output names the engine
//   primary:          the lines below that are indented by four spaces are SQL for that database
//   secondary:        (the same)
//   file NAME:        the indented lines below are the new content of that file
//   $ command         is run by /bin/sh where abgleich.toml is; `abgleich`, $PRIMARY and $SECONDARY
//                     (the URLs) are known
//
// `expected` has every command with what it says: "1> " before a line of stdout, "2> " before one
// of stderr, then its exit code. Key file, and so pseudonyms and conflict ids, are the same in
// every run; what is not (times, run ids, paths, users, versions) is exchanged for a word in
// capitals. Where it does not say `only sqlite`, PostgreSQL on both sides has to say the very same.
//
// ABGLEICH_GOLDEN=write writes `expected` anew; look at `git diff` then.
#include "support/pairing.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <set>
#include <sys/stat.h>
#include <utility>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(kSourceTree) / "tests" / "cli" / "golden";

std::string key_text() {
  return "abgleich-keyring 1\nepoch 1 " + std::string(64, '1') + " " + std::string(64, '2') + " " +
         std::string(64, '3') + "\nchecksum fe31ed9689d37ec097ee004c45662de3\n";
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

class Scene {
 public:
  Scene(const fs::path& file, On engine) : pairing_(engine, engine, "") {
    fs::remove(pairing_.directory / "abgleich.key");
    write_file(pairing_.directory / "abgleich.key", key_text());
    REQUIRE(::chmod((pairing_.directory / "abgleich.key").c_str(), 0600) == 0);
    run(file, Shown::yes);
  }

  /// What `expected` should be.
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  enum class Shown { yes, no };

  void run(const fs::path& file, Shown shown) {
    std::istringstream lines(read_file(file));
    std::string block;  // what the indented lines are for: "primary", "secondary", a file's name
    std::string text;
    const auto end_block = [&] {
      if (block == "primary" || block == "secondary") {
        (block == "primary" ? pairing_.primary : pairing_.secondary).run(text);
      } else if (!block.empty()) {
        write_file(pairing_.directory / block, text);
      }
      block.clear();
      text.clear();
    };
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("    ") || (line.empty() && !block.empty())) {
        REQUIRE_MESSAGE(!block.empty(), file, ": nothing to indent here: ", line);
        text += line.substr(std::min<std::size_t>(4, line.size())) + "\n";
        continue;
      }
      end_block();
      if (line == "primary:" || line == "secondary:") {
        block = line.substr(0, line.size() - 1);
      } else if (line.starts_with("file ") && line.ends_with(':')) {
        block = line.substr(5, line.size() - 6);
      } else if (line.starts_with("include ")) {
        run(kGolden / line.substr(8), Shown::no);
      } else if (line.starts_with("$ ")) {
        const auto told = command(line.substr(2));
        said_ += shown == Shown::yes ? line + "\n" + told : "";
      } else if (line.starts_with("#")) {
        said_ += shown == Shown::yes ? line + "\n" : "";
      } else {
        REQUIRE_MESSAGE((line.empty() || line == "only sqlite"), file, ": not understood: ", line);
      }
    }
    end_block();
  }

  std::string command(const std::string& words) {
    const auto ran = is_program_alone(words) ? pairing_.run(split(words)) : in_shell(words);
    return marked("1> ", ran.out) + marked("2> ", ran.err) + "exit " + std::to_string(ran.exit) +
           "\n\n";
  }

  /// Whether a shell would do nothing but start `abgleich` with these words.
  static bool is_program_alone(const std::string& words) {
    static const std::regex kPlain("abgleich( [A-Za-z0-9_./=:%-]+)*");
    return std::regex_match(words, kPlain);
  }
  static std::vector<std::string> split(const std::string& words) {
    std::istringstream rest(words);
    std::string program;
    rest >> program;
    return {std::istream_iterator<std::string>(rest), {}};
  }
  [[nodiscard]] Ran in_shell(const std::string& words) const {
    const auto path = fs::path(kProgram).parent_path().string() + ":/usr/bin:/bin";
    return run_program({"/bin/sh", "-c", words}, pairing_.directory.path().string(),
                       {"PATH=" + path, "PRIMARY=" + pairing_.primary.url(),
                        "SECONDARY=" + pairing_.secondary.url(), "LC_ALL=C.UTF-8"});
  }

  [[nodiscard]] std::string marked(const std::string& mark, const std::string& text) const {
    std::string all;
    std::istringstream lines(settled(text));
    for (std::string line; std::getline(lines, line);) {
      all += line.empty() ? mark.substr(0, 2) + "\n" : mark + line + "\n";
    }
    return all + (text.empty() || text.ends_with('\n') ? "" : "(no line end)\n");
  }

  /// With a word for whatever is another in every run.
  [[nodiscard]] std::string settled(std::string text) const {
    replace_all(text, pairing_.primary.url(), "PRIMARY");
    replace_all(text, pairing_.secondary.url(), "SECONDARY");
    replace_all(text, pairing_.directory.path().string(), "DIRECTORY");
    replace_all(text, "\x1b", "ESC");
    static const std::vector<std::pair<std::regex, std::string>> kWords{
        {std::regex(R"(\br([0-9]+)-[0-9a-f]{8}\b)"), "r$1-HASH"},
        {std::regex(R"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z)"), "TIME"},
        {std::regex(R"((r[0-9]+-HASH  TIME  [a-z]+  )\S+)"), "$1USER"},
        {std::regex(R"re("operator":"[^"]*")re"), R"("operator":"USER")"},
        {std::regex(R"(\b[0-9a-f]{64}\b)"), "HASH"},
        {std::regex(R"(\b[0-9]+ (second|minute|hour|day)s? ago\b)"), "AGE ago"},
        {std::regex(R"(\b[0-9]+ (second|minute)s? old\b)"), "AGE old"},
        {std::regex(R"(\b[0-9]+ bytes\b)"), "N bytes"},
        {std::regex(R"(/kept-[0-9]{4}-[0-9]{2}-[0-9]{2}\b)"), "/kept-DATE"},
        {std::regex(R"re("age_seconds":[0-9]+)re"), R"("age_seconds":AGE)"},
        {std::regex(R"re("(worst_)?seconds":[0-9.]+)re"), R"("$1seconds":AGE)"},
        {std::regex(R"(the last of all within [0-9]+ (second|minute|hour)s?\b)"),
         "the last of all within AGE"},
        {std::regex(R"(\b[0-9]+ MiB free\b)"), "N MiB free"},
        {std::regex(R"(\bsqlite 3[0-9.]+)"), "sqlite VERSION"},
        {std::regex(R"(^abgleich [0-9.]+\n$)"), "abgleich VERSION\n"},
    };
    for (const auto& [pattern, word] : kWords) {
      text = std::regex_replace(text, pattern, word);
    }
    return text;
  }

  Pairing pairing_;
  std::string said_;
};

/// The first line in which the two differ, for people.
std::string first_difference(const std::string& expected, const std::string& said) {
  std::istringstream left(expected);
  std::istringstream right(said);
  std::string a;
  std::string b;
  for (int number = 1;; ++number) {
    const bool more_a = static_cast<bool>(std::getline(left, a));
    const bool more_b = static_cast<bool>(std::getline(right, b));
    if (!more_a && !more_b) {
      return "only in its line ends";
    }
    if (!more_a || !more_b || a != b) {
      return "line " + std::to_string(number) + "\n  expected: " + (more_a ? a : "(the end)") +
             "\n  said:     " + (more_b ? b : "(the end)");
    }
  }
}

void check_case(const fs::path& directory) {
  const auto scene = directory / "scene";
  const auto expected = directory / "expected";
  const bool sqlite_only = ("\n" + read_file(scene)).find("\nonly sqlite\n") != std::string::npos;
  const char* mode = std::getenv("ABGLEICH_GOLDEN");
  for (const auto engine : kEngines) {
    if (engine == On::postgresql && sqlite_only) {
      continue;
    }
    const Scene played(scene, engine);
    if (engine == On::sqlite && mode != nullptr && std::string_view(mode) == "write") {
      write_file(expected, played.said());
    }
    const auto wanted = read_file(expected);
    const bool same = played.said() == wanted;  // for a message without both texts
    CHECK_MESSAGE(same, directory.filename().string(), " on ", name_of(engine), " differs in ",
                  first_difference(wanted, played.said()),
                  "\nhint: if that is right, run it with ABGLEICH_GOLDEN=write");
  }
}

}  // namespace

TEST_CASE("golden: every command says what it said before") {
  std::set<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(kGolden)) {
    if (entry.is_directory()) {
      cases.insert(entry.path());
    }
  }
  REQUIRE(!cases.empty());
  for (const auto& directory : cases) {
    check_case(directory);
  }
}

}  // namespace abgleich::test
