#include "db/engine/row_versions.hpp"

namespace abgleich::db {

namespace {

constexpr std::uint64_t kFarthest = std::uint64_t{1} << 30U;

}  // namespace

bool follows(const RowVersions& now, const std::string& facts, std::uint64_t horizon,
             std::uint64_t next) {
  return now.usable && !now.moved && now.facts == facts && now.next >= next &&
         now.horizon >= horizon && now.next - horizon < kFarthest;
}

}  // namespace abgleich::db
