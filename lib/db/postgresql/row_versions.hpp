// Row versions: which rows of a PostgreSQL table may have been written since another snapshot, by
// `xmin`. Much cheaper than reading the table, and right only under conditions.
//
// Why it is right. Let S be the snapshot of the last reading and H its xmin: the oldest transaction
// that was not over. A row version that is visible now and was not visible to S was written by a
// transaction that was not over for S. The xid of that transaction, and those of its
// subtransactions, are at least H: all transactions before H were over and are visible to S, and a
// subtransaction's xid is greater than its parent's. So all rows that are new or changed since S
// are among those with age(xmin) <= age(H). Transactions that were prepared, long-running or inside
// a subtransaction at the time of S are at or after H like all others. (xmax and
// pg_visible_in_snapshot would miss the rows of subtransactions.) The system column gives the raw
// xmin, also of frozen rows: VACUUM FREEZE and COPY FREEZE hide nothing. An xid from before the
// last wrap-around may look young; that only adds rows.
//
// It is right only if xids continue from where S was, and if nothing else has changed what the rows
// contain or which rows there are. These are the conditions, and the `facts` prove them: they have
// to be the same as at S. tests/cli/row_versions_test.cpp breaks each condition.
//
//   server        system identifier and version: xids of other servers say nothing. A standby is
//                 not used, since its xids are not its own
//   timeline      (pg_walfile_name) every promotion and every recovery to a point in time begins a
//                 new one
//   one start     pg_postmaster_start_time: when files of a stopped server are put back, after
//                 pg_resetwal, or when a standby is made a primary by hand, the timeline stays, but
//                 the server has to start
//   crash         stats_reset of pg_stat_archiver: every recovery from a crash resets statistics,
//                 also one under the same postmaster. Transactions that were committed with
//                 synchronous_commit = off may be lost then, and their xids, which S has seen, are
//                 given to others
//   database      its oid, and the xmin of its row in pg_database: CREATE DATABASE can be given an
//                 oid, and tables from a template keep theirs
//   table         oids of the table and of every partition (dropped and made anew, attached,
//                 detached, swapped), kind and access method (only a heap has such an xmin), row
//                 security. It has to be logged: others are empty after a crash. It must not be
//                 distributed by Citus: its rows and their xids are on other servers, though the
//                 catalogue does not show that
//   file          relfilenode: TRUNCATE, VACUUM FULL, CLUSTER, pg_repack and every ALTER that
//                 rewrites; COPY FREEZE needs a new file, too. It is read in the snapshot and again
//                 after the table is locked: where the two differ, the table was replaced in
//                 between, and this snapshot cannot read it (`moved`)
//   columns       number, name, type, modifier, dropped, generated, missing value (ADD COLUMN with
//                 a default writes no row): of the table and its partitions
//   enumerations  names of the labels (RENAME VALUE writes no row)
//   numbers       beside the facts: neither the next xid nor the oldest one is less than at S, and
//                 H is less than 2^30 transactions ago, or xids would compare the wrong way round
//
// These have no row versions: types whose text depends on other rows of the catalogue (reg…,
// aclitem, composites, types that are not the server's own), virtual columns, views, foreign
// tables, and tables that others inherit from. Stored generated columns and texts with a collation
// have them: their stored bytes are what is compared.
//
// In addition a run counts: rows now = rows then + new keys - keys that are gone. If there are more
// rows, something else has made them visible (pg_surgery, a unique index that is no longer one),
// and every row is read. Two cases are found only when every row is read because of full_every:
// such rows where the same number of others has gone; and a virtual machine that is put back
// together with its memory, so that the same server goes on. `numbers` shows the latter only until
// as many transactions have passed as were lost.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/row_versions.hpp"
#include "db/engine/session.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace abgleich::db::postgresql {

/// See Source::row_versions; of all the tables in few statements.
std::vector<RowVersions> row_versions(Session& session, const std::vector<VersionedTable>& asked);

/// SQL: whether this role may read the server's part of the facts, which administrators may have
/// revoked from PUBLIC.
std::string may_select_server_facts();
/// SQL: the server's part of the facts, without system and database, which the catalogue has: one
/// row of standby (t or f), facts, xmin and xmax of the snapshot.
std::string select_server_facts();
/// SQL: the tables' part: for each a row of its oid, usable, moved (t or f), facts, pages.
/// REQUIRES: `asked` is not empty.
std::string select_table_facts(std::span<const VersionedTable* const> asked, bool may_ask_size);
/// SQL: whether this role may ask how large a table is; otherwise there are no pages.
std::string_view may_select_size();

/// SQL: the names of those of the tables (by oid) whose rows lie elsewhere, or not in a heap: of
/// foreign servers, of Citus, of another access method. Their versions tell nothing. REQUIRES:
/// `tables` is not empty.
std::string select_lying_elsewhere(const std::vector<std::int64_t>& tables);

/// SQL over a row of the table: whether it may be new since H; the others are as in Backend.
std::string recent(std::uint64_t horizon);
std::string place();
std::string recent_place(std::uint64_t horizon);
std::string recent_or_at(std::uint64_t horizon, const std::vector<std::string>& places);

}  // namespace abgleich::db::postgresql
