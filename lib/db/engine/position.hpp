// How far a primary had got when it was read, by numbers that only grow in a database: an older
// copy of its files, or a standby that lags, has smaller ones. Each engine has a Watch of its own
// for them (lib/db/postgresql/watch.hpp, lib/db/sqlite/watch.hpp).
#pragma once

#include "db/engine/session.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace abgleich::db {

/// 0: not known, or not of this engine.
struct Position {
  bool standby = false;        // PostgreSQL
  std::uint64_t timeline = 0;  // PostgreSQL: grows with every promotion and recovery to a point
  std::uint64_t wal = 0;       // PostgreSQL: bytes of log
  std::uint64_t next = 0;      // PostgreSQL: one more than the newest transaction that was over
  std::uint64_t changes = 0;   // SQLite: the change counter in the file's header
  std::map<std::string, std::uint64_t> sequences{};  // SQLite: AUTOINCREMENT, by table

  bool operator==(const Position&) const = default;
};

/// Whether a database at `now` provably lacks something that it had at `then`.
bool behind(const Position& now, const Position& then);

/// Asks a primary for its position, around one snapshot. This class itself is for engines of which
/// no position is known.
class Watch {
 public:
  Watch() = default;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  virtual ~Watch() = default;

  /// REQUIRES: no transaction is open.
  virtual void before_snapshot(Session& /*session*/) {}
  /// REQUIRES: the snapshot has begun, and nothing was read in it.
  virtual void in_snapshot(Session& /*session*/) {}
  /// Asks once more, before the snapshot ends.
  virtual void after_reading(Session& /*session*/) {}

  /// The primary's position when the snapshot was taken.
  [[nodiscard]] const Position& now() const { return now_; }
  /// As much of it as no crash of the server can take back.
  [[nodiscard]] const Position& lasting() const { return lasting_; }
  /// Whether this role may also read the facts that row versions depend on.
  [[nodiscard]] bool may_ask_facts() const { return may_ask_facts_; }

 protected:
  bool may_ask_facts_ = false;
  Position now_;
  Position lasting_;
};

}  // namespace abgleich::db
