#include "db/sqlite/file_copy.hpp"

#include "core/error.hpp"
#include "core/private_directory.hpp"
#include "core/shortage.hpp"
#include "db/sqlite/faults.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace abgleich::db::sqlite {

namespace {

[[noreturn]] void cannot(const std::filesystem::path& file, std::string_view what, int why) {
  const auto shortage = shortage_of(why);
  throw Failure(
      shortage ? shortage->code : Code::try_again,
      fmt::format("the copy '{}' cannot be {}: {}", file.string(), what,
                  std::generic_category().message(why)),
      shortage ? std::string(shortage->hint) : "look at that directory, its owner and rights");
}

/// The new file as SQLite sees it. No journal: a copy that was not finished is thrown away.
class NewDatabase {
 public:
  explicit NewDatabase(const std::filesystem::path& file) : file_(file) {
    const int made = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (made < 0) {
      cannot(file, "made", errno);
    }
    ::close(made);
    expect(sqlite3_open_v2(file.c_str(), &database_, SQLITE_OPEN_READWRITE, nullptr));
    expect(sqlite3_exec(database_, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", nullptr,
                        nullptr, nullptr));
  }
  NewDatabase(const NewDatabase&) = delete;
  NewDatabase& operator=(const NewDatabase&) = delete;
  ~NewDatabase() { sqlite3_close(database_); }

  [[nodiscard]] sqlite3* raw() const { return database_; }
  void expect(int result) const {
    if (result != SQLITE_OK && result != SQLITE_DONE) {
      throw Failure(
          result == SQLITE_FULL || result == SQLITE_NOMEM ? Code::out_of_space : Code::try_again,
          fmt::format("the database cannot be copied to '{}' ({})", file_.string(),
                      name_of_result(result)),
          "look at the disk (df), and run it again. The secondary is as it was");
    }
  }

 private:
  const std::filesystem::path& file_;
  sqlite3* database_ = nullptr;
};

/// Waits until all of a file is on disk.
void sync_file(const std::filesystem::path& file) {
  const int number = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  const int why = number < 0 || ::fsync(number) != 0 ? errno : 0;
  if (number >= 0) {
    ::close(number);
  }
  if (why != 0) {
    cannot(file, "brought to the disk", why);
  }
}

class RestoredFile final : public RestoredCopy {
 public:
  explicit RestoredFile(const CopyToRestore& copy) : endpoint_(copy.to ? *copy.to : copy.original) {
    if (!copy.to) {
      directory_.emplace("abgleich-drill");
      endpoint_.file = directory_->path() / "secondary.db";
      endpoint_.url = "sqlite:" + endpoint_.file.string();
    }
    std::error_code error;
    if (std::filesystem::exists(std::filesystem::symlink_status(endpoint_.file, error))) {
      throw Failure(Code::secondary_refuses,
                    fmt::format("'{}' exists already, and nothing is restored over it",
                                endpoint_.file.string()),
                    "name a file that is not there yet. Nothing was changed");
    }
    try {
      copy_privately(copy.file, endpoint_.file);
    } catch (const std::system_error& failed) {
      std::filesystem::remove(endpoint_.file, error);
      cannot(endpoint_.file, "written", failed.code().value());
    }
  }

  [[nodiscard]] const Endpoint& endpoint() const override { return endpoint_; }

 private:
  std::optional<PrivateDirectory> directory_;
  Endpoint endpoint_;
};

}  // namespace

void copy_database(sqlite3* from, const std::filesystem::path& file) {
  {
    const NewDatabase to(file);
    auto* const backup = sqlite3_backup_init(to.raw(), "main", from, "main");
    if (backup == nullptr) {
      to.expect(sqlite3_errcode(to.raw()));
    }
    const int stepped = sqlite3_backup_step(backup, -1);
    (void)sqlite3_backup_finish(backup);
    to.expect(stepped);
  }
  sync_file(file);
}

std::unique_ptr<RestoredCopy> restore_file(const CopyToRestore& copy) {
  return std::make_unique<RestoredFile>(copy);
}

}  // namespace abgleich::db::sqlite
