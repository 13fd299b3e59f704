#include "db/sqlite/faults.hpp"

#include "db/engine/fault_code.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <string_view>
#include <utility>

namespace abgleich::db::sqlite {

namespace {

using Cause = Fault::Cause;

struct Known {
  int code;
  std::string_view name;
  std::string_view text;  // our own words, empty for none
};

#define ABGLEICH_RESULT(code, text) \
  Known {                           \
    code, #code, text               \
  }

/// https://sqlite.org/rescode.html
constexpr std::array kKnown{
    ABGLEICH_RESULT(SQLITE_ERROR, "an object is missing, or the statement does not suit it"),
    ABGLEICH_RESULT(SQLITE_INTERNAL, ""),
    ABGLEICH_RESULT(SQLITE_PERM, "permission denied"),
    ABGLEICH_RESULT(SQLITE_ABORT, ""),
    ABGLEICH_RESULT(SQLITE_ABORT_ROLLBACK, "the transaction was rolled back meanwhile"),
    ABGLEICH_RESULT(SQLITE_BUSY, "another program holds the lock"),
    ABGLEICH_RESULT(SQLITE_BUSY_RECOVERY, "another program is recovering the file"),
    ABGLEICH_RESULT(SQLITE_BUSY_SNAPSHOT, "another program changed the file meanwhile"),
    ABGLEICH_RESULT(SQLITE_BUSY_TIMEOUT, "another program holds the lock"),
    ABGLEICH_RESULT(SQLITE_LOCKED, "a table is locked"),
    ABGLEICH_RESULT(SQLITE_LOCKED_SHAREDCACHE, "a table is locked"),
    ABGLEICH_RESULT(SQLITE_NOMEM, "out of memory"),
    ABGLEICH_RESULT(SQLITE_READONLY, "the file or the connection is read-only"),
    ABGLEICH_RESULT(SQLITE_READONLY_RECOVERY, "its write-ahead log needs recovery"),
    ABGLEICH_RESULT(SQLITE_READONLY_CANTLOCK, "its write-ahead log cannot be locked"),
    ABGLEICH_RESULT(SQLITE_READONLY_CANTINIT, "its write-ahead log cannot be opened"),
    ABGLEICH_RESULT(SQLITE_READONLY_ROLLBACK, "a program was killed while it wrote the file"),
    ABGLEICH_RESULT(SQLITE_READONLY_DBMOVED, "the file was moved or replaced meanwhile"),
    ABGLEICH_RESULT(SQLITE_READONLY_DIRECTORY, "its directory is not writable"),
    ABGLEICH_RESULT(SQLITE_INTERRUPT, "the statement was interrupted"),
    ABGLEICH_RESULT(SQLITE_IOERR, "the disk reports an error"),
    ABGLEICH_RESULT(SQLITE_IOERR_READ, "the disk reports an error"),
    ABGLEICH_RESULT(SQLITE_IOERR_SHORT_READ, "the file is shorter than it should be"),
    ABGLEICH_RESULT(SQLITE_IOERR_WRITE, "the disk reports an error"),
    ABGLEICH_RESULT(SQLITE_IOERR_FSYNC, "the disk reports an error"),
    ABGLEICH_RESULT(SQLITE_IOERR_DIR_FSYNC, "the disk reports an error"),
    ABGLEICH_RESULT(SQLITE_IOERR_TRUNCATE, "the disk reports an error"),
    ABGLEICH_RESULT(SQLITE_IOERR_FSTAT, "the disk reports an error"),
    ABGLEICH_RESULT(SQLITE_IOERR_UNLOCK, "the file system refuses locks"),
    ABGLEICH_RESULT(SQLITE_IOERR_RDLOCK, "the file system refuses locks"),
    ABGLEICH_RESULT(SQLITE_IOERR_LOCK, "the file system refuses locks"),
    ABGLEICH_RESULT(SQLITE_IOERR_CHECKRESERVEDLOCK, "the file system refuses locks"),
    ABGLEICH_RESULT(SQLITE_IOERR_DELETE, "a journal cannot be deleted"),
    ABGLEICH_RESULT(SQLITE_IOERR_ACCESS, "the disk reports an error"),
    ABGLEICH_RESULT(SQLITE_IOERR_CLOSE, "the disk reports an error"),
    ABGLEICH_RESULT(SQLITE_IOERR_NOMEM, "out of memory"),
    ABGLEICH_RESULT(SQLITE_IOERR_SHMOPEN, "its shared memory cannot be opened"),
    ABGLEICH_RESULT(SQLITE_IOERR_SHMSIZE, "its shared memory cannot grow"),
    ABGLEICH_RESULT(SQLITE_IOERR_SHMLOCK, "its shared memory cannot be locked"),
    ABGLEICH_RESULT(SQLITE_IOERR_SHMMAP, "its shared memory cannot be mapped"),
    ABGLEICH_RESULT(SQLITE_IOERR_GETTEMPPATH, "there is no directory for temporary files"),
    ABGLEICH_RESULT(SQLITE_IOERR_CORRUPTFS, "the file system is damaged"),
    ABGLEICH_RESULT(SQLITE_CORRUPT, "the file is damaged"),
    ABGLEICH_RESULT(SQLITE_CORRUPT_VTAB, "a virtual table is damaged"),
    ABGLEICH_RESULT(SQLITE_CORRUPT_SEQUENCE, "the file is damaged"),
    ABGLEICH_RESULT(SQLITE_CORRUPT_INDEX, "an index is damaged"),
    ABGLEICH_RESULT(SQLITE_FULL, "the disk is full"),
    ABGLEICH_RESULT(SQLITE_CANTOPEN, "a file cannot be opened"),
    ABGLEICH_RESULT(SQLITE_CANTOPEN_NOTEMPDIR, "there is no directory for temporary files"),
    ABGLEICH_RESULT(SQLITE_CANTOPEN_ISDIR, "it is a directory"),
    ABGLEICH_RESULT(SQLITE_CANTOPEN_FULLPATH, "its path cannot be resolved"),
    ABGLEICH_RESULT(SQLITE_CANTOPEN_SYMLINK, "it is a symbolic link"),
    ABGLEICH_RESULT(SQLITE_PROTOCOL, "another program holds the lock"),
    ABGLEICH_RESULT(SQLITE_SCHEMA, "the schema changed meanwhile"),
    ABGLEICH_RESULT(SQLITE_TOOBIG, "a value is too large"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT, "a constraint is violated"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_CHECK, "a CHECK constraint is violated"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_COMMITHOOK, "a constraint is violated"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_FOREIGNKEY, "a foreign key is violated"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_FUNCTION, "a constraint is violated"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_NOTNULL, "NULL in a column that is NOT NULL"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_PRIMARYKEY, "a primary key exists already"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_TRIGGER, "a trigger refused it"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_UNIQUE, "a unique key exists already"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_VTAB, "a virtual table refused it"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_ROWID, "a primary key exists already"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_PINNED, "a constraint is violated"),
    ABGLEICH_RESULT(SQLITE_CONSTRAINT_DATATYPE, "a value is not of its STRICT column's type"),
    ABGLEICH_RESULT(SQLITE_MISMATCH, "a value is not of its column's type"),
    ABGLEICH_RESULT(SQLITE_MISUSE, ""),
    ABGLEICH_RESULT(SQLITE_NOLFS, "the file is too large for this system"),
    ABGLEICH_RESULT(SQLITE_AUTH, "permission denied"),
    ABGLEICH_RESULT(SQLITE_RANGE, ""),
    ABGLEICH_RESULT(SQLITE_NOTADB, "it is not a SQLite database, or it is encrypted"),
};

#undef ABGLEICH_RESULT

const Known* find_known(int extended) {
  for (const auto& known : kKnown) {
    if (known.code == extended) {
      return &known;
    }
  }
  return nullptr;
}

std::string_view wording(int extended) {
  constexpr int kPrimary = 0xff;
  const auto* known = find_known(extended);
  known = known == nullptr ? find_known(extended & kPrimary) : known;
  return known == nullptr ? std::string_view() : known->text;
}

/// The part of `message` after `mark`; empty where it has no `mark`.
std::string_view behind(std::string_view message, std::string_view mark) {
  const auto at = message.find(mark);
  return at == std::string_view::npos ? std::string_view() : message.substr(at + mark.size());
}

/// The names in those messages that consist only of SQLite's own words and of names.
std::string objects(int extended, std::string_view message) {
  std::string_view names;
  std::string_view what = "column";
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
    case SQLITE_CONSTRAINT_NOTNULL:
      names = behind(message, " constraint failed: ");
      break;
    case SQLITE_CONSTRAINT_DATATYPE:
      names = behind(message, " column ");
      break;
    case SQLITE_ERROR:
      if (message.starts_with("no such table: ")) {
        what = "table";
        names = behind(message, "no such table: ");
      }
      break;
    default:
      break;
  }
  return names.empty() ? std::string() : fmt::format("{} '{}', ", what, names);
}

/// The code of a fault whose cause has none of its own (Cause::other).
Code code_of(int extended, Access access) {
  switch (extended & 0xff) {
    case SQLITE_CORRUPT:
      // a damaged primary is an incomplete source; a damaged secondary may have a wrong base
      return access == Access::read ? Code::source_incomplete : Code::integrity;
    case SQLITE_IOERR:
    case SQLITE_INTERRUPT:
      return Code::try_again;
    case SQLITE_NOLFS:
      return Code::out_of_space;
    case SQLITE_INTERNAL:
    case SQLITE_MISUSE:
    case SQLITE_RANGE:
      return Code::bug;
    default:
      return refusal_code(access);  // the objects are not as the statement needs them
  }
}

std::string hint_of(Cause cause, int extended, const Peer& peer) {
  switch (extended & 0xff) {
    case SQLITE_CORRUPT:
      return fmt::format("look with 'sqlite3 {} \"PRAGMA integrity_check\"', or restore a backup",
                         peer.file);
    case SQLITE_NOTADB:
      return fmt::format("give the path of a SQLite database as the {}'s url", name_of(peer.role));
    default:
      break;
  }
  if (extended == SQLITE_READONLY_ROLLBACK || extended == SQLITE_READONLY_RECOVERY ||
      extended == SQLITE_READONLY_CANTINIT || extended == SQLITE_READONLY_CANTLOCK) {
    return "start the program that owns the file, so that it can repair it";
  }
  if (peer.access == Access::read && extended == SQLITE_READONLY_DIRECTORY) {
    return "a database in WAL mode can be read while the program that owns it is running, or by "
           "who may write to its directory";
  }
  switch (cause) {
    case Cause::unreachable:
    case Cause::serialization:
      return "run the same command again";
    case Cause::rights:
      return "make the file and its directory writable for this user";
    case Cause::missing:
      return peer.access == Access::read ? "run 'abgleich drift': the schema may have changed"
                                         : "run 'abgleich check'";
    case Cause::no_space:
      return "free space on the disk, then run the same command again";
    default:
      break;
  }
  if ((extended & 0xff) == SQLITE_IOERR) {
    return "the disk or the file system is in trouble: look into the kernel's log (dmesg), then "
           "run "
           "the same command again. Nothing was changed";
  }
  return "a view, a trigger or a column of that file is not as the statement needs it: try it with "
         "sqlite3. Nothing was changed";
}

Fault make_fault(const Peer& peer, Cause cause, int extended, const std::string& named,
                 std::string_view broken = {}) {
  auto state = name_of_result(extended);
  const auto text = wording(extended);
  auto message = fmt::format("the {} '{}' refused a statement{}{} ({}{})", name_of(peer.role),
                             peer.file, text.empty() ? "" : ": ", text, named, state);
  return {cause, std::move(state),
          Error{.code = db::code_of(cause, peer.access).value_or(code_of(extended, peer.access)),
                .message = std::move(message),
                .hint = hint_of(cause, extended, peer)},
          std::string(broken)};
}

}  // namespace

