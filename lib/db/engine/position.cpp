#include "db/engine/position.hpp"

#include <algorithm>

namespace abgleich::db {

namespace {

/// For counters of 32 bits, which start again at 0.
bool before(std::uint64_t one, std::uint64_t other) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(one) -
                                   static_cast<std::uint32_t>(other)) < 0;
}

}  // namespace

bool behind(const Position& now, const Position& then) {
  const auto lower = [](std::uint64_t one, std::uint64_t other) {
    return one != 0 && other != 0 && one < other;
  };
  if (lower(now.timeline, then.timeline) || lower(now.wal, then.wal) ||
      lower(now.next, then.next)) {
    return true;
  }
  if (now.changes != 0 && then.changes != 0 && before(now.changes, then.changes)) {
    return true;
  }
  return std::ranges::any_of(then.sequences, [&](const auto& sequence) {
    const auto found = now.sequences.find(sequence.first);
    return found != now.sequences.end() && found->second < sequence.second;
  });
}

}  // namespace abgleich::db
