// Which matters cron's mail (`sync -q`) has told of and which of them are still open, so that they
// are not told every five minutes. `decide` says what the next mail tells: from that, from what an
// attempt has found and from the time. Pure, except for reading and writing the file.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::state {

/// One thing that an attempt has found and a person may want to know.
struct Matter {
  enum class Kind : std::uint8_t {
    failure,    // why the attempt was no success
    overlap,    // another run was at work: told only when it repeats
    overdue,    // no success for longer than the configuration allows
    killed,     // an earlier attempt never ended
    conflict,   // open
    held_back,  // rows of a table
    drift,
    note,  // told once, without a reminder
  };
  Kind kind = Kind::failure;
  std::string name;        // distinguishes it within its kind; never a key or a value
  std::int64_t count = 1;  // it is news again when there are more than were told

  bool operator==(const Matter&) const = default;
};

/// How far an attempt got. That decides what it means when a known matter was not found.
enum class Reach : std::uint8_t {
  begun,    // it has just taken the lock: it reports earlier attempts only
  nowhere,  // it failed: what was open before counts as still open
  part,     // it compared what it could; some tables were left out
  all,      // a success
  paused,   // it did nothing, on purpose
};
/// By the exit code. Never `part`: only the run itself knows that it has compared a part.
Reach reach_of(Code code);

/// A matter that was found before. Names are kept as fingerprints only.
struct KnownMatter {
  Matter::Kind kind = Matter::Kind::failure;
  std::string fingerprint;
  std::int64_t count = 1;
  std::int64_t since = 0;  // when it was first found, Unix time
  std::int64_t told = 0;   // when a mail last told it as news; 0: not yet
  bool waits = false;      // it is told when the next attempt finds it as well
  bool over = false;       // it has ended; kept for a day, in case it comes back

  bool operator==(const KnownMatter&) const = default;
};

struct Told {
  std::int64_t spoke = 0;  // when the last mail was written, Unix time
  std::vector<KnownMatter> known;

  bool operator==(const Told&) const = default;
};

/// What one attempt has to say.
struct Speech {
  std::vector<Matter> news;                 // to be told in full
  std::optional<std::int64_t> works_again;  // since when it had failed; empty: no such news
  std::optional<std::int64_t> reminder;     // since when the oldest open one is open
  Told told;                                // what is known afterwards

  [[nodiscard]] bool silent() const { return news.empty() && !works_again && !reminder; }
  [[nodiscard]] bool tells(Matter::Kind kind, const std::string& name) const;
};

/// What is known is told again at most once a day. What is new is told at once, with two exceptions
/// that are told when the next attempt finds them again: an overlap, and a failure that was told
/// within the last day and has ended since.
Speech decide(Told told, const std::vector<Matter>& found, Reach reach, std::int64_t now);

/// A failure's name: its code and its words without the numbers in them, which change.
std::string name_of_failure(const Error& error);
std::string without_numbers(std::string_view text);

/// The file `told.json` of the state directory. Where it is missing or not readable, nothing counts
/// as told, and everything is told again.
Told read_told(const std::filesystem::path& directory);
/// Replaces the file by a rename. Returns what was wrong, for people; empty: nothing.
std::string write_told(const std::filesystem::path& directory, const Told& told);

}  // namespace abgleich::state
