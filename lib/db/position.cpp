#include "db/position.hpp"

#include "db/cell_values.hpp"
#include "db/row_versions.hpp"

#include <algorithm>

namespace abgleich::db {

namespace {

constexpr std::size_t kTimelineDigits = 8;  // of the name of a file of the log

// Administrators may have taken these functions from PUBLIC.
constexpr std::string_view kMayAsk =
    "SELECT pg_is_in_recovery(), "
    "has_function_privilege('pg_last_wal_replay_lsn()', 'EXECUTE') AND "
    "has_function_privilege('pg_control_checkpoint()', 'EXECUTE') AND "
    "has_function_privilege('pg_control_recovery()', 'EXECUTE') AND "
    "has_function_privilege('pg_current_wal_insert_lsn()', 'EXECUTE') AND "
    "has_function_privilege('pg_current_wal_flush_lsn()', 'EXECUTE') AND "
    "has_function_privilege('pg_walfile_name(pg_lsn)', 'EXECUTE'), ";
// A standby follows a timeline before its control file says so; it never says one too many.
constexpr std::string_view kOnStandby =
    "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'), "
    "greatest(c.timeline_id, r.min_recovery_end_timeline) "
    "FROM pg_control_checkpoint() c, pg_control_recovery() r";
// The end of what was inserted is asked for first: what was flushed then may be more, not less.
constexpr std::string_view kOnPrimary =
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'), "
    "pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0'), "
    "pg_walfile_name(pg_current_wal_flush_lsn()), txid_snapshot_xmax(txid_current_snapshot())";
constexpr std::string_view kFlushed = "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')";

// Of every size that a page of the log can be built with.
constexpr std::uint64_t kSmallestPage = 1024;

bool is_server(const Session& session) {
  return session.dialect->engine() == Engine::postgresql;
}

bool yes(const Cell& cell) {
  return cell.bytes == "t";
}

/// Numbers of 32 bits that go round.
bool before(std::uint64_t one, std::uint64_t other) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(one) -
                                   static_cast<std::uint32_t>(other)) < 0;
}

std::map<std::string, std::uint64_t> sequences(Connection& connection) {
  std::map<std::string, std::uint64_t> found;
  bool any = false;
  connection.query("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'", {},
                   [&](std::span<const Cell>) { any = true; });
  if (any) {
    // the application's to write: whatever is not a number there was not given as a key
    connection.query(
        "SELECT name, seq FROM sqlite_sequence WHERE typeof(seq) = 'integer' AND "
        "typeof(name) = 'text' AND seq > 0",
        {}, [&](std::span<const Cell> row) {
          found[text(row[0])] = number<std::uint64_t>(row[1].bytes);
        });
  }
  return found;
}

}  // namespace

bool behind(const Position& now, const Position& then) {
  const auto lower = [](std::uint64_t one, std::uint64_t other) {
    return one != 0 && other != 0 && one < other;
  };
  if (lower(now.timeline, then.timeline) || lower(now.wal, then.wal) ||
      lower(now.next, then.next)) {
    return true;
  }
  if (now.changes != 0 && then.changes != 0 && before(now.changes, then.changes)) {
    return true;
  }
  return std::ranges::any_of(then.sequences, [&](const auto& sequence) {
    const auto found = now.sequences.find(sequence.first);
    return found != now.sequences.end() && found->second < sequence.second;
  });
}

void Watch::before_snapshot(Session& session) {
  *this = {};
  if (!is_server(session)) {
    return;
  }
  auto& connection = *session.connection;
  const auto ask = std::string(kMayAsk) + may_select_server_facts();
  connection.query(ask, {}, [&](std::span<const Cell> row) {
    now_.standby = yes(row[0]);
    may_ask_ = yes(row[1]);
    may_ask_facts_ = yes(row[2]);
  });
  if (may_ask_ && now_.standby) {
    connection.query(kOnStandby, {}, [&](std::span<const Cell> row) {
      now_.wal = number<std::uint64_t>(row[0].bytes);
      now_.timeline = number<std::uint64_t>(row[1].bytes);
    });
    lasting_ = now_;  // the primary had flushed it before it came here
  }
}

void Watch::in_snapshot(Session& session) {
  if (!is_server(session)) {
    now_.changes = session.connection->change_counter();
    now_.sequences = sequences(*session.connection);
    lasting_ = now_;
    return;
  }
  if (!may_ask_ || now_.standby) {
    return;
  }
  session.connection->query(kOnPrimary, {}, [&](std::span<const Cell> row) {
    now_.wal = number<std::uint64_t>(row[0].bytes);
    now_.timeline = number<std::uint64_t>(row[2].bytes.substr(0, kTimelineDigits), 16);
    now_.next = number<std::uint64_t>(row[3].bytes);
    lasting_.wal = number<std::uint64_t>(row[1].bytes);
  });
  lasting_.timeline = now_.timeline;
  if (lasting_.wal >= now_.wal) {
    lasting_ = now_;
  }
}

void Watch::after_reading(Session& session) {
  if (lasting_.wal >= now_.wal) {
    return;  // a file, a standby, or a server at rest
  }
  std::uint64_t flushed = 0;
  session.connection->query(kFlushed, {}, [&](std::span<const Cell> row) {
    flushed = number<std::uint64_t>(row[0].bytes);
  });
  if (flushed >= now_.wal) {
    lasting_ = now_;
  } else if (lasting_.wal % kSmallestPage == 0) {
    // whole pages are written also in the midst of an entry, which a crash takes back
    lasting_.wal = 0;
  }
}

}  // namespace abgleich::db
