// The manual pages, as the build installs them: what a person looks up is there.
#include "support/pairing.hpp"
#include "support/places.hpp"
#include "support/program.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <regex>

namespace abgleich::test {

namespace {

namespace fs = std::filesystem;

struct Pages {
  Pages() {
    const auto ran = run_program({kProgram, "manual", "--directory", directory.path().string(),
                                  "--schemas", (fs::path(kSourceTree) / "schemas").string()});
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
  }

  /// As words, without what only roff reads.
  [[nodiscard]] std::string text(const std::string& page) const {
    auto text = read_file(directory / page);
    REQUIRE_MESSAGE(!text.empty(), page);
    text = std::regex_replace(text, std::regex(R"(\\f[BIR]|\\&|(^|\n)\.(B|I|BR|br|TP)\b ?)"), "$1");
    text = std::regex_replace(text, std::regex(R"(\\-)"), "-");
    return std::regex_replace(text, std::regex(R"(\n+)"), " ");
  }
  /// What stands below a heading.
  [[nodiscard]] std::string part(const std::string& page, const std::string& heading) const {
    const auto all = text(page);
    const auto from = all.find(".SH " + heading + " ");
    REQUIRE_MESSAGE(from != std::string::npos, page, " has no ", heading);
    const auto begin = from + 5 + heading.size();
    return all.substr(begin, all.find(".SH ", begin) - begin);
  }

  TemporaryDirectory directory;
};

}  // namespace

TEST_CASE("manual: a synopsis has what can be typed, and no more") {
  const Pages pages;
  CHECK(pages.part("man1/abgleich-peer.1", "SYNOPSIS") ==
        "abgleich peer init --name NAME [OPTION]... abgleich peer card [OPTION]... [FILE] "
        "abgleich peer add [OPTION]... FILE abgleich peer revoke --reason TEXT [OPTION]... PEER "
        "abgleich peer list [OPTION]... ");
  const auto drift = pages.part("man1/abgleich-drift.1", "SYNOPSIS");
  CHECK_MESSAGE(drift.starts_with("abgleich drift [OPTION]... abgleich drift accept "), drift);
  CHECK(pages.part("man1/abgleich-diff.1", "SYNOPSIS") == "abgleich diff [OPTION]... [TABLE]... ");
  CHECK(pages.part("man1/abgleich-completion.1", "SYNOPSIS") ==
        "abgleich completion [OPTION]... bash|zsh|fish ");
  CHECK(pages.part("man1/abgleich-resume.1", "SYNOPSIS") ==
        "abgleich resume --reason TEXT [OPTION]... ");
}

TEST_CASE("manual: diff tells its marks, and every page the files and pages that belong to it") {
  const Pages pages;
  const auto diff = pages.part("man1/abgleich-diff.1", "DESCRIPTION");
  for (const auto* mark : {"+ inserted", "~ updated", "- deleted", "! in conflict or held back",
                           "= gone from the primary and kept here"}) {
    CHECK_MESSAGE(diff.find(mark) != std::string::npos, diff);
  }
  const auto of_all = pages.part("man1/abgleich.1", "SEE ALSO");
  std::size_t seen = 0;
  for (const auto& entry : fs::directory_iterator(pages.directory / "man1")) {
    const auto name = entry.path().stem().string();
    const auto page = "man1/" + entry.path().filename().string();
    CAPTURE(page);
    ++seen;
    if (name == "abgleich") {
      continue;
    }
    CHECK(of_all.find(name + " (1)") != std::string::npos);
    const auto others = pages.part(page, "SEE ALSO");
    CHECK(others.find("abgleich (1)") != std::string::npos);
    CHECK(std::regex_search(others, std::regex("abgleich-[a-z]+ \\(1\\)")));
    CHECK(others.find(name + " (1)") == std::string::npos);
    if (name != "abgleich-help" && name != "abgleich-completion") {
      CHECK(pages.part(page, "FILES").find("abgleich.toml") != std::string::npos);
    }
    // every page that is named is there
    const std::regex named("(abgleich[a-z.-]*|contract\\.toml) \\(([157])\\)");
    for (std::sregex_iterator at(others.begin(), others.end(), named), end; at != end; ++at) {
      const auto file = "man" + (*at)[2].str() + "/" + (*at)[1].str() + "." + (*at)[2].str();
      CHECK_MESSAGE(fs::exists(pages.directory / file), file);
    }
  }
  CHECK(seen > 20);
  for (const auto* file : {"node.key", "NAME.card", "cards/"}) {
    CHECK(pages.part("man1/abgleich-peer.1", "FILES").find(file) != std::string::npos);
  }
}

TEST_CASE("manual: a variable that means two things is told of, and means what is told") {
  const Pages pages;
  const auto environment = pages.part("man1/abgleich.1", "ENVIRONMENT");
  CHECK(environment.find("ABGLEICH_PRIMARY: to abgleich init it is the URL of the primary, to "
                         "abgleich grants it is 1") != std::string::npos);
  const Pairing pairing(On::sqlite, On::sqlite,
                        "[tables.t]\nkey = [\"id\"]\n[tables.t.columns]\nid = \"plain\"\n");
  CHECK(pairing.run({"grants"}, {"ABGLEICH_PRIMARY=1"}).out ==
        pairing.run({"grants", "--primary"}).out);
  const auto url = pairing.run({"grants"}, {"ABGLEICH_PRIMARY=" + pairing.primary.url()});
  CHECK(url.exit == 64);
}

TEST_CASE("manual: the example makes the directory that a completion goes into") {
  const Pages pages;
  const auto text = read_file(pages.directory / "man1/abgleich-completion.1");
  std::istringstream lines(text);
  int followed = 0;
  for (std::string line; std::getline(lines, line);) {
    line = std::regex_replace(line, std::regex(R"(\\-)"), "-");
    if (line.starts_with("mkdir -p ")) {
      const auto path = fs::path(kProgram).parent_path().string() + ":/usr/bin:/bin";
      const auto ran = run_program({"/bin/sh", "-c", line}, "",
                                   {"PATH=" + path, "HOME=" + pages.directory.path().string()});
      CHECK_MESSAGE(ran.exit == 0, ran.err);
      ++followed;
    }
  }
  CHECK(followed == 2);
  CHECK(fs::file_size(pages.directory / ".local/share/bash-completion/completions/abgleich") > 0);
  CHECK(fs::file_size(pages.directory / ".config/fish/completions/abgleich.fish") > 0);
}

}  // namespace abgleich::test
