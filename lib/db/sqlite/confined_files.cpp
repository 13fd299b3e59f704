#include "db/sqlite/confined_files.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace abgleich::db::sqlite {

namespace {

constexpr std::array<std::string_view, 3> kCompanions{"-journal", "-wal", "-shm"};

bool is_member(uid_t user, gid_t group) {
  constexpr std::size_t kRoom = 16384;
  std::vector<char> room(kRoom);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, room.data(), room.size(), &found) != 0 || found == nullptr) {
    return false;
  }
  int count = 256;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  if (::getgrouplist(entry.pw_name, entry.pw_gid, groups.data(), &count) < 0) {
    return false;
  }
  groups.resize(static_cast<std::size_t>(count));
  return std::ranges::find(groups, group) != groups.end();
}

bool could_write(uid_t user, const struct stat& database) {
  return user == 0 || user == ::geteuid() || user == database.st_uid ||
         (database.st_mode & S_IWOTH) != 0 ||
         ((database.st_mode & S_IWGRP) != 0 && is_member(user, database.st_gid));
}

std::optional<std::string> strange(const std::string& database, std::string_view suffix) {
  const auto file = database + std::string(suffix);
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) {
    return errno == ENOENT
               ? std::nullopt
               : std::optional(fmt::format("its {} cannot be looked at", suffix.substr(1)));
  }
  const auto says = [&](std::string_view what) {
    return fmt::format("the file '{}' beside it {}", file, what);
  };
  if (S_ISLNK(status.st_mode)) {
    return says("is a symbolic link");
  }
  if (!S_ISREG(status.st_mode)) {
    return says("is not a regular file");
  }
  if (status.st_nlink > 1) {
    return says("has another name, too (a hard link)");
  }
  struct stat main {};
  if (::stat(database.c_str(), &main) == 0 && !could_write(status.st_uid, main)) {
    return says("belongs to a user who may not write to the database");
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> strange_companion(const std::filesystem::path& database) {
  for (const auto suffix : kCompanions) {
    if (auto what = strange(database.native(), suffix)) {
      return what;
    }
  }
  return std::nullopt;
}

struct ConfinedFiles::Shim {
  Shim(const std::filesystem::path& file, Temporary temporary_files)
      : database(file.native()),
        temporary(temporary_files),
        base(sqlite3_vfs_find(nullptr)),
        vfs(*base) {
    static std::atomic<unsigned> next{1};
    name = fmt::format("abgleich-{}", next++);
    vfs.pNext = nullptr;
    vfs.zName = name.c_str();
    vfs.pAppData = this;
    vfs.xOpen = open;
    vfs.xDelete = remove;
    vfs.xAccess = access;
    vfs.xDlOpen = [](sqlite3_vfs*, const char*) -> void* { return nullptr; };
  }

  static Shim& of(sqlite3_vfs* self) { return *static_cast<Shim*>(self->pAppData); }

  [[nodiscard]] bool is_own(std::string_view path, std::string_view suffix) const {
    return path.size() == database.size() + suffix.size() && path.starts_with(database) &&
           path.ends_with(suffix);
  }

  int refuse(int result, std::string what) {
    if (refusal.empty()) {
      refusal = std::move(what);
    }
    return result;
  }

  /// Empty: SQLite may open it.
  [[nodiscard]] std::string why_not(const char* path, int flags) const {
    constexpr int kAnonymous = SQLITE_OPEN_TEMP_DB | SQLITE_OPEN_TRANSIENT_DB |
                               SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_SUBJOURNAL;
    if ((flags & kAnonymous) != 0 && path == nullptr) {
      return temporary == Temporary::in_files ? "" : "a statement would need a temporary file";
    }
    const std::string_view file = path == nullptr ? "" : path;
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0 && file == database) {
      return {};
    }
    if ((flags & SQLITE_OPEN_MAIN_JOURNAL) != 0 && is_own(file, "-journal")) {
      return strange(database, "-journal").value_or("");
    }
    if ((flags & SQLITE_OPEN_WAL) != 0 && is_own(file, "-wal")) {
      if (auto what = strange(database, "-wal")) {
        return *what;
      }
      return strange(database, "-shm").value_or("");  // SQLite opens it next, without xOpen
    }
    return "something in it names a file that does not belong to this database";
  }

  static int open(sqlite3_vfs* self, const char* path, sqlite3_file* file, int flags,
                  int* out_flags) {
    auto& shim = of(self);
    if (auto why = shim.why_not(path, flags); !why.empty()) {
      file->pMethods = nullptr;
      return shim.refuse(SQLITE_CANTOPEN, std::move(why));
    }
    return shim.base->xOpen(shim.base, path, file, flags, out_flags);
  }

  static int remove(sqlite3_vfs* self, const char* path, int sync_directory) {
    auto& shim = of(self);
    if (!shim.is_own(path, "-journal") && !shim.is_own(path, "-wal")) {
      return shim.refuse(SQLITE_IOERR_DELETE,
                         "something in it names a file that does not belong to this database");
    }
    return shim.base->xDelete(shim.base, path, sync_directory);
  }

  static int access(sqlite3_vfs* self, const char* path, int flags, int* answer) {
    auto& shim = of(self);
    const bool own =
        path == shim.database || std::ranges::any_of(kCompanions, [&](std::string_view suffix) {
          return shim.is_own(path, suffix);
        });
    if (!own) {
      *answer = 0;
      return shim.refuse(SQLITE_IOERR_ACCESS,
                         "something in it names a file that does not belong to this database");
    }
    return shim.base->xAccess(shim.base, path, flags, answer);
  }

  std::string database;
  Temporary temporary;
  std::string name;
  std::string refusal;
  sqlite3_vfs* base;
  sqlite3_vfs vfs{};
};

ConfinedFiles::ConfinedFiles(const std::filesystem::path& database, Temporary temporary)
    : shim_(std::make_unique<Shim>(database, temporary)) {
  sqlite3_vfs_register(&shim_->vfs, 0);
}

ConfinedFiles::~ConfinedFiles() {
  sqlite3_vfs_unregister(&shim_->vfs);
}

std::string_view ConfinedFiles::name() const {
  return shim_->name;
}

std::string_view ConfinedFiles::refusal() const {
  return shim_->refusal;
}

}  // namespace abgleich::db::sqlite
