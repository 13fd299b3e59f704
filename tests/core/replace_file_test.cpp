#include "core/replace_file.hpp"

#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <system_error>

using abgleich::replace_file;
using abgleich::test::TemporaryDirectory;

TEST_CASE("a file is replaced whole, with the mode that is asked for") {
  const TemporaryDirectory directory;
  const auto file = directory / "a";
  for (const std::string text : {"first", "", "second"}) {
    replace_file(file, text, 0644);
    std::ifstream in(file, std::ios::binary);
    CHECK(std::string{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()} ==
          text);
  }
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0644);
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
  CHECK_THROWS_AS(replace_file(directory / "no" / "a", "x", 0644), std::system_error);
  std::filesystem::create_directory(directory / "full");
  replace_file(directory / "full" / "a", "x", 0600);
  CHECK_THROWS_AS(replace_file(directory / "full", "x", 0644), std::system_error);
  CHECK(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 2);
}
