// Secrets on disk: who may read such a file, and how it is written.
#pragma once

#include "core/locked_memory.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace abgleich::seal {

/// What messages say of such a file, with the commands for the user to type.
struct SecretFile {
  std::string_view called;      // "key file"
  std::string_view setting;     // where its path is written: "[keys] file"
  std::string_view made_by;     // "abgleich keys generate"
  std::string_view changed_by;  // replaces it by another; empty: nothing does
  std::string_view checked_by;
};

/// The text of the file. Throws Failure{key_or_trust} unless it is a regular file of this user that
/// nobody else can read, of at most 64 KiB; a credential of systemd may also belong to root.
LockedMemory read_secret_file(const SecretFile& kind, const std::filesystem::path& file);

/// Replaces the text of the file in one step: even after a crash the file is the old or the new
/// one. Throws Failure{key_or_trust}; the file is then as it was, unless the message says that it
/// was replaced.
void replace_secret_file(const SecretFile& kind, const std::filesystem::path& file,
                         std::span<const std::uint8_t> text);

/// Makes the file with mode 0600 and syncs it to disk; never overwrites. A file that could not be
/// written completely is removed again. Throws Failure{key_or_trust}.
void write_secret_file(const SecretFile& kind, const std::filesystem::path& file,
                       std::span<const std::uint8_t> text);

}  // namespace abgleich::seal
