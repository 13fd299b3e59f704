#include "state/sealed_file.hpp"

#include "support/locked_pages.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>
#include <sodium.h>

#include <fstream>
#include <sstream>
#include <string>

namespace abgleich::state {

namespace {

CacheKey key_of(std::uint8_t byte) {
  REQUIRE(sodium_init() >= 0);
  CacheKey key{};
  key.fill(byte);
  return key;
}

std::string sample(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; text.size() < size; ++i) {
    text += "line " + std::to_string(i) + "\n";
  }
  text.resize(size);
  return text;
}

void write(const std::filesystem::path& path, const std::string& text) {
  SealedWriter writer(path, key_of(1), "purpose");
  writer.add(text.substr(0, text.size() / 3));
  writer.add(text.substr(text.size() / 3));
  writer.finish();
}

std::string read(const std::filesystem::path& path, std::uint8_t key = 1,
                 const std::string& purpose = "purpose") {
  SealedReader reader(path, key_of(key), purpose);
  std::string text;
  while (!reader.at_end()) {
    text += reader.take(1);
  }
  return text;
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the state of the cipher is locked as the key is") {
  if (!test::locks_pages()) {
    MESSAGE("not looked at: AddressSanitizer locks no pages");
    return;
  }
  const test::TemporaryDirectory directory;
  const auto file = directory / "sealed";
  write(file, "text");
  const auto before = test::locked_kib();
  {
    const SealedReader reader(file, key_of(1), "purpose");
    const auto with_one = test::locked_kib();
    CHECK(with_one > before);
    const SealedWriter writer(directory / "other", key_of(1), "purpose");
    CHECK(test::locked_kib() > with_one);
  }
  CHECK(test::locked_kib() == before);
}

TEST_CASE("a sealed file gives back what was written, whatever its length, and shows none of it") {
  const test::TemporaryDirectory directory;
  for (const std::size_t size : {0U, 1U, 100U, 65'535U, 65'536U, 65'537U, 200'000U}) {
    CAPTURE(size);
    const auto path = directory / std::to_string(size);
    write(path, sample(size));
    CHECK(read(path) == sample(size));
    CHECK(bytes_of(path).find("line 7") == std::string::npos);
    CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all) ==
          (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  }
}

TEST_CASE("a sealed file that is torn, altered, of another key or purpose is not read") {
  const test::TemporaryDirectory directory;
  const auto path = directory / "file";
  write(path, sample(150'000));
  const auto whole = bytes_of(path);
  CHECK_THROWS_AS(read(path, 2), CacheUnusable);
  CHECK_THROWS_AS(read(path, 1, "another"), CacheUnusable);
  CHECK_THROWS_AS(read(directory / "none"), CacheUnusable);
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{20}, whole.size() / 2, whole.size() - 1}) {
    CAPTURE(at);
    auto altered = whole;
    altered[at] = static_cast<char>(altered[at] ^ 1);
    std::ofstream(path, std::ios::binary) << altered;
    CHECK_THROWS_AS(read(path), CacheUnusable);
    std::ofstream(path, std::ios::binary) << whole.substr(0, at);
    CHECK_THROWS_AS(read(path), CacheUnusable);
  }
  // whole chunks that are missing at the end
  std::ofstream(path, std::ios::binary) << whole.substr(0, 18 + 24 + 65'536 + 17);
  CHECK_THROWS_AS(read(path), CacheUnusable);
}

TEST_CASE("a sealed file that was not finished leaves nothing behind, and none is overwritten") {
  const test::TemporaryDirectory directory;
  {
    SealedWriter writer(directory / "file", key_of(1), "purpose");
    writer.add("begun");
  }
  CHECK_FALSE(std::filesystem::exists(directory / "file"));
  write(directory / "file", "done");
  CHECK_THROWS_AS(SealedWriter(directory / "file", key_of(1), "purpose"), CacheUnusable);
  CHECK(read(directory / "file") == "done");
}

}  // namespace abgleich::state
