#include "db/bookkeeping/sealer.hpp"

#include "support/locked_pages.hpp"

#include <doctest/doctest.h>

namespace abgleich::db {

TEST_CASE("the keys that the books are sealed with are locked, and bound to the lineage") {
  if (!test::locks_pages()) {
    MESSAGE("not looked at: AddressSanitizer locks no pages");
    return;
  }
  SealKeys keys;
  keys->head.fill(1);
  keys->base.fill(2);
  const auto before = test::locked_kib();
  {
    const Sealer sealer(keys, "one");
    const auto with_one = test::locked_kib();
    CHECK(with_one > before);
    const auto base = sealer.base_key(1);
    CHECK(test::locked_kib() > with_one);
    CHECK(base != sealer.base_key(2));
    CHECK(base != Sealer(keys, "other").base_key(1));
    CHECK(sealer.mac(HeadRow{}) != Sealer(keys, "other").mac(HeadRow{}));
  }
  CHECK(test::locked_kib() == before);
}

}  // namespace abgleich::db
