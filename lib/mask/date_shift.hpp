// Dates moved by a secret number of days: one number per subject, the same in every table and every
// run, so that the order of a subject's dates and the days between them stay.
#pragma once

#include "core/value.hpp"
#include "mask/keyring.hpp"
#include "mask/normalise.hpp"
#include "mask/pseudonym.hpp"
#include "mask/reason.hpp"
#include "mask/value_mac.hpp"

#include <string>

namespace abgleich::mask {

/// Not thread-safe: it has working memory.
class DateShift {
 public:
  /// `subject` is the recipe of the subject's pseudonym; its format does not count. `epoch` is that
  /// of the key; where the key has fewer epochs, its last one is used. REQUIRES: `most` is at least
  /// 1.
  DateShift(const Keyring& keyring, const Recipe& subject, int most, int epoch = 1);

  /// Writes the days of this subject: -most to most, never 0. REQUIRES: `subject` is not NULL and
  /// valid UTF-8.
  Reason days(const Value& subject, int& days);

  /// Writes the moved date, with the kind and the time of day of `date`. `out` is left as it was
  /// where a reason is returned. REQUIRES: neither value is NULL, both are valid UTF-8.
  Reason make(const Value& date, const Value& subject, Value& out);

 private:
  NormalForm subject_;
  int most_;
  ValueMac mac_;
};

}  // namespace abgleich::mask
