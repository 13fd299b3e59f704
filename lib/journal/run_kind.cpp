#include "journal/run_kind.hpp"

namespace abgleich::journal {

std::string_view name_of(RunKind kind) {
  switch (kind) {
    case RunKind::sync:
      return "sync";
    case RunKind::resolve:
      return "resolve";
    case RunKind::revert:
      return "revert";
    case RunKind::resume:
      return "resume";
    case RunKind::adopt:
      return "adopt";
    case RunKind::accept:
      return "accept";
    case RunKind::rekey:
      return "rekey";
    case RunKind::rotate:
      return "rotate";
    case RunKind::repair:
      return "repair";
    case RunKind::lay_down:
      return "lay-down";
  }
  return {};
}

}  // namespace abgleich::journal
