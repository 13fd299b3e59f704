#include "db/secondary/strongly_connected.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace abgleich::test {

namespace {

using Needs = std::vector<std::vector<std::size_t>>;

/// Whether one row needs another, over however many between: by walking from it.
bool reaches(const Needs& needs, std::size_t from, std::size_t to) {
  std::vector<bool> seen(needs.size());
  std::vector<std::size_t> next = needs[from];
  while (!next.empty()) {
    const auto row = next.back();
    next.pop_back();
    if (row == to) {
      return true;
    }
    if (!seen[row]) {
      seen[row] = true;
      next.insert(next.end(), needs[row].begin(), needs[row].end());
    }
  }
  return false;
}

}  // namespace

TEST_CASE("rows that need each other are one group; rows that wait for others are none") {
  CHECK(db::strongly_connected({}).empty());
  CHECK(db::strongly_connected({{1}, {2}, {}}).empty());
  CHECK(db::strongly_connected({{0}}).empty());  // a row that refers to itself needs nobody else
  CHECK(db::strongly_connected({{1}, {0}}) == Needs{{0, 1}});
  CHECK(db::strongly_connected({{3}, {0, 4}, {1}, {1}, {5}, {4}}) == Needs{{4, 5}, {0, 1, 3}});
}

TEST_CASE("groups are what walking finds, each after the groups that it needs") {
  std::mt19937 random(7);
  for (int round = 0; round < 2'000; ++round) {
    const std::size_t rows = 1 + random() % 9;
    Needs needs(rows);
    for (auto& row : needs) {
      for (auto left = random() % 3; left > 0; --left) {
        row.push_back(random() % rows);
      }
    }
    const auto found = db::strongly_connected(needs);
    std::vector<std::size_t> group_of(rows, rows);
    for (std::size_t k = 0; k < found.size(); ++k) {
      for (const auto row : found[k]) {
        group_of[row] = k;
      }
    }
    for (std::size_t a = 0; a < rows; ++a) {
      for (std::size_t b = 0; b < rows; ++b) {
        const bool one = a != b && reaches(needs, a, b) && reaches(needs, b, a);
        REQUIRE(one == (a != b && group_of[a] < rows && group_of[a] == group_of[b]));
        if (group_of[a] < rows && group_of[b] < rows && reaches(needs, a, b)) {
          REQUIRE(group_of[b] <= group_of[a]);
        }
      }
    }
  }
}

TEST_CASE("a ring as long as a table is found without recursion") {
  constexpr std::size_t kRows = 300'000;
  Needs needs(kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    needs[i].push_back((i + 1) % kRows);
  }
  const auto found = db::strongly_connected(needs);
  REQUIRE(found.size() == 1);
  CHECK(found.front().size() == kRows);
}

}  // namespace abgleich::test
