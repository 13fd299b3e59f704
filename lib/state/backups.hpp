// The record of backups and drills in the state directory (`backups.json`): when the last drill
// was, and which backups may still have what was deleted since.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace abgleich::state {

/// How old the last drill may be before `check` warns. In days.
inline constexpr std::int64_t kDrillEvery = 30;

struct BackupMade {
  std::string made;  // UTC
  std::filesystem::path directory;
  std::string run;         // where the secondary stood
  std::int64_t epoch = 0;  // the number of that run
  bool key = false;        // the key is in it

  bool operator==(const BackupMade&) const = default;
};

struct DrillDone {
  std::string at;  // UTC
  std::filesystem::path directory;
  std::string made;  // when that backup was made

  bool operator==(const DrillDone&) const = default;
};

struct Backups {
  std::vector<BackupMade> made;    // oldest first
  std::optional<DrillDone> drill;  // the last one that found nothing wrong
  // Backups may have been made of which this says nothing: the file could not be read once, was in
  // another form, or had no room for more.
  bool incomplete = false;

  bool operator==(const Backups&) const = default;
};

/// Empty where there is no such file.
Backups read_backups(const std::filesystem::path& directory);

/// Adds to the record; of backups, the newest 1,000 are kept. What is incomplete stays so until
/// somebody deletes the file. Replaces the file in one step. Throws
/// Failure{out_of_space} or Failure{configuration} where it cannot be written.
void note_backup(const std::filesystem::path& directory, const BackupMade& made);
void note_drill(const std::filesystem::path& directory, const DrillDone& done);

}  // namespace abgleich::state
