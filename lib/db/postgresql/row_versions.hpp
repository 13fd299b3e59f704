// Row versions: which rows of a PostgreSQL table a transaction can have written since another
// snapshot, by `xmin`. Much cheaper than reading the table, and right only under conditions.
//
// What it rests on. Let S be the snapshot of the last reading and H its xmin: the oldest
// transaction that was not over. A row version that is visible now and was not to S was written by
// a transaction that S did not see as over. Its xid, and those of its subtransactions, are at least
// H, because whatever was over before H had been assigned is visible to S, and a subtransaction's
// xid is greater than its parent's. So the rows with age(xmin) <= age(H) are all rows that are new
// or changed since S; transactions that were prepared, long-running or inside a subtransaction at
// the time of S are at or after H like all others. (xmax and pg_visible_in_snapshot would miss the
// rows of subtransactions.) The system column gives the raw xmin, also of frozen rows: VACUUM
// FREEZE and COPY FREEZE hide nothing. An xid from before the last wrap-around may look young; that
// only adds rows.
//
// It holds while xids go on from where S was, and while nothing else has changed what the rows say
// or which rows there are. Each of this is a condition, and its proof are the `facts`, which have
// to be the same as at S; tests/cli/row_versions_test.cpp breaks them one by one.
//   server        system identifier and version: other servers' xids tell nothing. Not on a
//   standby,
//                 whose xids are not its own.
//   timeline      (pg_walfile_name) every promotion and every recovery to a point in time begins
//   one start         pg_postmaster_start_time: files that were put back cold, pg_resetwal and a
//   standby
//                 that was made a primary by hand keep the timeline, but not a running server
//   crash         stats_reset of pg_stat_archiver: statistics are thrown away by every recovery
//   from
//                 a crash, also by one under the same postmaster. What had been committed with
//                 synchronous_commit = off may be gone then, and its xids, which S has seen, are
//                 given to other transactions
//   database      its oid, and the xmin of its row in pg_database: CREATE DATABASE may be told an
//                 oid, and a template's tables keep theirs
//   table         oids of the table and of every partition (dropped and made anew, attached,
//                 detached, swapped), kind and access method (heap, or xmin means nothing), owner's
//                 row security. Logged: what is not is empty after a crash. Not distributed by
//                 Citus: its rows and their xids are other servers', whatever the catalogue says.
//   file          relfilenode: TRUNCATE, VACUUM FULL, CLUSTER, pg_repack and every ALTER that
//                 rewrites. It is read in the snapshot and again after the table is locked: where
//                 the two differ, the table was replaced in between, and its snapshot cannot be
//                 read
//                 (`moved`). COPY FREEZE needs a new file.
//   columns       number, name, type, modifier, dropped, generated, missing value (ADD COLUMN with
//   a
//                 default writes no row): of the table and its partitions
//   enumerations  names of the labels (RENAME VALUE writes no row)
//   numbers       the next xid does not lie before that of S, nor its oldest one; H is less than
//                 2^30 transactions ago, or xids compare the wrong way round
// Types whose text depends on other rows of the catalogue (reg…, aclitem, composites, types that
// are not the server's own), virtual columns, views, foreign and inheriting tables have no row
// versions. Stored generated columns and collations do: their stored bytes are what is compared.
//
// Beyond the facts, a run counts: rows now = rows then + new keys - keys that are gone. More rows
// than that are none of ours to explain (pg_surgery, a unique index that is none any more), and
// every row is read. Two things are left for full_every: such rows where as many others have gone
// at the same time, and a virtual machine that is put back with its memory while the same server
// runs on, which `numbers` find only until as many transactions have passed as were lost.
#pragma once

#include "core/catalog.hpp"
#include "db/engine/row_versions.hpp"
#include "db/engine/session.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::db::postgresql {

/// See Source::row_versions.
RowVersions row_versions(Session& session, const VersionedTable& asked);

/// SQL: whether this role may read the server's part of the facts, which administrators may have
/// taken from PUBLIC.
std::string may_select_server_facts();
/// The server's part of the facts, but for system and database, which the catalogue has: one row of
/// standby (t or f), facts, xmin and xmax of the snapshot.
std::string select_server_facts();
/// The table's part: one row of usable, moved (t or f), facts. `table` is the oid.
std::string select_table_facts(std::int64_t table,
                               const std::vector<const CatalogColumn*>& columns);

/// SQL: the names of those of the tables (by oid) whose rows lie elsewhere, or not in a heap: of
/// foreign servers, of Citus, of another access method. Their versions tell nothing. REQUIRES: one.
std::string select_lying_elsewhere(const std::vector<std::int64_t>& tables);

/// SQL over a table's row: whether it may be new since H; where it is, with '+' in front where it
/// may be new; and whether it may be new or is at one of these places.
std::string recent(std::uint64_t horizon);
std::string place();
std::string recent_place(std::uint64_t horizon);
std::string recent_or_at(std::uint64_t horizon, const std::vector<std::string>& places);

}  // namespace abgleich::db::postgresql
