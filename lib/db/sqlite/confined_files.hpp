// What SQLite may touch for one connection: the database's own file, its journal, its write-ahead
// log and shared memory, and nothing else, whatever stands in those files. A rollback journal can
// name a file that SQLite then reads and deletes; nobody but us decides which files those are.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::db::sqlite {

/// Whether SQLite may keep what does not fit its memory in temporary files.
enum class Temporary : std::uint8_t { in_files, in_memory };

/// A file system of SQLite's (sqlite3_vfs) with a name of its own, registered while this lives.
class ConfinedFiles {
 public:
  /// REQUIRES: `database` is canonical. It has to outlive every connection that names it.
  ConfinedFiles(const std::filesystem::path& database, Temporary temporary);
  ConfinedFiles(const ConfinedFiles&) = delete;
  ConfinedFiles& operator=(const ConfinedFiles&) = delete;
  ~ConfinedFiles();

  /// What `?vfs=` takes.
  [[nodiscard]] std::string_view name() const;

  /// What SQLite was kept from, in words; empty where there was nothing.
  [[nodiscard]] std::string_view refusal() const;

 private:
  struct Shim;
  std::unique_ptr<Shim> shim_;
};

/// What is wrong with the files beside the database, if anything: a journal, log or shared memory
/// that is no regular file, that has another name too, or whose owner could not write to the
/// database, so that its content is not the database's.
std::optional<std::string> strange_companion(const std::filesystem::path& database);

}  // namespace abgleich::db::sqlite
