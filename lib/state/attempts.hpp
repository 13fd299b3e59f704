// The record of attempts: a file of the state directory with a place for each of the last 2,304
// calls of `sync`, ended or not. Names of tables, codes and numbers; never a key or a value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::state {

/// One call of `sync`. One that ended before it held the lock is recorded only at its end. So every
/// recorded attempt that has no end held the lock.
struct Attempt {
  enum class State : std::uint8_t { at_work, ended, killed };

  std::int64_t number = 0;  // 0: not recorded yet
  State state = State::at_work;
  std::int64_t began = 0;  // Unix time, seconds
  std::int64_t ended = 0;  // where it has
  std::int64_t milliseconds = 0;
  int exit = 0;        // the exit code, where it has ended
  std::string reason;  // why it did not end with 0, for people
  std::int64_t process = 0;
  std::int64_t process_start = 0;  // when that began, in kernel ticks: numbers are reused
  std::int64_t inserted = 0;       // rows that it wrote to the secondary
  std::int64_t updated = 0;
  std::int64_t deleted = 0;
  // What was last known when it ended, its own findings or those of one before it:
  std::int64_t last_success = 0;  // Unix time; 0: there was none
  std::int64_t conflicts = 0;     // open
  std::int64_t quarantined = 0;   // rows
  std::int64_t drift_info = 0;    // by verdict
  std::int64_t drift_adapt = 0;
  std::int64_t drift_block = 0;
  std::vector<std::string> troubles;  // metrics or ping that failed, for people

  bool operator==(const Attempt&) const = default;
};

/// A success in the sense of `last_success`: everything that could be brought over was.
bool succeeded(const Attempt& attempt);

/// More than a week, with one attempt every five minutes.
inline constexpr std::int64_t kKeptAttempts = 2304;

/// Bytes of one place of the file. `line_of` writes exactly that many; reason and troubles are cut
/// where they do not fit.
inline constexpr std::size_t kPlaceSize = 1024;
std::string line_of(const Attempt& attempt);
/// Empty where the bytes are no such line, as after a crash while it was written.
std::optional<Attempt> attempt_of(std::string_view line);

/// What is in the file, and what was wrong with it, for people; empty: nothing.
struct Record {
  std::vector<Attempt> attempts;  // oldest first
  std::string trouble;
};

/// Reads the whole record; empty where there is no file yet. Never throws, whatever the file
/// contains.
Record read_attempts(const std::filesystem::path& directory);

/// The newest one, and those that have not ended: what a new attempt has to know.
struct Recent {
  std::optional<Attempt> newest;
  std::vector<Attempt> at_work;
  std::string trouble;
};

/// Reads and writes the record for one attempt; the file is open only during each call. Nothing
/// here throws for what the file or the directory is: a run does not depend on its record.
class AttemptRecord {
 public:
  explicit AttemptRecord(std::filesystem::path directory) : directory_(std::move(directory)) {}

  [[nodiscard]] Recent recent() const;
  /// Writes the attempt to its place; gives it a number first where it has none. Returns what was
  /// wrong, for people; empty: nothing. A file of another format is begun anew.
  std::string write(Attempt& attempt) const;

 private:
  std::filesystem::path directory_;
};

/// This process, as an attempt knows it.
struct Process {
  std::int64_t number = 0;
  std::int64_t start = 0;
};
Process this_process();
/// Whether the process that made it still runs.
bool still_runs(const Attempt& attempt);

}  // namespace abgleich::state
