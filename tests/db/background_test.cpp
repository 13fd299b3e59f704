#include "db/postgresql/background.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using abgleich::db::postgresql::Background;

TEST_CASE("background: pieces are done in order, and at rest all of them are") {
  std::string done;
  Background background;
  background.rest();
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    background.post([&done, i] { done += std::to_string(i) + " "; });
    expected += std::to_string(i) + " ";
  }
  background.rest();
  CHECK(done == expected);
}

TEST_CASE("background: the work itself does not wait for the work") {
  int done = 0;
  Background background;
  background.post([&] {
    background.wait();
    background.rest();
    ++done;
  });
  background.rest();
  CHECK(done == 1);
}

TEST_CASE(
    "background: what a piece fails with is thrown once, and what waits behind it is not done") {
  int done = 0;
  Background background;
  background.post([] { throw std::runtime_error("it fails"); });
  background.wait();
  CHECK_THROWS_AS(background.post([&] { ++done; }), std::runtime_error);
  background.rest();
  background.post([&] { ++done; });
  background.rest();
  CHECK(done == 1);
}
