// The latch: a file in the state directory that says that the secondary's bookkeeping was found
// damaged. While it is there, no run writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::state {

/// One thing that is not as a run has left it.
struct Damage {
  std::string table;  // by its name in the contract; empty: the bookkeeping as a whole
  std::string what;   // for people, without values
  std::string hint;

  bool operator==(const Damage&) const = default;
};

/// Sets the latch: durable before this returns. Makes the directory (mode 0700) where it is
/// missing.
void set_latch(const std::filesystem::path& directory, const std::vector<Damage>& damage);

/// Removes the latch, if it is set: everything was looked at and found whole, or was repaired.
void clear_latch(const std::filesystem::path& directory);

/// Notes in the latch, if it is set, that a repair begins, which commits as the run after `epoch`.
/// Where it is killed before it can remove the latch, the head tells whether it was applied.
void note_repair(const std::filesystem::path& directory, const std::string& lineage,
                 std::int64_t epoch);
struct BegunRepair {
  std::string lineage;
  std::int64_t from = 0;  // number of the run before it
};
/// Empty where no latch is set, or no repair was noted in it.
std::optional<BegunRepair> begun_repair(const std::filesystem::path& directory);

[[nodiscard]] bool latched(const std::filesystem::path& directory);

/// Throws Failure{integrity} while it is set, whatever the file holds.
void check_latch(const std::filesystem::path& directory);

}  // namespace abgleich::state
