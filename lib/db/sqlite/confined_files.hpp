// The files that SQLite may touch for one connection: the database's own file, its journal, its
// write-ahead log and shared memory, and no others, whatever these contain. A rollback journal, for
// example, can name a file that SQLite then reads and deletes.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db::sqlite {

/// Whether SQLite may use temporary files for data that does not fit into its memory.
enum class Temporary : std::uint8_t { in_files, in_memory };

/// A file system for SQLite (sqlite3_vfs) with a name of its own, registered while this lives.
class ConfinedFiles {
 public:
  /// REQUIRES: `database` is canonical. This has to outlive every connection that uses its name.
  ConfinedFiles(const std::filesystem::path& database, Temporary temporary);
  ConfinedFiles(const ConfinedFiles&) = delete;
  ConfinedFiles& operator=(const ConfinedFiles&) = delete;
  ~ConfinedFiles();

  /// What `?vfs=` takes.
  [[nodiscard]] std::string_view name() const;

  /// Which access was refused first, in words; empty: none.
  [[nodiscard]] std::string_view refusal() const;

 private:
  struct Shim;
  std::unique_ptr<Shim> shim_;
};

/// What is wrong with the files beside the database, if anything: a journal, log or shared memory
/// that is no regular file, that has another name, too, or whose owner may not write to the
/// database and so must not change it by such a file.
std::optional<std::string> strange_companion(const std::filesystem::path& database);

}  // namespace abgleich::db::sqlite
