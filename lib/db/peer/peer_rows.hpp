// The tables of one peer and their rows, inside the file where everything of that peer is kept
// (db/peer/peer_database.hpp, which says what the functions mean).
#pragma once

#include "core/value.hpp"
#include "db/engine/connection.hpp"
#include "db/peer/peer_table.hpp"
#include "db/sqlite/database_file.hpp"
#include "db/sqlite/declared_type.hpp"
#include "db/sqlite/statement.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace abgleich::db {

class PeerRows {
 public:
  /// `file` outlives this.
  explicit PeerRows(sqlite::DatabaseFile& file) : file_(file) {}

  // Throw Unstorable, and Fault. REQUIRE: a transaction is open.
  void begin_whole(const std::vector<PeerTable>& tables);
  [[nodiscard]] bool has(const std::vector<PeerTable>& tables);
  [[nodiscard]] bool put(std::size_t table, const std::vector<Value>& cells);
  void remove(std::size_t table, const std::vector<Value>& key);
  std::int64_t rows(std::size_t table);

  /// Forgets which tables were named, as their transaction is over.
  void forget() noexcept { open_.clear(); }

 private:
  /// A table that rows are written into.
  struct OpenTable {
    std::string name;  // quoted
    std::vector<sqlite::Affinity> columns;
    std::vector<bool> in_key;
    std::vector<sqlite::Affinity> key;
    std::string removal;  // SQL
    // made for the first row
    std::unique_ptr<sqlite::Statement> put;
    std::unique_ptr<sqlite::Statement> remove;
  };

  std::vector<PeerTable> stored();
  void open(const std::vector<PeerTable>& tables, std::string insertion);
  OpenTable& table_at(std::size_t table);
  std::unique_ptr<sqlite::Statement> prepared(const std::string& sql);
  void run(sqlite::Statement& statement, const std::vector<Value>& values);

  sqlite::DatabaseFile& file_;
  std::string insertion_;        // how SQL to put a row begins
  std::vector<OpenTable> open_;  // those that were named, in that order
  std::vector<Cell> cells_;      // of the row that is written
};

}  // namespace abgleich::db
