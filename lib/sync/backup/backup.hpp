// `abgleich backup`: what a person needs after losing this machine, in one new directory.
#pragma once

#include "sync/backup/manifest.hpp"
#include "sync/pairing.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace abgleich::sync {

/// Whether the key file, and the secret keys of this node, are in a backup. With them, whoever has
/// the backup can find out whose a pseudonym is.
enum class WithKey : std::uint8_t { no, yes };

struct BackedUp {
  Manifest manifest;
  std::filesystem::path directory;  // absolute
  std::int64_t bytes = 0;
  std::vector<std::filesystem::path>
      left_out;  // secrets that the pairing needs and that are not in it
};

/// Makes `directory`, which must not exist or be empty: mode 0700, files 0600. Secondary and
/// bookkeeping are copied as they are at one moment. The pairing's lock is held for the moment in
/// which that begins, and not while rows are copied. The directory gets its name when all of it is
/// on disk: one that was not finished is called `directory`.new-PID. The backup is noted in the
/// state directory.
///
/// Throws Failure: usage (the directory is not empty, no run yet), locked, key_or_trust,
/// other_secondary, integrity as `open_books` does, out_of_space, configuration.
BackedUp back_up(const Pairing& pairing, const std::filesystem::path& directory, WithKey with_key);

}  // namespace abgleich::sync
