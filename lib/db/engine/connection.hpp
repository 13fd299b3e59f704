// One connection to one database: the interface between the engines and everything else in `db`.
// Nothing outside lib/db includes this.
#pragma once

#include "core/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

/// A cell as an engine hands it over or takes it. PostgreSQL: null or text (the server's text form
/// under pinned settings). SQLite: its storage class; integers and reals as decimal text (reals
/// shortest round-trip, "NaN" never occurs), blobs as their bytes.
struct Cell {
  enum class Storage : std::uint8_t { null, integer, real, text, blob };
  Storage storage = Storage::null;
  std::string_view bytes;
};

inline Cell text_cell(std::string_view bytes) {
  return {Cell::Storage::text, bytes};
}

/// What the server said, without its words: SQLSTATE (or SQLite's extended code name) and the names
/// of the objects, never DETAIL or message text, which quote rows.
class Fault : public Failure {
 public:
  enum class Cause : std::uint8_t {
    unreachable,    // connection refused, lost, timeout, locked database: 30
    serialization,  // 40001, 40P01, SQLITE_BUSY_SNAPSHOT: the retry boundary tries again, then 30
    constraint,     // class 23: a constraint refuses a row
    data,           // classes 22, 44, 54, P0: something else refuses a row, or a value does not fit
    rights,         // 42501, readonly
    no_space,       // 53100, 53200, SQLITE_FULL, SQLITE_NOMEM: 31
    missing,        // an object is not there: 42P01, 42703, 3F000
    other,
  };
  Fault(Cause cause, std::string state, Error error, std::string broken = {});

  [[nodiscard]] Cause cause() const { return cause_; }
  [[nodiscard]] const std::string& state() const { return state_; }
  /// The constraint that a row would break, by its name or by its columns. Empty: the engine does
  /// not say.
  [[nodiscard]] const std::string& broken() const { return broken_; }

 private:
  Cause cause_;
  std::string state_;
  std::string broken_;
};

/// A result that is read row by row while other statements run on the same connection. Memory is
/// bounded, however many rows.
class Cursor {
 public:
  virtual ~Cursor() = default;
  /// The next row, valid until the next call; empty at the end (rows have at least one column).
  virtual std::span<const Cell> next() = 0;
};

/// Bulk insertion. Rows are buffered up to about 1 MiB and then sent together, so other statements
/// may run on the connection in between.
class Loader {
 public:
  /// Called for a row that the engine refused (Cause::constraint or data), with its ordinal (from
  /// 0, over the loader's life) and the Fault's state. The other rows of the batch are loaded.
  using Refused = std::function<void(std::int64_t row, const std::string& state)>;

  virtual ~Loader() = default;
  /// Copies the cells.
  virtual void add(std::span<const Cell> row) = 0;
  /// Sends what is buffered. Without it nothing of the last batch arrives.
  virtual void flush() = 0;
};

class Connection {
 public:
  virtual ~Connection() = default;

  /// Runs one statement and returns how many rows it changed. Parameters are $1, $2, …, numbered in
  /// the order of their first use. Throws Fault.
  virtual std::int64_t execute(std::string_view sql, std::span<const Cell> parameters = {}) = 0;

  /// Runs several statements separated by semicolons, without parameters: DDL scripts.
  virtual void execute_script(std::string_view sql) = 0;

  using OnRow = std::function<void(std::span<const Cell>)>;
  /// Runs a query and hands over every row. For small results: PostgreSQL keeps them in memory.
  virtual void query(std::string_view sql, std::span<const Cell> parameters, const OnRow& row) = 0;

  /// Reads a query's whole result as fast as the engine can (COPY … TO STDOUT), in bounded memory;
  /// no other statement may run meanwhile.
  virtual void read(std::string_view sql, const OnRow& row) = 0;

  /// The same for rows with large blobs, which may come as their bytes (Storage::blob) even where
  /// `read` gives them as text.
  virtual void read_blobs(std::string_view sql, const OnRow& row) { read(sql, row); }

  /// The first columns in the SELECT list: the row's place, then its key.
  struct Leading {
    std::size_t places = 0;  // how many columns are the place: 0 or 1
    std::size_t keys = 0;    // how many columns after it are the key
  };
  /// Called for every row before it is split into cells, with the engine's own bytes, which are the
  /// same for the same values: those of the place, of the key, and of the row with its key, but
  /// without its place. True: the row is known, and is not handed over.
  using IsKnown =
      std::function<bool(std::string_view place, std::string_view key, std::string_view row)>;
  /// As `read`, without the rows that `known` knows. For rows of which most are known.
  virtual void read_unknown(std::string_view sql, const Leading& leading, const IsKnown& known,
                            const OnRow& row) = 0;

  /// Defers deferrable constraints until `check_constraints` or the commit. REQUIRES: a transaction
  /// is open. The default, here and below, is for an engine that can defer none.
  virtual void defer_constraints() {}
  /// Checks the deferred constraints now; from here on each is checked at once. Throws
  /// Fault{constraint}; the caller then rolls back to a savepoint.
  virtual void check_constraints() {}

  /// Runs `work`, which may edit the stored definitions of tables; outside, an engine may refuse
  /// it.
  virtual void edit_definitions(const std::function<void()>& work) { work(); }

  /// Opens a cursor. REQUIRES: a transaction is open. Several may be open at once.
  virtual std::unique_ptr<Cursor> open(std::string_view sql) = 0;

  /// Bulk insertion into `table` (quoted already), `columns` (quoted already). With `refused`, rows
  /// that the server refuses are reported and left out; without, the first one throws Fault.
  virtual std::unique_ptr<Loader> load(std::string_view table,
                                       const std::vector<std::string>& columns,
                                       Loader::Refused refused = {}) = 0;

  /// The same for the first rows of a table, in the fastest way that the engine has. Rows may be
  /// sent while the next are added, so the Fault about one may be thrown later: by another call of
  /// this loader, by another statement, at the latest by `flush`. Where the loader is destroyed
  /// without `flush`, some rows may have arrived.
  virtual std::unique_ptr<Loader> fill(std::string_view table,
                                       const std::vector<std::string>& columns) {
    return load(table, columns);
  }

  /// Runs `work`, which may use this connection, in the background where the engine can, otherwise
  /// at once. One more piece of work may be queued until the first is done. All other calls on the
  /// connection wait for both, and the next statement throws what they have thrown.
  virtual void meanwhile(const std::function<void()>& work) { work(); }
  /// Waits for all such work, and throws what it has thrown.
  virtual void end_meanwhile() {}
};

}  // namespace abgleich::db
