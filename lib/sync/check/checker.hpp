// The lines that `check` prints: one for each thing that was looked at.
#pragma once

#include "core/error.hpp"
#include "sync/check/check.hpp"

#include <string>
#include <utility>

namespace abgleich::sync {

/// Makes the lines, and remembers the severest code.
class Checker {
 public:
  explicit Checker(const OnChecked& on_line) : on_line_(on_line) {}

  /// Runs one check; its text is what was found. Returns whether it passed.
  template <class Check>
  bool line(const std::string& what, const Check& check) {
    Checked checked{.what = what};
    try {
      checked.result = check();
    } catch (const Failure& failure) {
      checked.result = failure.error().message;
      checked.code = failure.error().code;
      checked.hint = failure.error().hint;
    }
    worst_ = severer(worst_, checked.code);
    on_line_(checked);
    return checked.code == Code::done;
  }

  /// Runs a check that has a line only where it fails. Returns whether it passed.
  template <class Look>
  bool quietly(const std::string& what, const Look& look) {
    try {
      look();
      return true;
    } catch (const Failure& failure) {
      return line(what, [&]() -> std::string { throw failure; });
    }
  }

  /// Something that is no failure, but somebody has to look at it.
  void warn(std::string what, std::string result, std::string hint) {
    on_line_({.what = std::move(what),
              .result = std::move(result),
              .warning = true,
              .hint = std::move(hint)});
  }

  /// Something that is not wrong, but could be better; `hint` says how.
  void note(std::string what, std::string result, std::string hint) {
    on_line_({.what = std::move(what),
              .result = std::move(result),
              .note = true,
              .hint = std::move(hint)});
  }

  /// A line that was made elsewhere.
  void tell(const Checked& checked) { on_line_(checked); }

  [[nodiscard]] Code worst() const { return worst_; }

 private:
  const OnChecked& on_line_;
  Code worst_ = Code::done;
};

}  // namespace abgleich::sync
