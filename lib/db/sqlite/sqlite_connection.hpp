// The Connection to a SQLite file.
#pragma once

#include "db/engine/connection.hpp"
#include "db/engine/tracer.hpp"
#include "db/sqlite/database_file.hpp"
#include "db/sqlite/statement.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace abgleich::db::sqlite {

class SqliteConnection final : public Connection {
 public:
  SqliteConnection(const Endpoint& endpoint, Access access)
      : file_(endpoint, access), tracer_(endpoint) {}

  std::int64_t execute(std::string_view sql, std::span<const Cell> parameters) override;
  void execute_script(std::string_view sql) override;
  void query(std::string_view sql, std::span<const Cell> parameters, const OnRow& row) override;
  void read(std::string_view sql, const OnRow& row) override;
  void read_unknown(std::string_view sql, const Leading& leading, const IsKnown& known,
                    const OnRow& row) override;
  void defer_constraints() override;
  void edit_definitions(const std::function<void()>& work) override;
  void check_constraints() override;
  std::unique_ptr<Cursor> open(std::string_view sql) override;
  std::unique_ptr<Loader> load(std::string_view table, const std::vector<std::string>& columns,
                               Loader::Refused refused) override;

  /// The change counter in the file's header: how often it was changed. 0: not known.
  std::uint64_t change_counter();

  /// Writes a copy of the whole database, as this connection's transaction sees it, to a new file.
  void copy_to(const std::filesystem::path& file) const;

  /// The collation that a column was declared with, which no pragma tells; empty for the default.
  std::string collation_of(const std::string& table, const std::string& column);

 private:
  DatabaseFile file_;
  Tracer tracer_;
};

}  // namespace abgleich::db::sqlite
