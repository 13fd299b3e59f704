// The place of a secret on disk: who may read the file, and how it gets there.
#pragma once

#include "core/locked_memory.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace abgleich::seal {

/// What messages say of such a file. The commands are those that a person types.
struct SecretFile {
  std::string_view called;      // "key file"
  std::string_view setting;     // where its path is written: "[keys] file"
  std::string_view made_by;     // "abgleich keys generate"
  std::string_view changed_by;  // what puts another one in its place; empty: nothing does
  std::string_view checked_by;
};

/// The text of the file. Throws Failure{key_or_trust} unless it is a regular file, of the own user,
/// for nobody else, of a plausible size.
LockedMemory read_secret_file(const SecretFile& kind, const std::filesystem::path& file);

/// Puts another text in the place of the file's, in one step: before and after a crash the file is
/// the old or the new one. Throws Failure{key_or_trust}; the file is then as it was.
void replace_secret_file(const SecretFile& kind, const std::filesystem::path& file,
                         std::span<const std::uint8_t> text);

/// Makes the file with mode 0600 and brings it to the disk; never overwrites. What it could not
/// write whole it removes again.
void write_secret_file(const SecretFile& kind, const std::filesystem::path& file,
                       std::span<const std::uint8_t> text);

}  // namespace abgleich::seal
