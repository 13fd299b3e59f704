// Whose the files are that decide what leaves: a configuration, a contract or a catalogue that
// somebody else can write decides as much as the key does.
#pragma once

#include "contract/config.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace abgleich::contract {

/// Whether what is read decides what leaves. It does not where a catalogue is only looked at: then
/// the files may be anybody's, such as a forge's own checkout.
enum class Trust : std::uint8_t { needed, beside_the_point };

/// Throws Failure{key_or_trust} where the file, or a directory or a symbolic link on the way to it,
/// belongs to neither this user nor root (nor, under sudo, to who called it), or can be written by
/// group or others; of a directory with the sticky bit only its owner counts (git's safe.directory,
/// OpenSSH's StrictModes). What is not there is nobody's. `what` is what the file is, for the
/// message ("the contract").
void expect_own(const std::filesystem::path& file, std::string_view what);

/// `expect_own` of all that the configuration names: contract, catalogue, key, password files,
/// state directory.
void expect_own_files(const Config& config);

}  // namespace abgleich::contract
