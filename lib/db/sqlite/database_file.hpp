// One open database file: SOCI's session, and SQLite's handle inside it for what SOCI cannot do.
#pragma once

#include "core/endpoint.hpp"
#include "db/engine/session.hpp"
#include "db/sqlite/confined_files.hpp"
#include "db/sqlite/faults.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>

struct sqlite3;

namespace abgleich::db::sqlite {

/// The encoding in which the database stores texts.
enum class Encoding : std::uint8_t { utf8, utf16 };

class DatabaseFile {
 public:
  /// Opens an existing regular file and pins the settings. Throws Fault.
  DatabaseFile(const Endpoint& endpoint, Access access);
  DatabaseFile(const DatabaseFile&) = delete;
  DatabaseFile& operator=(const DatabaseFile&) = delete;
  ~DatabaseFile();

  /// Runs one plain statement by SOCI: no parameters, no rows. Throws Fault.
  void run(const std::string& sql);

  [[nodiscard]] sqlite3* raw() const { return raw_; }
  [[nodiscard]] const Peer& peer() const { return peer_; }
  [[nodiscard]] Encoding encoding() const { return encoding_; }
  [[nodiscard]] bool in_transaction() const;

  using Clock = std::chrono::steady_clock;
  /// The deadline of a statement that begins now.
  [[nodiscard]] Clock::time_point deadline() const;
  /// Sets the deadline for what SQLite does from here on: views and triggers are programs, and may
  /// never end.
  void work_until(Clock::time_point deadline) { deadline_ = deadline; }

  /// SQLite's last error as a Fault. Where a constraint has rolled back the whole transaction (ON
  /// CONFLICT ROLLBACK, RAISE(ROLLBACK)), its cause is not `constraint`, since the caller cannot go
  /// on after it.
  [[nodiscard]] Fault fault(bool was_in_transaction);

 private:
  /// Runs a statement whose result is one text, and returns that.
  std::string ask(const std::string& sql);
  void harden();
  /// SQLite calls it again and again while it works; not 0: it has to stop.
  static int look_up(void* self);

  enum class Stopped : std::uint8_t { no, too_long, too_large };
  struct Session;  // keeps SOCI's headers to one file

  Peer peer_;
  std::chrono::seconds statement_timeout_;
  std::unique_ptr<ConfinedFiles> files_;  // outlives the session
  std::unique_ptr<Session> session_;
  Clock::time_point deadline_ = Clock::time_point::max();
  Stopped stopped_ = Stopped::no;
  sqlite3* raw_ = nullptr;
  Encoding encoding_ = Encoding::utf8;
};

/// Who a file or directory belongs to, and who may write to it.
struct Ownership {
  uid_t user = 0;
  gid_t group = 0;
  mode_t mode = 0;
};

/// Whether the owner of `file` could write to a file that a process of `user` and `group` makes
/// beside it, in `directory`, with the same mode. Reading a database in WAL mode makes two such
/// files; its owner's programs fail where they cannot write to them.
bool owner_could_write(const Ownership& file, const Ownership& directory, uid_t user, gid_t group);

/// The path as a URI that SQLite's own parser, and SOCI's parser of connection strings, leave as it
/// is: everything but unreserved characters and '/' as %XX. REQUIRES: `path` is absolute.
std::string file_uri(std::string_view path);

}  // namespace abgleich::db::sqlite
