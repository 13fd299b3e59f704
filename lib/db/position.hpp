// How far a primary had got when it was read: what only grows in a database, so that an older copy
// of its files, or a standby that lags, is known by what it lacks.
//
// PostgreSQL: the timeline, the position in the log and the next transaction. What is kept of them
// is what no crash takes back, or a server that has only lost what nobody was promised
// (synchronous_commit = off, a transaction that was given up) would count as an older copy; what is
// asked is what there is now. A standby is asked before the snapshot begins, as it goes on
// meanwhile; its transactions say nothing that its position does not.
//
// SQLite: the change counter in the file's header (https://www.sqlite.org/fileformat.html, 1.3.7),
// which every transaction increments, in WAL mode only those that change the first page, and never
// any decrements; and of tables with AUTOINCREMENT the largest key that was ever given. A file that
// was made anew (VACUUM INTO, .dump) has a counter of its own: it cannot be told from an older one.
#pragma once

#include "db/session.hpp"

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

/// What a primary's connection says of its position, around one snapshot.
class Watch {
 public:
  /// REQUIRES: no transaction is open.
  void before_snapshot(Session& session);
  /// REQUIRES: the snapshot has begun, and nothing was read in it.
  void in_snapshot(Session& session);
  /// The last look, before the snapshot ends.
  void after_reading(Session& session);

  /// What the snapshot has at least.
  [[nodiscard]] const Position& now() const { return now_; }
  /// What is left of it whatever happens to the server.
  [[nodiscard]] const Position& lasting() const { return lasting_; }
  /// Whether this role may ask for what row versions are held against, too.
  [[nodiscard]] bool may_ask_facts() const { return may_ask_facts_; }

 private:
  bool may_ask_ = false;
  bool may_ask_facts_ = false;
  Position now_;
  Position lasting_;
};

}  // namespace abgleich::db
