// How far a primary had got when it was read: what only grows in a database, so that an older copy
// of its files, or a standby that lags, is known by what it lacks. What that is, each engine says
// in a Watch of its own (lib/db/postgresql/watch.hpp, lib/db/sqlite/watch.hpp).
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
  std::uint64_t next = 0;      // PostgreSQL: the first transaction that was not over
  std::uint64_t changes = 0;   // SQLite: the change counter in the file's header
  std::map<std::string, std::uint64_t> sequences{};  // SQLite: AUTOINCREMENT, by table

  bool operator==(const Position&) const = default;
};

/// Whether a database at `now` provably lacks something that it had at `then`.
bool behind(const Position& now, const Position& then);

/// What a primary's connection says of its position, around one snapshot. As it is here: nothing is
/// known.
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
  /// The last look, before the snapshot ends.
  virtual void after_reading(Session& /*session*/) {}

  /// What the snapshot has at least.
  [[nodiscard]] const Position& now() const { return now_; }
  /// What is left of it whatever happens to the server.
  [[nodiscard]] const Position& lasting() const { return lasting_; }
  /// Whether this role may ask for what row versions are compared with, too.
  [[nodiscard]] bool may_ask_facts() const { return may_ask_facts_; }

 protected:
  bool may_ask_facts_ = false;
  Position now_;
  Position lasting_;
};

}  // namespace abgleich::db
