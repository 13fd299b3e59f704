#include "sync/secondary_key.hpp"

#include "db/target.hpp"
#include "sync/recover.hpp"

namespace abgleich::sync {

SecondaryKey compare_key(const contract::Config& config, const mask::Keyring& keyring) {
  std::optional<db::HeadRow> head;
  try {
    db::Target target(config.secondary, db::Mode::dry);
    if (target.books().exist()) {
      head = target.books().head(db::Books::Lock::none);
    }
  } catch (const Failure& failure) {
    // a key can be looked at before there is a secondary, and while it is away
    return {.is = SecondaryKey::Is::unknown, .why = failure.error()};
  }
  expect_key(head, keyring);
  return {.is = head ? SecondaryKey::Is::this_one : SecondaryKey::Is::none_yet, .why = {}};
}

}  // namespace abgleich::sync
