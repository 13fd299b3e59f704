#include "db/bookkeeping/base_move.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using abgleich::db::base_move;
using abgleich::db::BaseMove;
using abgleich::db::widen;

namespace {

/// Cells of eight equal bytes.
std::string cells(const std::string& letters) {
  std::string out;
  for (const char letter : letters) {
    out.append(8, letter);
  }
  return out;
}

}  // namespace

TEST_CASE("base move: only what moved is kept, and comes back at its place") {
  auto move = base_move(cells("abcd"), cells("abXd"));
  CHECK(move.moved == "0010");
  CHECK(move.before == cells("c"));
  CHECK(move.after == cells("X"));
  REQUIRE(widen(move));
  CHECK(!move.moved);
  CHECK(move.before == cells(std::string("\0\0c\0", 4)));
  CHECK(move.after == cells(std::string("\0\0X\0", 4)));
}

TEST_CASE("base move: nothing moved is not nothing there") {
  auto move = base_move(cells("ab"), cells("ab"));
  CHECK(move.moved == "00");
  CHECK(move.before == "");
  CHECK(move.after == "");
  REQUIRE(widen(move));
  CHECK(move.before == cells(std::string(2, '\0')));
}

TEST_CASE("base move: whole rows where one is missing, or of another length") {
  for (const auto& [before, after] :
       std::vector<std::pair<std::optional<std::string>, std::optional<std::string>>>{
           {cells("ab"), std::nullopt},
           {std::nullopt, cells("ab")},
           {std::nullopt, std::nullopt},
           {cells("ab"), cells("a")},
           {"torn", "nrot"}}) {
    auto move = base_move(before, after);
    CHECK(!move.moved);
    CHECK(move.before == before);
    CHECK(move.after == after);
    CHECK(widen(move));
    CHECK(move.before == before);
    CHECK(move.after == after);
  }
}

TEST_CASE("base move: a record that does not fit together is known") {
  for (const BaseMove& torn :
       {BaseMove{"01", cells("a"), std::nullopt}, BaseMove{"01", cells("ab"), cells("a")},
        BaseMove{"00", "", cells("a")}, BaseMove{"01", "torn", cells("a")}}) {
    auto move = torn;
    CHECK(!widen(move));
    CHECK(move.moved == torn.moved);
  }
}
