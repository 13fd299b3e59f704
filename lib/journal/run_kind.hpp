// What a run was for.
#pragma once

#include <cstdint>
#include <string_view>

namespace abgleich::journal {

enum class RunKind : std::uint8_t {
  sync,
  resolve,
  revert,
  resume,
  adopt,
  accept,  // a decision that more may leave
  rekey,
  rotate,
  repair,
  lay_down,  // rows are laid down anew, and nothing else
};
/// The word that `log` shows and the bookkeeping keeps: "lay-down". Kinds are only ever added.
/// Empty: there is no such kind.
std::string_view name_of(RunKind kind);

/// Whether `name` is the word of this kind.
inline bool is(std::string_view name, RunKind kind) {
  return name == name_of(kind);
}

}  // namespace abgleich::journal
