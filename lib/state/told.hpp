// What cron's mail has been told under -q, so that it is not told every five minutes: which matters
// were told and are still open. What the next mail says is decided here, from that, from what an
// attempt has found and from the time. Pure, but for the file.
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
    failure,    // why it did not come to an end that is a success
    overlap,    // another run was at work: worth a word when it repeats
    overdue,    // no success for longer than the configuration allows
    killed,     // an earlier attempt never ended
    conflict,   // open
    held_back,  // rows of a table
    drift,
    note,  // worth a word once, and no reminder
  };
  Kind kind = Kind::failure;
  std::string name;        // tells it from others of its kind; never a key or a value
  std::int64_t count = 1;  // more of it than was told is news

  bool operator==(const Matter&) const = default;
};

/// How far an attempt got, for what it can say of matters that it did not find.
enum class Reach : std::uint8_t {
  begun,    // it has just taken the lock: what it says now is of others
  nowhere,  // it failed: what was open before still is, as far as anybody knows
  part,     // it compared what it could; some tables were left out
  all,      // a success
  paused,   // deliberately nothing
};
/// By its exit code; never `part`, which only a run can tell that has compared something.
Reach reach_of(Code code);

/// A matter that was found before. Names are kept as fingerprints only.
struct KnownMatter {
  Matter::Kind kind = Matter::Kind::failure;
  std::string fingerprint;
  std::int64_t count = 1;
  std::int64_t since = 0;  // when it was first found, Unix time
  std::int64_t told = 0;   // when a mail last told it as news; 0: not yet
  bool waits = false;      // it is told when the next attempt finds it as well
  bool over = false;       // it is no more; kept for a day, in case it comes back

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
  std::optional<std::int64_t> works_again;  // since when it had failed, as was told
  std::optional<std::int64_t> reminder;     // since when the oldest of what is still open is open
  Told told;                                // what is known afterwards

  [[nodiscard]] bool silent() const { return news.empty() && !works_again && !reminder; }
  [[nodiscard]] bool tells(Matter::Kind kind, const std::string& name) const;
};

/// At most one mail a day of what is known; anything new at once, but for an overlap, and for a
/// failure that was told within the last day and has been over since: those when they repeat.
Speech decide(Told told, const std::vector<Matter>& found, Reach reach, std::int64_t now);

/// A failure's name: its code and its words without the numbers in them, which change.
std::string name_of_failure(const Error& error);
std::string without_numbers(std::string_view text);

/// The file `told.json` of the state directory. One that is not there or not readable says that
/// nothing was told: then all of it is told again.
Told read_told(const std::filesystem::path& directory);
/// By rename. Returns what was wrong, for people; empty: nothing.
std::string write_told(const std::filesystem::path& directory, const Told& told);

}  // namespace abgleich::state
