#include "db/bookkeeping/base_move.hpp"

#include "core/digest.hpp"

#include <algorithm>

namespace abgleich::db {

namespace {

constexpr std::size_t kCell = sizeof(Digest::bits);

std::string copy(std::string_view cells) {
  return std::string(cells);
}

}  // namespace

BaseMove base_move(std::optional<std::string_view> before, std::optional<std::string_view> after) {
  BaseMove move;
  if (!before || !after || before->size() != after->size() || before->size() % kCell != 0) {
    move.before = before ? std::optional(copy(*before)) : std::nullopt;
    move.after = after ? std::optional(copy(*after)) : std::nullopt;
    return move;
  }
  move.moved.emplace(before->size() / kCell, '0');
  move.before.emplace();
  move.after.emplace();
  for (std::size_t i = 0; i < move.moved->size(); ++i) {
    const auto was = before->substr(i * kCell, kCell);
    const auto is = after->substr(i * kCell, kCell);
    if (was != is) {
      (*move.moved)[i] = '1';
      *move.before += was;
      *move.after += is;
    }
  }
  return move;
}

bool widen(BaseMove& move) {
  if (!move.moved) {
    return true;
  }
  const auto cells = static_cast<std::size_t>(std::ranges::count(*move.moved, '1'));
  for (auto* side : {&move.before, &move.after}) {
    if (!*side || (*side)->size() != cells * kCell) {
      return false;
    }
  }
  for (auto* side : {&move.before, &move.after}) {
    std::string whole(move.moved->size() * kCell, '\0');
    std::size_t at = 0;
    for (std::size_t i = 0; i < move.moved->size(); ++i) {
      if ((*move.moved)[i] == '1') {
        whole.replace(i * kCell, kCell, **side, at, kCell);
        at += kCell;
      }
    }
    *side = std::move(whole);
  }
  move.moved.reset();
  return true;
}

}  // namespace abgleich::db
