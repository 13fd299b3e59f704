// One open database file: SOCI's session, and SQLite's handle inside it for what SOCI cannot carry.
#pragma once

#include "core/endpoint.hpp"
#include "db/session.hpp"
#include "db/soci/faults.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>

struct sqlite3;

namespace abgleich::db::sqlite {

/// How the database keeps its texts.
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

  /// What SQLite last said, as a Fault. A constraint whose failure took the whole transaction with
  /// it (ON CONFLICT ROLLBACK, RAISE(ROLLBACK)) is no constraint that a caller may step around.
  [[nodiscard]] Fault fault(bool was_in_transaction) const;

 private:
  /// The one text that a statement answers.
  std::string ask(const std::string& sql);

  struct Session;  // keeps SOCI's headers to one file

  Peer peer_;
  std::unique_ptr<Session> session_;
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
