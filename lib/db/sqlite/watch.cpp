#include "db/sqlite/watch.hpp"

#include "db/engine/cell_values.hpp"
#include "db/sqlite/sqlite_connection.hpp"

namespace abgleich::db::sqlite {

namespace {

std::map<std::string, std::uint64_t> sequences(Connection& connection) {
  std::map<std::string, std::uint64_t> found;
  bool any = false;
  connection.query("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'", {},
                   [&](std::span<const Cell>) { any = true; });
  if (any) {
    // applications can write to this table, too: only positive integers are keys that were given
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

void FileWatch::in_snapshot(Session& session) {
  now_ = {};
  now_.changes = dynamic_cast<SqliteConnection&>(*session.connection).change_counter();
  now_.sequences = sequences(*session.connection);
  lasting_ = now_;
}

}  // namespace abgleich::db::sqlite