std::string name_of_result(int extended) {
  const auto* known = find_known(extended);
  return known == nullptr ? fmt::format("SQLITE_{}", extended) : std::string(known->name);
}

Cause cause_of(int extended) {
  switch (extended) {
    case SQLITE_BUSY_SNAPSHOT:
      return Cause::serialization;
    case SQLITE_IOERR_NOMEM:
    case SQLITE_IOERR_SHMSIZE:
      return Cause::no_space;
    case SQLITE_READONLY_RECOVERY:
    case SQLITE_READONLY_CANTLOCK:
    case SQLITE_READONLY_CANTINIT:
    case SQLITE_READONLY_ROLLBACK:
    case SQLITE_READONLY_DBMOVED:
      return Cause::unreachable;
    default:
      break;
  }
  switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_NOTADB:
      return Cause::unreachable;
    case SQLITE_SCHEMA:
      return Cause::serialization;
    case SQLITE_CONSTRAINT:
      return Cause::constraint;
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return Cause::data;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return Cause::rights;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return Cause::no_space;
    default:
      return Cause::other;
  }
}

Fault fault_of(const Peer& peer, sqlite3* database) {
  const auto extended = sqlite3_extended_errcode(database);
  const std::string_view message = sqlite3_errmsg(database);
  const bool missing =
      extended == SQLITE_ERROR &&
      (message.starts_with("no such table: ") || message.starts_with("no such column: ") ||
       message.find(" has no column named ") != std::string_view::npos);
  return make_fault(peer, missing ? Cause::missing : cause_of(extended), extended,
                    objects(extended, message),
                    (extended & 0xff) == SQLITE_CONSTRAINT && extended != SQLITE_CONSTRAINT_TRIGGER
                        ? behind(message, " constraint failed: ")
                        : std::string_view());
}

Fault fault_of(const Peer& peer, int extended) {
  return make_fault(peer, cause_of(extended), extended, {});
}

Fault unreachable(const Peer& peer, int extended, const std::string& what, std::string hint) {
  return {Cause::unreachable, name_of_result(extended),
          Error{.code = Code::try_again,
                .message = fmt::format("the {} '{}' {}", name_of(peer.role), peer.file, what),
                .hint = std::move(hint)}};
}

}  // namespace abgleich::db::sqlite
