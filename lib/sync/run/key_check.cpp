#include "sync/run/key_check.hpp"

#include "db/secondary/target.hpp"
#include "sync/run/recover.hpp"

namespace abgleich::sync {

KeyCheck check_key(const contract::Config& config, const mask::Keyring& keyring) {
  std::optional<db::HeadRow> head;
  try {
    db::Target target(config.secondary, db::Mode::dry);
    if (target.books().exist()) {
      head = target.books().head(db::Books::Lock::none);
    }
  } catch (const Failure& failure) {
    // a key can be looked at although the secondary does not exist yet or cannot be reached
    return {.is = KeyCheck::Is::unknown, .why = failure.error()};
  }
  expect_key(head, keyring);
  return {.is = head ? KeyCheck::Is::this_one : KeyCheck::Is::none_yet, .why = {}};
}

}  // namespace abgleich::sync
