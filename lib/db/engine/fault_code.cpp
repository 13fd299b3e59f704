#include "db/engine/fault_code.hpp"

namespace abgleich::db {

Code refusal_code(Access access) {
  return access == Access::read ? Code::source_incomplete : Code::secondary_refuses;
}

std::optional<Code> code_of(Fault::Cause cause, Access access) {
  switch (cause) {
    case Fault::Cause::unreachable:
    case Fault::Cause::serialization:
      return Code::try_again;
    case Fault::Cause::no_space:
      return Code::out_of_space;
    case Fault::Cause::constraint:
    case Fault::Cause::data:
    case Fault::Cause::rights:
    case Fault::Cause::missing:
      return refusal_code(access);
    case Fault::Cause::other:
      break;
  }
  return std::nullopt;
}

}  // namespace abgleich::db
