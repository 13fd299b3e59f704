// The comparison of the primary's rows with the cache, against the plain set difference.
#include "sync/detect/cache_match.hpp"

#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>
#include <sodium.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

namespace abgleich::sync {

namespace {

using state::CachedTable;
using state::KnownRow;

/// A row of the model: its key and its content.
using Content = std::pair<int, int>;

KnownRow row_of(const Content& content) {
  const auto mix = [](std::uint64_t n) { return n * 0x9e37'79b9'7f4a'7c15U; };
  const auto key = static_cast<std::uint64_t>(content.first);
  return {.row = {.low = mix(key * 1'000 + static_cast<std::uint64_t>(content.second)), .high = 1},
          .key = {.low = mix(key), .high = 2},
          .key_bytes = "key " + std::to_string(content.first)};
}

struct Result {
  std::set<int> candidates;  // keys
  std::set<std::string> gone;
  std::optional<CachedTable> cached;
};

class Scene {
 public:
  Scene() : cache_(directory_.path(), key()) {}

  /// One run: reads `rows` in this order; `open` are keys that it leaves open.
  Result run(const std::vector<Content>& rows, const std::optional<CachedTable>& cached,
             const std::set<int>& open = {}) {
    Result result;
    CacheMatch known(cache_, cached ? &*cached : nullptr, 1, CacheMatch::Keep::cache,
                     [&](const KnownRow& row) { result.gone.insert(row.key_bytes); });
    CacheMatch::Unsettled unsettled;
    for (const auto& content : rows) {
      const auto row = row_of(content);
      if (!known.met(row.row)) {
        result.candidates.insert(content.first);
        known.candidate(row);
        if (open.contains(content.first)) {
          unsettled.open.push_back(row);
        }
      }
    }
    known.finish();
    result.cached = known.save(unsettled);
    return result;
  }

  /// By keys alone, after candidates that were found otherwise.
  Result run_keys(const std::vector<Content>& rows, const std::vector<Content>& changed,
                  const std::optional<CachedTable>& cached) {
    Result result;
    CacheMatch known(cache_, &*cached, 1, CacheMatch::Keep::cache,
                     [&](const KnownRow& row) { result.gone.insert(row.key_bytes); });
    known.begin_changes();
    for (const auto& content : changed) {
      known.candidate(row_of(content));
    }
    for (const auto& content : rows) {
      (void)known.key_met(row_of(content).key);
    }
    known.finish_keys();
    result.cached = known.save({});
    return result;
  }

 private:
  static state::CacheKey key() {
    REQUIRE(sodium_init() >= 0);
    return {};
  }
  test::TemporaryDirectory directory_;
  state::RowCache cache_;
};

std::set<std::string> key_bytes(const std::set<int>& keys) {
  std::set<std::string> bytes;
  for (const auto key : keys) {
    bytes.insert(row_of({key, 0}).key_bytes);
  }
  return bytes;
}

std::vector<Content> rows_of(int count) {
  std::vector<Content> rows;
  for (int i = 0; i < count; ++i) {
    rows.emplace_back(i, 0);
  }
  return rows;
}

}  // namespace

TEST_CASE("a small table is known in whatever order it is read") {
  for (const int count : {1, 2, 3, 63, 64, 65, 1'000, 12'000}) {
    CAPTURE(count);
    Scene scene;
    auto rows = rows_of(count);
    const auto first = scene.run(rows, std::nullopt);
    std::ranges::reverse(rows);
    const auto reversed = scene.run(rows, first.cached);
    CHECK(reversed.candidates.empty());
    CHECK(reversed.gone.empty());
    std::mt19937 random(1);
    std::ranges::shuffle(rows, random);
    const auto shuffled = scene.run(rows, first.cached);
    CHECK(shuffled.candidates.empty());
    CHECK(shuffled.gone.empty());
  }
}

TEST_CASE("without a cache every row is a candidate, and the next run knows them all") {
  Scene scene;
  const auto rows = rows_of(100'000);
  const auto first = scene.run(rows, std::nullopt);
  CHECK(first.candidates.size() == rows.size());
  CHECK(first.gone.empty());
  const auto second = scene.run(rows, first.cached);
  CHECK(second.candidates.empty());
  CHECK(second.gone.empty());
  CHECK(second.cached == first.cached);  // nothing new is written
}

TEST_CASE("changed, new and deleted rows are found exactly where the order is the usual one") {
  Scene scene;
  auto rows = rows_of(40'000);
  auto cached = scene.run(rows, std::nullopt).cached;
  std::mt19937_64 random(1);
  int next = 40'000;
  for (const int percent : {0, 1, 1, 5, 30, 1, 100, 1}) {
    CAPTURE(percent);
    std::vector<Content> now;
    std::vector<Content> moved;  // updated rows go elsewhere
    std::set<int> changed;
    std::set<int> deleted;
    for (const auto& row : rows) {
      if (static_cast<int>(random() % 300) >= 3 * percent) {
        now.push_back(row);
      } else if (random() % 3 == 0) {
        deleted.insert(row.first);
      } else {
        changed.insert(row.first);
        moved.emplace_back(row.first, row.second + 1);
      }
    }
    for (int i = 0; i < percent * 100; ++i) {
      changed.insert(next);
      moved.emplace_back(next++, 0);
    }
    for (const auto& row : moved) {
      now.insert(now.begin() + static_cast<std::ptrdiff_t>(
                                   percent > 1 ? now.size() : random() % (now.size() + 1)),
                 row);
    }
    const auto result = scene.run(now, cached);
    CHECK(result.candidates == changed);
    auto gone = result.gone;
    for (const auto& one : key_bytes(changed)) {
      gone.erase(one);  // the stage has them
    }
    CHECK(gone == key_bytes(deleted));
    rows = now;
    cached = result.cached;
    REQUIRE(cached);
  }
}

TEST_CASE("a long stretch that is gone, and a long one that is new, cost little") {
  Scene scene;
  auto rows = rows_of(200'000);
  const auto first = scene.run(rows, std::nullopt);
  rows.erase(rows.begin() + 20'000, rows.begin() + 90'000);
  auto result = scene.run(rows, first.cached);
  CHECK(result.candidates.size() < 6'000);  // of 110,000 that follow
  CHECK(result.gone.size() >= 70'000);
  const auto stretch = rows_of(70'000);
  auto more = rows;
  for (const auto& row : stretch) {
    more.insert(more.end() - 50'000, {row.first + 300'000, 0});
  }
  const auto before = scene.run(rows, result.cached).cached;
  result = scene.run(more, before);
  CHECK(result.candidates.size() == 70'000);
  CHECK(result.gone.empty());
}

TEST_CASE("any other order gives the same result") {
  Scene scene;
  std::mt19937_64 random(2);
  auto rows = rows_of(60'000);
  auto cached = scene.run(rows, std::nullopt).cached;
  std::ranges::shuffle(rows, random);
  const std::set<int> deleted{rows[5].first, rows[30'000].first, rows.back().first};
  std::erase_if(rows, [&](const auto& row) { return deleted.contains(row.first); });
  const auto result = scene.run(rows, cached);
  std::set<std::string> all;  // whatever is not met is named as gone or comes as a candidate
  for (const auto& row : rows) {
    all.insert(row_of(row).key_bytes);
  }
  auto gone = result.gone;
  for (const auto& one : key_bytes(result.candidates)) {
    gone.erase(one);
  }
  CHECK(gone == key_bytes(deleted));
  // and the next run knows most of them: what was read before the main file was begun anew is in
  // the old order still
  const auto again = scene.run(rows, result.cached);
  CHECK(again.candidates.size() < rows.size() / 2);
  gone = again.gone;
  for (const auto& one : key_bytes(again.candidates)) {
    gone.erase(one);
  }
  CHECK(gone.empty());
  CHECK(scene.run(rows, again.cached).candidates.empty());
}

TEST_CASE("a row that changes back is not taken for the one that it was") {
  Scene scene;
  auto rows = rows_of(1'000);
  auto cached = scene.run(rows, std::nullopt).cached;
  rows[500].second = 1;
  cached = scene.run(rows, cached).cached;
  rows[500].second = 0;
  const auto result = scene.run(rows, cached);
  CHECK(result.candidates == std::set<int>{500});
  CHECK(scene.run(rows, result.cached).candidates.empty());
}

TEST_CASE("an open row comes again in every run, until it is settled or gone") {
  Scene scene;
  auto rows = rows_of(1'000);
  auto result = scene.run(rows, std::nullopt, {7});
  result = scene.run(rows, result.cached, {7});
  CHECK(result.candidates == std::set<int>{7});
  const auto files = result.cached;
  result = scene.run(rows, result.cached, {7});
  CHECK(result.cached == files);  // nothing has changed: nothing is written
  result = scene.run(rows, result.cached);
  CHECK(result.candidates == std::set<int>{7});
  result = scene.run(rows, result.cached, {7});
  CHECK(result.candidates.empty());

  result = scene.run(rows, std::nullopt, {7});
  rows.erase(rows.begin() + 7);
  result = scene.run(rows, result.cached);
  CHECK(result.candidates.empty());
  CHECK(result.gone == key_bytes({7}));
  result = scene.run(rows, result.cached);
  CHECK(result.gone.empty());
}

TEST_CASE("keys alone tell what is gone, also of rows that have moved or come since") {
  Scene scene;
  std::mt19937_64 random(3);
  auto rows = rows_of(50'000);
  auto cached = scene.run(rows, std::nullopt).cached;
  int next = 50'000;
  for (const unsigned share : {1U, 1U, 1U, 60U, 1U, 90U, 90U, 1U, 1U}) {
    CAPTURE(share);
    std::vector<Content> now;
    std::vector<Content> changed;
    std::set<int> deleted;
    for (const auto& row : rows) {
      const auto dice = random() % 300;
      if (dice < share) {
        deleted.insert(row.first);
      } else if (dice < 3 * share) {
        changed.emplace_back(row.first, row.second + 1);
      } else {
        now.push_back(row);
      }
    }
    for (int i = 0; i < 100; ++i) {
      changed.emplace_back(next++, 0);
    }
    now.insert(now.end(), changed.begin(), changed.end());
    const auto result = scene.run_keys(now, changed, cached);
    CHECK(result.gone == key_bytes(deleted));
    rows = now;
    cached = result.cached;
    REQUIRE(cached);
  }
  // and then a whole pass knows every row
  const auto result = scene.run(rows, cached);
  CHECK(result.candidates.empty());
  CHECK(result.gone.empty());
}

}  // namespace abgleich::sync
