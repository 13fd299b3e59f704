#include "db/soci/database_file.hpp"

#include <fmt/format.h>
// Debian's SOCI says that it has Boost; its headers are not needed, nor installed with it.
#include <soci/soci-config.h>
#undef SOCI_HAVE_BOOST
#undef SOCI_HAVE_BOOST_DATE_TIME
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace abgleich::db::sqlite {

namespace {

namespace fs = std::filesystem;
namespace api = sqlite_api;  // SOCI includes sqlite3.h inside this namespace

/// Bounded memory (8 MiB of pages each for the file and for temporary tables, those on disk), no
/// trust in what the file brings along, and on the reading side no way to write.
constexpr std::array kSettings{
    "PRAGMA trusted_schema = OFF", "PRAGMA cell_size_check = ON", "PRAGMA mmap_size = 0",
    "PRAGMA cache_size = -8192",   "PRAGMA temp_store = FILE",    "PRAGMA temp.cache_size = -8192",
};
constexpr std::array kReadSettings{"PRAGMA query_only = ON"};
constexpr std::array kWriteSettings{"PRAGMA foreign_keys = ON", "PRAGMA synchronous = FULL"};

/// A URI's meaning depends on this where SQLite was built without SQLITE_USE_URI. Refused (and not
/// needed on Debian) where SQLite is in use already.
void allow_uris() {
  static const int result = api::sqlite3_config(SQLITE_CONFIG_URI, 1);
  (void)result;
}

void require_file(const Peer& peer, const fs::path& file) {
  const std::string hint =
      fmt::format("correct the {}'s url, or wait until the file is there; nothing was changed",
                  name_of(peer.role));
  std::error_code error;
  const auto status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found) {
    throw unreachable(peer, SQLITE_CANTOPEN, "does not exist; it was not created", hint);
  }
  if (error) {
    throw unreachable(peer, SQLITE_CANTOPEN,
                      fmt::format("cannot be looked at ({})", error.message()), hint);
  }
  if (status.type() != fs::file_type::regular) {
    throw unreachable(peer, SQLITE_CANTOPEN,
                      status.type() == fs::file_type::directory ? "is a directory, not a file"
                                                                : "is not a regular file",
                      hint);
  }
}

/// Whether the header says that the file is in WAL mode (file format, section 1.3.3).
bool is_wal(const fs::path& file) {
  constexpr std::size_t kReadVersion = 19;
  constexpr char kWal = 2;
  std::array<char, kReadVersion + 1> header{};
  std::ifstream stream(file, std::ios::binary);
  return stream.read(header.data(), header.size()) && header[kReadVersion] == kWal;
}

/// Reading a database in WAL mode that nobody has open makes its -wal and -shm files, and they
/// stay. With another owner than the file's they would lock out the program that it belongs to.
void require_no_foreign_files(const Peer& peer, const fs::path& file) {
  const auto ownership = [](const fs::path& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0
               ? Ownership{.user = status.st_uid, .group = status.st_gid, .mode = status.st_mode}
               : Ownership{.user = geteuid()};
  };
  std::error_code ignored;
  const auto real = fs::canonical(file, ignored);  // where SQLite makes them
  if (!is_wal(file) || (fs::exists(real.native() + "-wal", ignored) &&
                        fs::exists(real.native() + "-shm", ignored))) {
    return;
  }
  if (!owner_could_write(ownership(real), ownership(real.parent_path()), geteuid(), getegid())) {
    throw unreachable(
        peer, SQLITE_READONLY_CANTINIT,
        "is in WAL mode and nobody has it open; reading it now would leave files beside it that "
        "its owner cannot write to",
        "run this as the file's owner or as root, or while the program that owns it is running");
  }
}

/// SOCI splits at the first '=' and at spaces, so options come first and the URI, which has no
/// spaces, is the last value. `mode` keeps SQLite from creating the file, which SOCI asks it to.
std::string connection_string(const fs::path& file, Access access,
                              std::chrono::seconds lock_timeout) {
  const bool read = access == Access::read;
  return fmt::format("{}timeout={} db={}?mode={}", read ? "readonly=true " : "",
                     lock_timeout.count(), file_uri(file.native()), read ? "ro" : "rw");
}

}  // namespace

