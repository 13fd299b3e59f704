#include "db/postgresql/background.hpp"

#include "support/child.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

using abgleich::db::postgresql::Background;
using abgleich::test::ends_well;

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

TEST_CASE("background: where no thread can be made, the work is done at once") {
  CHECK(ends_well([] {
    const rlimit none{.rlim_cur = 0, .rlim_max = 0};
    ::setrlimit(RLIMIT_NPROC, &none);
    if (::geteuid() == 0 && ::setuid(65534) != 0) {  // the superuser has no limit
      throw std::runtime_error("nobody else");
    }
    ::alarm(30);  // it waits for itself otherwise
    Background background;
    auto where = std::thread::id();
    background.post([&] {
      background.wait();  // as everything does that uses the connection
      where = std::this_thread::get_id();
    });
    background.rest();
    if (where != std::this_thread::get_id()) {
      throw std::runtime_error("not here");
    }
  }));
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
