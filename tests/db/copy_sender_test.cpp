#include "db/postgresql/copy_sender.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using abgleich::db::postgresql::CopyBatch;
using abgleich::db::postgresql::CopySender;

namespace {

CopyBatch batch(const std::string& bytes) {
  return {.copy = "COPY", .bytes = bytes, .rows = 1};
}

}  // namespace

TEST_CASE("copy sender: batches arrive in order, and at rest all of them have") {
  std::string arrived;
  CopySender sender([&](const CopyBatch& one) { arrived += one.bytes; });
  sender.rest();
  std::string expected;
  for (int i = 0; i < 500; ++i) {
    sender.send(batch(std::to_string(i) + " "));
    expected += std::to_string(i) + " ";
    CHECK(sender.spare().empty());
    if (i % 50 == 0) {
      sender.rest();
      CHECK(arrived == expected);
    }
  }
  sender.wait();
  CHECK(arrived == expected);
}

TEST_CASE(
    "copy sender: the caller goes on while one is sent, and waits when too many are waiting") {
  std::atomic<bool> go = false;
  std::atomic<int> sent = 0;
  CopySender sender([&](const CopyBatch&) {
    while (!go) {
      std::this_thread::yield();
    }
    ++sent;
  });
  sender.send(batch("a"));  // is being sent
  sender.send(batch("b"));
  sender.send(batch("c"));
  CHECK(sent == 0);
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    go = true;
  });
  sender.send(batch("d"));
  CHECK(sent >= 1);
  sender.rest();
  CHECK(sent == 4);
}

TEST_CASE("copy sender: a failure is thrown once, and nothing is sent behind it") {
  std::vector<std::string> arrived;
  CopySender sender([&](const CopyBatch& one) {
    if (one.bytes == "bad") {
      throw std::runtime_error("refused");
    }
    arrived.push_back(one.bytes);
  });
  sender.send(batch("good"));
  sender.send(batch("bad"));
  SUBCASE("by rest") {
    CHECK_THROWS_WITH(sender.rest(), "refused");
  }
  SUBCASE("by the next batches") {
    const auto send_more = [&] {
      for (int i = 0; i < 10; ++i) {
        sender.send(batch("behind"));
      }
    };
    CHECK_THROWS_WITH(send_more(), "refused");
    sender.forget();  // of those that were on their way already
  }
  SUBCASE("unless it is forgotten") {
    sender.wait();
    sender.forget();
  }
  CHECK_NOTHROW(sender.rest());
  sender.send(batch("again"));
  sender.rest();
  REQUIRE(!arrived.empty());
  CHECK(arrived.front() == "good");
  CHECK(arrived.back() == "again");
  CHECK(arrived.size() == 2);
}

TEST_CASE("copy sender: its end does not wait for what has not been begun") {
  std::atomic<int> begun = 0;
  {
    CopySender sender([&](const CopyBatch&) {
      ++begun;
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
    });
    for (int i = 0; i < 3; ++i) {
      sender.send(batch("x"));
    }
  }
  CHECK(begun <= 2);
}
