#include "contract/place.hpp"

#include <doctest/doctest.h>

using abgleich::contract::Place;

TEST_CASE("a place is written as editors and compilers write it") {
  CHECK(Place{.file = "contract.toml", .line = 12, .column = 5}.text() == "contract.toml:12:5");
}

TEST_CASE("a place without a line is the file as a whole") {
  CHECK(Place{.file = "contract.toml"}.text() == "contract.toml");
}
