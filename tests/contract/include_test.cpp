// `include`: what several configurations share, and that each stays master of its own.
#include "contract/include.hpp"

#include "contract/refusal.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace abgleich;
using namespace abgleich::contract;
namespace fs = std::filesystem;

namespace {

/// pairings/one.toml, which includes common.toml one directory up.
struct Files {
  [[nodiscard]] fs::path own() const { return directory.path() / "pairings" / "one.toml"; }
  [[nodiscard]] fs::path shared() const { return directory.path() / "common.toml"; }
  void write(const std::string& own_text, const std::string& shared_text) const {
    fs::create_directories(own().parent_path());
    std::ofstream(own()) << own_text;
    std::ofstream(shared()) << shared_text;
  }
  [[nodiscard]] Config read() const { return read_config(own()); }
  [[nodiscard]] Error refused() const {
    return refusal_of([&] { static_cast<void>(read()); });
  }

  test::TemporaryDirectory directory;
};

const char* const kInclude = "include = \"../common.toml\"\n";
const char* const kBoth = "[primary]\nurl = \"sqlite:a.db\"\n[secondary]\nurl = \"sqlite:b.db\"\n";

}  // namespace

TEST_CASE("what a configuration lacks comes from the file that it includes, key by key") {
  const Files files;
  files.write(std::string(kInclude) +
                  "contract = \"own.toml\"\n[secondary]\nurl = \"sqlite:b.db\"\n"
                  "[limits]\nmax_deleted = 7\n",
              "contract = \"theirs.toml\"\ncatalog = \"catalog/all.json\"\nretry_for = \"5s\"\n"
              "[primary]\nurl = \"sqlite:a.db\"\nworkers = 3\n[secondary]\nmanage_schema = false\n"
              "[limits]\nmax_deleted = 1\nmax_updated = 2\n[alert]\nmetrics = \"one.prom\"\n");
  const auto config = files.read();
  CHECK(config.max_deleted.rows == 7);
  CHECK(config.max_updated.rows == 2);
  CHECK(config.retry_for.count() == 5);
  CHECK(config.primary.workers == 3);
  CHECK_FALSE(config.secondary.manage_schema);
  // a path is relative to the file that it stands in, and what stands in none to the including one
  const auto here = files.own().parent_path();
  const auto there = fs::weakly_canonical(files.directory.path());
  CHECK(config.file == files.own());
  CHECK(config.contract == here / "own.toml");
  CHECK(fs::weakly_canonical(config.catalog) == there / "catalog/all.json");
  CHECK(fs::weakly_canonical(config.primary.file) == there / "a.db");
  CHECK(config.secondary.file == here / "b.db");
  CHECK(config.key_file == here / "abgleich.key");
  CHECK(fs::weakly_canonical(config.alert.metrics) == there / "one.prom");
}

TEST_CASE("an included file may be named by its whole path") {
  const Files files;
  files.write("include = \"" + files.shared().string() + "\"\n", kBoth);
  CHECK(files.read().primary.file == files.directory.path() / "a.db");
}

TEST_CASE("who says where the key is does not get another place from elsewhere") {
  const Files files;
  files.write(std::string(kInclude) + "[keys]\nfile = \"own.key\"\n",
              std::string(kBoth) + "[keys]\ncredential = \"abgleich.key\"\n");
  CHECK(files.read().key_credential.empty());
  CHECK(files.read().key_file == files.own().parent_path() / "own.key");
  files.write(std::string(kInclude) + "[keys]\ncredential = \"own\"\n",
              std::string(kBoth) + "[keys]\nfile = \"abgleich.key\"\n");
  CHECK(files.read().key_credential == "own");
}

TEST_CASE("an error of either file names the file that it is in") {
  const Files files;
  const auto starts = [](const Error& error, const fs::path& file, const std::string& rest) {
    CHECK_MESSAGE(error.message.starts_with(file.string() + rest), error.message);
  };
  files.write(kInclude, std::string(kBoth) + "[keys]\nfil = \"x\"\n");
  starts(files.refused(), fs::weakly_canonical(files.shared()),
         ":6:1: unknown key 'fil' in [keys]");
  files.write(std::string(kInclude) + "limit = 3\n", kBoth);
  starts(files.refused(), files.own(), ":2:1: unknown key 'limit' in the configuration");
  files.write(kInclude, std::string(kBoth) + "[limits]\nmax_deleted = true\n");
  starts(files.refused(), fs::weakly_canonical(files.shared()), ":6:15: ");
  files.write(std::string(kInclude) + "[limits]\nmax_deleted = true\n",
              std::string(kBoth) + "[limits]\nmax_deleted = 3\n");
  starts(files.refused(), files.own(), ":3:15: ");
  files.write(kInclude, "[primary\n");
  starts(files.refused(), fs::weakly_canonical(files.shared()), ":1:");
  files.write(kInclude, "[primary]\nurl = \"sqlite:a.db\"\n");
  CHECK(contains(files.refused().message, "[secondary] is missing"));
}

TEST_CASE("what cannot be included is refused") {
  const Files files;
  files.write("include = \"../other.toml\"\n", kBoth);
  CHECK(contains(files.refused().message, ":1:11: no file '"));
  CHECK(contains(files.refused().message, "other.toml', which 'include' names"));
  files.write("include = 3\n", kBoth);
  CHECK(contains(files.refused().message, "'include' is an integer, but must be a string"));
  files.write("include = \"\"\n", kBoth);
  CHECK(contains(files.refused().message, "'include' is empty"));
  files.write(kInclude, "include = \"more.toml\"\n");
  CHECK(contains(files.refused().message,
                 "common.toml:1:1: a file that is included includes another one"));
  files.write("include = \"one.toml\"\n", kBoth);
  CHECK(contains(files.refused().message, "one.toml:1:1: a configuration includes itself"));
  files.write(kInclude, "format = 1\n");
  CHECK(contains(files.refused().message, "is a contract, and no configuration"));
  files.write("include = \".\"\n", kBoth);
  CHECK(contains(files.refused().message, "is a directory, not a file"));
}

TEST_CASE("shared defaults in the directory of the pairings are no pairing") {
  const test::TemporaryDirectory directory;
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(directory.path() / name) << text;
  };
  write("common.toml", kBoth);
  write("a.toml", "include = \"common.toml\"\n");
  write("b.toml", "include = \"" + (directory.path() / "common.toml").string() + "\"\n");
  write("c.toml", "[primary");
  CHECK(all_profiles(directory.path()) == std::vector<fs::path>{directory.path() / "a.toml",
                                                                directory.path() / "b.toml",
                                                                directory.path() / "c.toml"});
}
