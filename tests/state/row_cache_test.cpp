#include "state/row_cache.hpp"

#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>
#include <sodium.h>

#include <fstream>
#include <sstream>

namespace abgleich::state {

namespace {

CacheKey key_of(std::uint8_t byte) {
  REQUIRE(sodium_init() >= 0);
  CacheKey key{};
  key.fill(byte);
  return key;
}

CacheIndex sample(const RowCache& cache) {
  const auto name = cache.new_name("rows", 3);
  KnownRowWriter file(cache, name);
  file.add(KnownRow{.row = {.low = 1, .high = 2}, .key = {.low = 3, .high = 4}, .key_bytes = "k"});
  file.finish();
  CachedTable table{.tracked = 3,
                    .layout = "abc",
                    .main = name,
                    .touched = "",
                    .main_rows = 1,
                    .touched_rows = 0,
                    .rows = 1,
                    .by_versions = true,
                    .last_full = 7};
  table.versions = VersionMark{.facts = "f", .horizon = 5, .next = ~0ULL, .places = {"(0,1)"}};
  return {.head = {.lineage = "l", .epoch = 9, .hash = "h"}, .tables = {table}};
}

}  // namespace

TEST_CASE("the cache's index comes back as it was written, and names the only files that stay") {
  const test::TemporaryDirectory directory;
  const RowCache cache(directory.path(), key_of(1));
  CHECK_FALSE(cache.read_index());
  const auto index = sample(cache);
  cache.write_index(index);
  CHECK(cache.read_index() == index);
  const auto second = sample(cache);
  cache.write_index(second);
  CHECK(cache.read_index() == second);
  CHECK_FALSE(std::filesystem::exists(cache.path(index.tables[0].main)));
  CHECK(std::filesystem::exists(cache.path(second.tables[0].main)));
  cache.clear();
  CHECK_FALSE(cache.read_index());
}

TEST_CASE("an index that is torn, altered or of another key is unusable") {
  const test::TemporaryDirectory directory;
  const RowCache cache(directory.path(), key_of(1));
  cache.write_index(sample(cache));
  CHECK_THROWS_AS((void)RowCache(directory.path(), key_of(2)).read_index(), CacheUnusable);
  const auto path = cache.path("index");
  const auto size = std::filesystem::file_size(path);
  for (const auto keep : {size - 1, size / 2, std::uintmax_t{0}}) {
    std::filesystem::resize_file(path, keep);
    CHECK_THROWS_AS((void)cache.read_index(), CacheUnusable);
  }
}

TEST_CASE("an index or a file of it is unusable cut at any length and with any bit turned") {
  const test::TemporaryDirectory directory;
  const RowCache cache(directory.path(), key_of(1));
  const auto index = sample(cache);
  cache.write_index(index);
  const auto name = index.tables[0].main;
  const auto read_rows = [&] {
    KnownRowReader file(cache, name);
    KnownRow row;
    while (file.next(row)) {
    }
  };
  const auto break_everywhere = [&](const std::filesystem::path& path, const auto& read) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    const auto whole = text.str();
    REQUIRE(whole.size() > 50);
    const auto is_unusable = [&](const std::string& bytes) {
      std::ofstream(path, std::ios::binary) << bytes;
      try {
        read();
      } catch (const CacheUnusable&) {
        return true;
      }
      return false;
    };
    for (std::size_t at = 0; at < whole.size(); ++at) {
      CHECK_MESSAGE(is_unusable(whole.substr(0, at)), at);
      for (unsigned bit = 0; bit < 8; ++bit) {
        auto turned = whole;
        turned[at] = static_cast<char>(turned[at] ^ (1U << bit));
        CHECK_MESSAGE(is_unusable(turned), at, " ", bit);
      }
    }
    CHECK(is_unusable(whole + "x"));
    CHECK_FALSE(is_unusable(whole));
  };
  break_everywhere(cache.path("index"), [&] { (void)cache.read_index(); });
  break_everywhere(cache.path(name), read_rows);
}

TEST_CASE("known and touched rows come back as they were written") {
  const test::TemporaryDirectory directory;
  const RowCache cache(directory.path(), key_of(1));
  const auto name = cache.new_name("touched", 1);
  const std::string key(100'000, 'x');
  {
    KnownRowWriter file(cache, name);
    for (const auto state : {TouchedRow::State::settled, TouchedRow::State::open,
                             TouchedRow::State::gone, TouchedRow::State::absent}) {
      file.add(TouchedRow{
          .state = state,
          .known = {.row = {.low = 1, .high = 2}, .key = {.low = 3, .high = 4}, .key_bytes = key}});
    }
    file.finish();
  }
  KnownRowReader file(cache, name);
  TouchedRow row;
  std::string states;
  while (file.next(row)) {
    states += static_cast<char>(row.state);
    CHECK(row.known.key_bytes == key);
    CHECK(row.known.key == Fingerprint{.low = 3, .high = 4});
  }
  CHECK(states == "soga");
}

}  // namespace abgleich::state
