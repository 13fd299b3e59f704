// What can go wrong, as the user sees it: one list of exit codes and one error type.
#pragma once

#include <exception>
#include <string>

namespace abgleich {

/// Exit codes of the command line. Codes are only ever added; the severest of a run wins, and a
/// larger number is not necessarily a severer one (see `severer`).
enum class Code : int {
  done = 0,
  differences = 1,
  conflicts_open = 10,
  quarantine_or_drift = 11,
  locked = 12,
  paused = 13,
  overdue = 14,
  limit = 20,
  other_primary = 21,
  other_secondary = 22,
  drift_decision = 23,
  source_incomplete = 24,
  key_or_trust = 25,
  secondary_refuses = 26,
  bundle_refused = 27,
  try_again = 30,
  out_of_space = 31,
  outcome_unknown = 40,
  integrity = 41,
  usage = 64,
  bug = 70,
  configuration = 78,
};

/// The more severe of two codes: what an operator has to deal with first.
Code severer(Code a, Code b);

/// One problem: what is wrong (lower case, no full stop, names in single quotes), what was and was
/// not changed where that is not obvious, and the command to run next. Never holds a row's values.
struct Error {
  Code code = Code::bug;
  std::string message;
  std::string hint;

  bool operator==(const Error&) const = default;
};

/// Thrown where a run cannot go on; usually caught in main. `db/engine/retry.hpp` catches those
/// after which an attempt is made again.
class Failure : public std::exception {
 public:
  explicit Failure(Error error);
  Failure(Code code, std::string message, std::string hint = {});

  [[nodiscard]] const Error& error() const noexcept { return error_; }
  [[nodiscard]] const char* what() const noexcept override { return error_.message.c_str(); }

 private:
  Error error_;
};

}  // namespace abgleich
