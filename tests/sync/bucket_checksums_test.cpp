#include "sync/detect/bucket_checksums.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace abgleich::sync {

namespace {

const Fingerprinter& fingerprinter() {
  static const Fingerprinter made(SipKey{1, 2, 3});
  return made;
}

enum class Side : std::uint8_t { base, primary, secondary };
constexpr std::array kSides{Side::base, Side::primary, Side::secondary};

void add(BucketChecksums& sides, Side side, const std::string& key, const std::string& cells) {
  const auto bytes = key + " " + cells;
  switch (side) {
    case Side::base:
      sides.add_base(key, cells);
      break;
    case Side::primary:
      sides.add_primary(key, cells, bytes);
      break;
    case Side::secondary:
      sides.add_secondary(key, bytes);
      break;
  }
}

void add_all(BucketChecksums& sides, int row, const std::string& cells) {
  for (const auto side : kSides) {
    add(sides, side, "key " + std::to_string(row), cells);
  }
}

}  // namespace

TEST_CASE("sides: the same rows in any order agree") {
  BucketChecksums sides(fingerprinter());
  for (int row = 0; row < 1'000; ++row) {
    for (const auto& [side, at] : {std::pair{Side::base, row}, std::pair{Side::primary, 999 - row},
                                   std::pair{Side::secondary, (row + 500) % 1'000}}) {
      add(sides, side, std::to_string(at), "cells " + std::to_string(at));
    }
  }
  sides.finish();
  CHECK(sides.all_agree());
  CHECK(sides.share() == 0);
  CHECK(sides.agrees("7"));
}

TEST_CASE("sides: a row that is different, missing or there twice on any side is found") {
  for (const auto side : kSides) {
    for (const std::string what : {"different", "missing", "twice", "digests of another row"}) {
      CAPTURE(what);
      BucketChecksums sides(fingerprinter());
      for (int row = 0; row < 100; ++row) {
        add_all(sides, row, "cells of " + std::to_string(row));
      }
      for (const auto other : kSides) {
        if (other != side) {
          add(sides, other, "the one", "12345678");
        } else if (what == "different") {
          add(sides, other, "the one", "12345679");
        } else if (what == "twice") {
          add(sides, other, "the one", "12345678");
          add(sides, other, "the one", "12345678");
        } else if (what != "missing") {
          add(sides, other, "the one", "cells of 1");
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
  BucketChecksums sides(fingerprinter());
  add_all(sides, 1, "same");
  sides.mark_unequal("key 1");
  sides.mark_unequal("held back, and nowhere else");
  sides.finish();
  CHECK_FALSE(sides.agrees("key 1"));
  CHECK_FALSE(sides.agrees("held back, and nowhere else"));
  CHECK(sides.share() == 1);
}

}  // namespace abgleich::sync
