// Who owns the files that decide what leaves. Whoever can write the configuration, the contract or
// the catalogue decides as much as whoever has the key.
#pragma once

#include "contract/config.hpp"

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace abgleich::contract {

/// Whether the files that are read decide what leaves. They do not where a catalogue is only looked
/// at: then they may belong to anybody, as in the checkout of a forge.
enum class Trust : std::uint8_t { needed, beside_the_point };

/// Throws Failure{key_or_trust} where the file, or a directory or a symbolic link on the way to it,
/// belongs to neither this user nor root (nor, under sudo, to the user who called it), or can be
/// written by group or others. Of a directory with the sticky bit, only the owner is checked (as in
/// git's safe.directory and OpenSSH's StrictModes). A file that does not exist passes. `what` is
/// what the file is, for the message ("the contract").
void expect_own(const std::filesystem::path& file, std::string_view what);

/// `expect_own` of all that the configuration names: contract, catalogue, password and TLS files,
/// state directory, the directories of the key and of the node's key, the peers' cards, and the
/// contracts of what they get and what is taken from them. Not of mailboxes: nothing in them is
/// believed.
void expect_own_files(const Config& config);

}  // namespace abgleich::contract
