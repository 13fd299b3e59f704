#include "sync/sides.hpp"

#include <doctest/doctest.h>

#include <string>

namespace abgleich::sync {

namespace {

const Fingerprinter& fingerprinter() {
  static const Fingerprinter made(SipKey{1, 2, 3});
  return made;
}

void add_all(Sides& sides, int row, const std::string& cells) {
  const auto key = "key " + std::to_string(row);
  for (const auto side : {Sides::base, Sides::primary, Sides::secondary}) {
    sides.add(side, key, cells);
  }
}

}  // namespace

TEST_CASE("sides: the same rows in any order agree") {
  Sides sides(fingerprinter());
  for (int row = 0; row < 1'000; ++row) {
    sides.add(Sides::base, std::to_string(row), "cells " + std::to_string(row));
    sides.add(Sides::primary, std::to_string(999 - row), "cells " + std::to_string(999 - row));
    sides.add(Sides::secondary, std::to_string((row + 500) % 1'000),
              "cells " + std::to_string((row + 500) % 1'000));
  }
  sides.finish();
  CHECK(sides.all_agree());
  CHECK(sides.share() == 0);
  CHECK(sides.agrees("7"));
}

TEST_CASE("sides: a row that is different, missing or there twice on any side is found") {
  for (const auto side : {Sides::base, Sides::primary, Sides::secondary}) {
    for (const std::string what : {"different", "missing", "twice", "digests of another row"}) {
      CAPTURE(what);
      Sides sides(fingerprinter());
      for (int row = 0; row < 100; ++row) {
        add_all(sides, row, "cells of " + std::to_string(row));
      }
      for (const auto other : {Sides::base, Sides::primary, Sides::secondary}) {
        if (other != side) {
          sides.add(other, "the one", "12345678");
        } else if (what == "different") {
          sides.add(other, "the one", "12345679");
        } else if (what == "twice") {
          sides.add(other, "the one", "12345678");
          sides.add(other, "the one", "12345678");
        } else if (what != "missing") {
          sides.add(other, "the one", "cells of 1");
        }
      }
      sides.finish();
      CHECK_FALSE(sides.all_agree());
      CHECK_FALSE(sides.agrees("the one"));
      CHECK(sides.share() < 0.05);
    }
  }
}

TEST_CASE("sides: what is in doubt is looked at although the sums are equal") {
  Sides sides(fingerprinter());
  add_all(sides, 1, "same");
  sides.doubt("key 1");
  sides.doubt("held back, and nowhere else");
  sides.finish();
  CHECK_FALSE(sides.agrees("key 1"));
  CHECK_FALSE(sides.agrees("held back, and nowhere else"));
  CHECK(sides.share() == 1);
}

}  // namespace abgleich::sync
