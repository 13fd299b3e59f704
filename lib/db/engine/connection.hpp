// One connection to one database: the seam between the engines and everything else in `db`.
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
    constraint,     // class 23
    data,           // class 22: a value does not fit
    rights,         // 42501, readonly
    no_space,       // 53100, 53200, SQLITE_FULL, SQLITE_NOMEM: 31
    missing,        // an object is not there: 42P01, 42703, 3F000
    other,
  };
  Fault(Cause cause, std::string state, Error error, std::string broken = {});

  [[nodiscard]] Cause cause() const { return cause_; }
  [[nodiscard]] const std::string& state() const { return state_; }
  /// The constraint that a row would break, by its name or by its columns, where the engine says
  /// it.
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

/// Bulk insertion. Rows are buffered up to about 1 MiB and sent in one go, so other statements may
/// run on the connection in between.
class Loader {
 public:
  /// Called with the ordinal (from 0, over the loader's life) and SQLSTATE of a row that the server
  /// would not take (classes 22 and 23). The other rows of the batch are loaded nevertheless.
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
  /// Runs a query and hands over every row. For small results: PostgreSQL holds it in memory.
  virtual void query(std::string_view sql, std::span<const Cell> parameters, const OnRow& row) = 0;

  /// Reads a query's whole result as fast as the engine can (COPY … TO STDOUT), in bounded memory;
  /// no other statement may run meanwhile.
  virtual void read(std::string_view sql, const OnRow& row) = 0;

  /// The same for rows with large blobs, which may come as their bytes (Storage::blob) even where
  /// `read` gives them as text.
  virtual void read_blobs(std::string_view sql, const OnRow& row) { read(sql, row); }

  /// What stands in front of a row's columns in the SELECT list: where the row is, and its key.
  struct Leading {
    std::size_t places = 0;  // 0 or 1
    std::size_t keys = 0;
  };
  /// Told of every row before it is taken apart: the place's field, the key's fields and everything
  /// but the place, in the engine's own bytes, which are the same for the same values. True: the
  /// row is known, and left out.
  using IsKnown =
      std::function<bool(std::string_view place, std::string_view key, std::string_view row)>;
  /// `read` for rows that are mostly known.
  virtual void read_unknown(std::string_view sql, const Leading& leading, const IsKnown& known,
                            const OnRow& row) = 0;

  /// Puts off deferrable constraints until `check_constraints` or the commit. REQUIRES: a
  /// transaction is open. Here, and below: nothing can be put off.
  virtual void defer_constraints() {}
  /// Checks now what was put off, and everything at once from here on. Throws Fault{constraint};
  /// the caller then rolls back to a savepoint.
  virtual void check_constraints() {}

  /// Lets `work` change the definitions of tables, where they are locked otherwise.
  virtual void edit_definitions(const std::function<void()>& work) { work(); }

  /// Opens a cursor. REQUIRES: a transaction is open. Several may be open at once.
  virtual std::unique_ptr<Cursor> open(std::string_view sql) = 0;

  /// Bulk insertion into `table` (quoted already), `columns` (quoted already). With `refused`, rows
  /// that the server would not take are reported and left out; without, the first one throws Fault.
  virtual std::unique_ptr<Loader> load(std::string_view table,
                                       const std::vector<std::string>& columns,
                                       Loader::Refused refused = {}) = 0;

  /// The same for the first rows of a table, in the fastest way the engine has. Rows may be sent
  /// while the next are added, so a Fault about one may come later: from another call of this
  /// loader, from another statement, on the latest from `flush`. Where the loader ends without
  /// `flush`, some rows may have arrived.
  virtual std::unique_ptr<Loader> fill(std::string_view table,
                                       const std::vector<std::string>& columns) {
    return load(table, columns);
  }

  /// Does `work`, which may use this connection, while the caller does something else, where the
  /// engine can; one more may wait until it is done. Whatever else the caller asks of the
  /// connection waits for both, and the next statement throws what they have thrown.
  virtual void meanwhile(const std::function<void()>& work) { work(); }
  /// Waits for them, and throws what they have thrown.
  virtual void end_meanwhile() {}
};

}  // namespace abgleich::db
