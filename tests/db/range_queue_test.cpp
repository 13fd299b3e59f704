#include "db/postgresql/range_queue.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace abgleich::db::postgresql;

namespace {

LineBatch batch_of(const std::string& text) {
  LineBatch batch;
  batch.text = text;
  batch.lines.push_back({.begin = 0, .size = text.size(), .place = 0, .row = {}, .key = {}});
  return batch;
}

/// Everything that is taken, one behind the other.
std::string taken(RangeQueue& queue) {
  std::string text;
  for (LineBatch batch; queue.take(batch);) {
    text += batch.text;
  }
  return text;
}

}  // namespace

TEST_CASE("range queue: what is read at the same time is taken in the order of the ranges") {
  constexpr std::size_t kRanges = 200;
  std::string expected;
  for (std::size_t range = 0; range < kRanges; ++range) {
    for (std::size_t i = 0; i < range % 7; ++i) {
      expected += std::to_string(range) + "." + std::to_string(i) + " ";
    }
  }
  for (const std::size_t readers : {1U, 2U, 5U, 16U}) {
    for (const std::size_t most : {1U, 40U, 100'000U}) {
      CAPTURE(readers);
      CAPTURE(most);
      RangeQueue queue(kRanges, most);
      std::vector<std::jthread> threads;
      for (std::size_t reader = 0; reader < readers; ++reader) {
        threads.emplace_back([&queue, reader] {
          std::minstd_rand random(static_cast<unsigned>(reader) + 1);
          while (const auto range = queue.claim()) {
            for (std::size_t i = 0; i < *range % 7; ++i) {
              auto batch = queue.spare();
              CHECK(batch.text.empty());
              batch = batch_of(std::to_string(*range) + "." + std::to_string(i) + " ");
              CHECK(queue.put(*range, std::move(batch)));
              if (random() % 8 == 0) {
                std::this_thread::yield();
              }
            }
            queue.close(*range);
          }
        });
      }
      CHECK(taken(queue) == expected);
    }
  }
}

TEST_CASE("range queue: readers wait when too much is on the way, but for the one that is taken") {
  RangeQueue queue(3, 10);
  CHECK(queue.claim() == 0);
  CHECK(queue.claim() == 1);
  std::atomic<int> put = 0;
  std::jthread ahead([&] {
    for (int i = 0; i < 4; ++i) {
      CHECK(queue.put(1, batch_of("12345")));
      ++put;
    }
    queue.close(1);
    CHECK(queue.claim() == 2);
    queue.close(2);
    CHECK(!queue.claim());
  });
  while (put < 2) {
    std::this_thread::yield();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(put == 2);
  CHECK(queue.put(0, batch_of("first ")));  // for nobody else can go on before
  queue.close(0);
  CHECK(taken(queue) == "first 12345123451234512345");
}

TEST_CASE("range queue: what a reader fails with is thrown to the taker, and the others end") {
  RangeQueue queue(3, 1);
  CHECK(queue.claim() == 0);
  CHECK(queue.claim() == 1);
  std::jthread waits([&] {
    CHECK(queue.put(1, batch_of("a")));
    CHECK_FALSE(queue.put(1, batch_of("b")));
    CHECK(!queue.claim());
  });
  std::jthread fails([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    queue.fail(std::make_exception_ptr(std::runtime_error("gone")));
    queue.fail(std::make_exception_ptr(std::runtime_error("too late to be told")));
  });
  LineBatch batch;
  CHECK_THROWS_WITH(static_cast<void>(queue.take(batch)), "gone");
  CHECK_THROWS_WITH(static_cast<void>(queue.take(batch)), "gone");
}

TEST_CASE("range queue: when nothing is wanted any more, readers end") {
  RangeQueue queue(2, 1);
  CHECK(queue.claim() == 0);
  CHECK(queue.put(0, batch_of("a")));
  std::jthread waits([&] { CHECK_FALSE(queue.put(0, batch_of("b"))); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  queue.stop();
  CHECK(!queue.claim());
}
