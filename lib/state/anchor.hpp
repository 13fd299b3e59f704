// The local state directory: the lock, and the anchor, which records where the secondary stood. It
// serves for comparison only: the truth is `head` in the secondary.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace abgleich::state {

/// Where the secondary stood after a run.
struct Anchor {
  std::string lineage;
  std::int64_t epoch = 0;
  std::string hash;
  std::string primary{};    // how far the primary had got, see sync/run/primary_position.hpp
  std::string secondary{};  // which database it was, see `identity_of` in db/engine/session.hpp

  bool operator==(const Anchor&) const = default;
};

/// Holds the lock of a pairing for as long as it lives. The kernel releases it when the process
/// ends, in whatever way.
class StateLock {
 public:
  /// Makes the directory (mode 0700) where it is missing. Throws Failure{locked} where another run
  /// holds the lock, Failure{configuration} where the directory cannot be made or is open to
  /// others.
  explicit StateLock(const std::filesystem::path& directory);
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;
  ~StateLock();

 private:
  int file_ = -1;
};

/// The anchor, if there is one. Throws Failure: integrity where it is damaged, configuration where
/// it cannot be read or is of another version of this program; if it were taken for missing, a
/// restored secondary would pass.
std::optional<Anchor> read_anchor(const std::filesystem::path& directory);
/// Atomic and durable: temporary file, fsync, rename, fsync of the directory.
void write_anchor(const std::filesystem::path& directory, const Anchor& anchor);

/// What a run is about to commit, written and synchronised before it does.
std::optional<Anchor> read_intent(const std::filesystem::path& directory);
void write_intent(const std::filesystem::path& directory, const Anchor& intent);
/// The run was committed: the intent becomes the anchor. Where that fails, the intent stays and
/// counts as well. Nothing is thrown, so that a run that was applied is never reported as one that
/// was not.
void settle_intent(const std::filesystem::path& directory);
void clear_intent(const std::filesystem::path& directory);
/// Removes anchor and intent: a person has accepted the secondary as it is.
void clear_anchor(const std::filesystem::path& directory);

}  // namespace abgleich::state
