#include "contract/endpoint_url.hpp"

#include "contract/config.hpp"

#include <doctest/doctest.h>

using namespace abgleich;
using namespace abgleich::contract;

TEST_CASE("the user of a URL is the one that libpq takes") {
  const auto user = [](const char* url) {
    return user_of(parse_endpoint(Role::primary, url, "/"));
  };
  CHECK(user("postgresql://reader@db1/kpm?sslmode=verify-full") == "reader");
  CHECK(user("postgres://r%40d@db1/kpm") == "r@d");
  CHECK(user("postgresql://db1/kpm") == "");
  CHECK(user("postgresql:///kpm?host=/tmp&user=re%20ader") == "re ader");
  CHECK(user("postgresql://one@db1/kpm?user=two") == "two");
  CHECK(user("sqlite:user@file.db") == "");
}
