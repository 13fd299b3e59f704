// Row versions: which rows of a PostgreSQL table a transaction can have written since another
// snapshot, by `xmin`. Much cheaper than reading the table, and right only under conditions.
//
// Let S be the snapshot of the last reading, H its xmin: the oldest transaction that was not over.
// A row version that is visible now and was not to S was written by a transaction that S did not
// see as over. Its xid, and those of its subtransactions, are at least H: whatever was over before
// H had been assigned is visible to S. So the rows with age(xmin) <= age(H) are all rows that are
// new or changed since S; transactions that were prepared, long-running or inside a subtransaction
// at the time of S are at or after H like all others. (xmax and pg_visible_in_snapshot would miss
// the rows of subtransactions.) The system column gives the raw xmin, also of frozen rows: VACUUM
// FREEZE and COPY FREEZE hide nothing. An xid from before the last wrap-around may look young; that
// only adds rows.
//
// It holds while nothing else has changed what the rows say, or which rows there are. Therefore all
// of this is part of `facts`, which have to be the same as at S:
//   server        system identifier, version, timeline (pg_walfile_name): a restore or a failover
//                 brings other rows under old xids. Not on a standby, whose xids are not its own.
//   database      its oid
//   table         oids of the table and of every partition (dropped and made anew, attached,
//                 detached, swapped), kind and access method (heap, or xmin means nothing), owner's
//                 row security
//   file          relfilenode: TRUNCATE, VACUUM FULL, CLUSTER and every ALTER that rewrites. It is
//                 read in the snapshot and again after the table is locked: where the two differ,
//                 the table was replaced in between, and its snapshot cannot be read (`moved`).
//   columns       number, name, type, modifier, dropped, generated, missing value (ADD COLUMN with
//   a
//                 default writes no row): of the table and its partitions
//   enumerations  names of the labels (RENAME VALUE writes no row)
// Types whose text depends on other rows of the catalogue (reg…, aclitem, composites, types that
// are not the server's own), virtual columns, views, foreign and inheriting tables have no row
// versions. And the distance: H must be less than 2^30 transactions ago, or xids compare the wrong
// way round; the next xid must not lie before that of S.
#pragma once

#include "core/catalog.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::db {

struct RowVersions {
  bool usable = false;  // the table has row versions, here and now
  bool moved = false;   // replaced between the snapshot and now
  std::string facts;
  std::uint64_t horizon = 0;  // H of this snapshot
  std::uint64_t next = 0;     // the first xid that had not begun
};

/// Whether `now` can say what has changed since a reading with these facts and numbers.
bool follows(const RowVersions& now, const std::string& facts, std::uint64_t horizon,
             std::uint64_t next);

/// The server's part of the facts, but for system and database, which the catalogue has: one row of
/// standby (t or f), facts, xmin and xmax of the snapshot.
std::string select_server_facts();
/// The table's part: one row of usable, moved (t or f), facts. `table` is the oid.
std::string select_table_facts(std::int64_t table,
                               const std::vector<const CatalogColumn*>& columns);

/// SQL over a table's row: whether it may be new since H; where it is, with '+' in front where it
/// may be new; and whether it may be new or is at one of these places.
std::string recent(std::uint64_t horizon);
std::string recent_place(std::uint64_t horizon);
std::string recent_or_at(std::uint64_t horizon, const std::vector<std::string>& places);

}  // namespace abgleich::db
