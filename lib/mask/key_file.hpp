// A key file's place on disk: who may read it, and how it gets there.
#pragma once

#include "core/locked_memory.hpp"

#include <cstdint>
#include <filesystem>
#include <span>

namespace abgleich::mask {

/// The text of the file. Throws Failure{key_or_trust} unless it is a regular file, of the own user,
/// for nobody else, of a plausible size.
LockedMemory read_key_file(const std::filesystem::path& file);

/// Puts another text in the place of the file's, in one step: before and after a crash the file is
/// the old or the new one. Throws Failure{key_or_trust}; the file is then as it was.
void replace_key_file(const std::filesystem::path& file, std::span<const std::uint8_t> text);

/// Makes the file with mode 0600 and brings it to the disk; never overwrites. What it could not
/// write whole it removes again.
void write_key_file(const std::filesystem::path& file, std::span<const std::uint8_t> text);

}  // namespace abgleich::mask