std::string file_uri(std::string_view path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '/' || c == '.' || c == '_' || c == '-';
    if (plain) {
      uri += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    uri += '%';
    uri += kHex[byte >> 4U];
    uri += kHex[byte & 0x0fU];
  }
  return uri;
}

namespace {

/// SOCI's library keeps the backend's type information to itself, which the sanitizer would need.
/// For the same reason there is no dynamic_cast.
__attribute__((no_sanitize("vptr"))) api::sqlite3* handle_of(soci::session& session) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-static-cast-downcast)
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

}  // namespace

bool owner_could_write(const Ownership& file, const Ownership& directory, uid_t user, gid_t group) {
  // SQLite itself gives what root makes to the file's owner.
  if (user == 0 || user == file.user || (file.mode & S_IWOTH) != 0) {
    return true;
  }
  const auto made = (directory.mode & S_ISGID) != 0 ? directory.group : group;
  return (file.mode & S_IWGRP) != 0 && made == file.group;
}

struct DatabaseFile::Session {
  explicit Session(const std::string& connection)
      : session(*soci::factory_sqlite3(), connection), raw(handle_of(session)) {}

  soci::session session;
  api::sqlite3* raw;
};

DatabaseFile::DatabaseFile(const Endpoint& endpoint, Access access)
    : peer_{.role = endpoint.role, .access = access, .file = endpoint.file.string()} {
  require_file(peer_, endpoint.file);
  if (access == Access::read) {
    require_no_foreign_files(peer_, endpoint.file);
  }
  allow_uris();
  try {
    session_ = std::make_unique<Session>(connection_string(
        fs::absolute(endpoint.file).lexically_normal(), access, endpoint.lock_timeout));
  } catch (const soci::sqlite3_soci_error& error) {
    throw unreachable(peer_, error.result(), "cannot be opened",
                      "give this user the right to read it and to enter its directory");
  }
  // The same C type, which SOCI has put into a namespace.
  raw_ = reinterpret_cast<sqlite3*>(session_->raw);
  api::sqlite3_extended_result_codes(session_->raw, 1);
  // SQLite falls back to reading where it may not write.
  if (access == Access::write && api::sqlite3_db_readonly(session_->raw, "main") != 0) {
    throw fault_of(peer_, SQLITE_READONLY);
  }
  for (const auto* setting : kSettings) {
    run(setting);
  }
  if (access == Access::read) {
    for (const auto* setting : kReadSettings) {
      run(setting);
    }
  } else {
    for (const auto* setting : kWriteSettings) {
      run(setting);
    }
  }
  run("SELECT count(*) FROM sqlite_schema");  // opening reads nothing; this says what it is
  encoding_ = ask("PRAGMA encoding") == "UTF-8" ? Encoding::utf8 : Encoding::utf16;
}

DatabaseFile::~DatabaseFile() = default;

bool DatabaseFile::in_transaction() const {
  return api::sqlite3_get_autocommit(session_->raw) == 0;
}

void DatabaseFile::run(const std::string& sql) {
  const bool before = in_transaction();
  try {
    soci::statement statement = (session_->session.prepare << sql);
    statement.execute(true);
  } catch (const soci::soci_error&) {
    throw fault(before);  // SOCI's own text quotes the statement and SQLite's
  }
}

std::string DatabaseFile::ask(const std::string& sql) {
  std::string answer;
  try {
    // Step by step: the sanitizer would need hidden type information for `<<` with an into.
    soci::statement statement(session_->session);
    statement.alloc();
    statement.prepare(sql);
    statement.exchange(soci::into(answer));
    statement.define_and_bind();
    statement.execute(true);
  } catch (const soci::soci_error&) {
    throw fault(in_transaction());
  }
  return answer;
}

Fault DatabaseFile::fault(bool was_in_transaction) const {
  auto fault = fault_of(peer_, raw_);
  if (fault.cause() != Fault::Cause::constraint || !was_in_transaction || in_transaction()) {
    return fault;
  }
  return {Fault::Cause::other, fault.state(),
          Error{.code = Code::secondary_refuses,
                .message = fmt::format("a trigger or constraint of the {} '{}' rolled back the "
                                       "whole transaction ({}); nothing was changed",
                                       name_of(peer_.role), peer_.file, fault.state()),
                .hint = "replace ROLLBACK by ABORT in its ON CONFLICT clause or RAISE function"}};
}

}  // namespace abgleich::db::sqlite
