#include "db/postgresql/watch.hpp"

#include "db/engine/cell_values.hpp"
#include "db/postgresql/row_versions.hpp"

namespace abgleich::db::postgresql {

namespace {

constexpr std::size_t kTimelineDigits = 8;  // the first ones of the name of a log file

// Administrators may have revoked these functions from PUBLIC.
constexpr std::string_view kMayAsk =
    "SELECT pg_is_in_recovery(), "
    "has_function_privilege('pg_last_wal_replay_lsn()', 'EXECUTE') AND "
    "has_function_privilege('pg_control_checkpoint()', 'EXECUTE') AND "
    "has_function_privilege('pg_control_recovery()', 'EXECUTE') AND "
    "has_function_privilege('pg_current_wal_insert_lsn()', 'EXECUTE') AND "
    "has_function_privilege('pg_current_wal_flush_lsn()', 'EXECUTE') AND "
    "has_function_privilege('pg_walfile_name(pg_lsn)', 'EXECUTE'), ";
// A standby may follow a newer timeline than its control file says, but never an older one.
constexpr std::string_view kOnStandby =
    "SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'), "
    "greatest(c.timeline_id, r.min_recovery_end_timeline) "
    "FROM pg_control_checkpoint() c, pg_control_recovery() r";
// The insert position is asked for first: if the flush position, asked for after it, has reached
// it, all of that is flushed.
constexpr std::string_view kOnPrimary =
    "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'), "
    "pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0'), "
    "pg_walfile_name(pg_current_wal_flush_lsn()), txid_snapshot_xmax(txid_current_snapshot())";
constexpr std::string_view kFlushed = "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')";

// The smallest size that a page of the log can have; all others are multiples of it.
constexpr std::uint64_t kSmallestPage = 1024;

bool yes(const Cell& cell) {
  return cell.bytes == "t";
}

}  // namespace

void ServerWatch::before_snapshot(Session& session) {
  may_ask_ = false;
  may_ask_facts_ = false;
  now_ = {};
  lasting_ = {};
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
    lasting_ = now_;  // the primary flushes the log before it sends it to a standby
  }
}

void ServerWatch::in_snapshot(Session& session) {
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

void ServerWatch::after_reading(Session& session) {
  if (lasting_.wal >= now_.wal) {
    return;  // a standby, or a server at rest
  }
  std::uint64_t flushed = 0;
  session.connection->query(kFlushed, {}, [&](std::span<const Cell> row) {
    flushed = number<std::uint64_t>(row[0].bytes);
  });
  if (flushed >= now_.wal) {
    lasting_ = now_;
  } else if (lasting_.wal % kSmallestPage == 0) {
    // a whole page may end in the middle of an entry, which is lost in a crash
    lasting_.wal = 0;
  }
}

}  // namespace abgleich::db::postgresql
