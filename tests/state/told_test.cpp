#include "state/told.hpp"

#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sys/stat.h>

using namespace abgleich;
using namespace abgleich::state;
using abgleich::test::TemporaryDirectory;

namespace {

Told some() {
  return {.spoke = 1'764'547'200,
          .known = {{.kind = Matter::Kind::conflict,
                     .fingerprint = "00112233445566778899aabbccddeeff",
                     .count = 3,
                     .since = 1'764'540'000,
                     .told = 1'764'547'200},
                    {.kind = Matter::Kind::failure,
                     .fingerprint = "ff",
                     .since = 1'764'540'000,
                     .waits = true},
                    {.kind = Matter::Kind::note, .fingerprint = "fe", .told = 5, .over = true}}};
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("told: what was told is read again, and only its owner can") {
  const TemporaryDirectory state;
  CHECK(read_told(state.path()) == Told());
  CHECK(write_told(state.path(), some()).empty());
  CHECK(read_told(state.path()) == some());
  struct stat status {};
  REQUIRE(::stat((state / "told.json").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0600);
  CHECK(std::distance(std::filesystem::directory_iterator(state.path()), {}) == 1);
}

TEST_CASE("told: what cannot be read says that nothing was told") {
  const TemporaryDirectory state;
  CHECK(write_told(state.path(), some()).empty());
  const auto whole = text_of(state / "told.json");
  for (const auto& text :
       {std::string(), std::string("x"), std::string("[]"), whole.substr(0, whole.size() / 2),
        std::string(R"({"format":"abgleich.told/2","spoke":1,"known":[]})"),
        std::string(R"({"format":"abgleich.told/1","spoke":1,"known":{}})")}) {
    std::ofstream(state / "told.json", std::ios::binary) << text;
    CHECK(read_told(state.path()) == Told());
  }
  std::ofstream(state / "told.json")
      << R"({"format":"abgleich.told/1","spoke":"x","known":[1,{"kind":"none","is":"x"},{"kind":"note","is":"x"}]})";
  CHECK(read_told(state.path()).known.size() == 1);
}

TEST_CASE("told: where it cannot be written, that is said and nothing is left behind") {
  const TemporaryDirectory state;
  std::filesystem::create_directory(state / "told.json");
  std::ofstream(state / "told.json" / "file") << "x";
  CHECK_FALSE(write_told(state.path(), some()).empty());
  CHECK_FALSE(write_told(state / "nowhere", some()).empty());
  CHECK(std::distance(std::filesystem::directory_iterator(state.path()), {}) == 1);
}

TEST_CASE("told: names are kept as fingerprints only") {
  const TemporaryDirectory state;
  const auto speech =
      decide({}, {{.kind = Matter::Kind::held_back, .name = "a_table_of_names", .count = 2}},
             Reach::all, 1'764'547'200);
  CHECK(speech.tells(Matter::Kind::held_back, "a_table_of_names"));
  CHECK(write_told(state.path(), speech.told).empty());
  CHECK(text_of(state / "told.json").find("a_table_of_names") == std::string::npos);
}

TEST_CASE("told: a failure is the same one whatever the numbers in its words") {
  const auto name = [](const std::string& text, Code code = Code::limit) {
    return name_of_failure({.code = code, .message = text});
  };
  CHECK(name("20 % of 'person' would be deleted") == name("7 % of 'person' would be deleted"));
  CHECK(name("20 % of 'person' would be deleted") != name("20 % of 'visit' would be deleted"));
  CHECK(name("x") != name("x", Code::try_again));
}
