// The rows of the bookkeeping tables in the secondary, as plain data.
#pragma once

#include "db/bookkeeping/base_move.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db {

/// Where a secondary stands after its last run.
struct HeadRow {
  std::string lineage;
  std::int64_t epoch = 0;
  std::string hash;
  std::string run;
  std::string key_check;
  std::string primary_id;
  std::optional<std::string> paused;
  std::string seals{};  // MAC over all seals
  std::string mac{};
};

struct RunRow {
  std::int64_t epoch = 0;
  std::string id;
  std::string kind;
  std::string started;
  std::string finished;
  std::string operator_;
  std::optional<std::string> reason;
  std::string counts;
  std::string nonce{};  // random: two runs that do the same at the same time are still two
  std::string deeds{};  // what the run left: MAC over its journal, the seals and the drift it saw
  std::string previous;
  std::string hash;
  std::optional<std::string> purged{};  // when its changes were purged
  std::int64_t entries = 0;             // how many its journal has
  std::string sum{};                    // what they add up to, hidden
};

struct TrackedRow {
  std::int64_t id = 0;
  std::string source;
  std::string target;
  std::string key_columns;
  std::string columns;
  std::int64_t since = 0;  // the run that gave the columns this order
};

struct ConflictRow {
  std::string id;
  std::int64_t tracked = 0;
  std::string key_text;
  std::string kind;
  std::string detail;
  std::int64_t epoch = 0;
};

struct QuarantineRow {
  std::int64_t tracked = 0;
  std::string key_text;
  std::string column;
  std::string reason;
  std::int64_t rows = 1;
  std::int64_t epoch = 0;
};

struct JournalRow {
  std::int64_t epoch = 0;
  std::int64_t tracked = 0;
  std::int64_t n = 0;
  std::string key_text;
  std::string fate;
  std::optional<std::string> before;
  std::optional<std::string> after;
  BaseMove base;
};

/// Something that a run has settled for later runs.
struct FactRow {
  std::string kind;
  std::string name;
  std::string value;       // JSON
  std::int64_t epoch = 0;  // the run that wrote it
};

/// How many rows a set has, and the sum modulo 2^64 of what each of them adds
/// (schemas/stored-formats.md): it shows where a row was removed, doubled or put back.
struct Seal {
  std::int64_t rows = 0;
  std::uint64_t sum = 0;

  bool operator==(const Seal&) const = default;

  Seal& operator+=(const Seal& other) {
    rows += other.rows;
    sum += other.sum;
    return *this;
  }
  Seal& operator-=(const Seal& other) {
    rows -= other.rows;
    sum -= other.sum;
    return *this;
  }
};

}  // namespace abgleich::db
