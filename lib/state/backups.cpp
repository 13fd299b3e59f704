#include "state/backups.hpp"

#include "core/error.hpp"
#include "core/replace_file.hpp"
#include "core/shallow_json.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <iterator>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace abgleich::state {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kBackupsFile = "backups.json";
constexpr const char* kBackupsFormat = "abgleich.backups/1";
constexpr std::size_t kMostBackups = 1'000;

Json json_of(const Backups& backups) {
  Json json = {{"format", kBackupsFormat}, {"backups", Json::array()}, {"drill", nullptr}};
  for (const auto& one : backups.made) {
    json["backups"].push_back({{"made", one.made},
                               {"directory", one.directory.string()},
                               {"run", one.run},
                               {"epoch", one.epoch},
                               {"key", one.key}});
  }
  if (const auto& drill = backups.drill) {
    json["drill"] = {
        {"at", drill->at}, {"directory", drill->directory.string()}, {"made", drill->made}};
  }
  if (backups.incomplete) {
    json["incomplete"] = true;
  }
  return json;
}

/// Makes reading, changing and writing one step; the kernel releases the lock with the process.
class RecordLock {
 public:
  explicit RecordLock(const std::filesystem::path& directory) {
    (void)::mkdir(directory.c_str(), 0700);
    file_ = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)::flock(file_, LOCK_EX);
  }
  RecordLock(const RecordLock&) = delete;
  RecordLock& operator=(const RecordLock&) = delete;
  ~RecordLock() {
    if (file_ >= 0) {
      ::close(file_);
    }
  }

 private:
  int file_ = -1;
};

void change(const std::filesystem::path& directory, const std::function<void(Backups&)>& edit) {
  const RecordLock lock(directory);
  auto backups = read_backups(directory);
  edit(backups);
  const auto file = directory / kBackupsFile;
  try {
    replace_file(file, json_of(backups).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
                 S_IRUSR | S_IWUSR);
  } catch (const std::system_error& error) {
    const auto shortage = shortage_of(error.code().value());
    throw Failure(shortage ? shortage->code : Code::configuration,
                  fmt::format("the record of backups, '{}', cannot be written: {}", file.string(),
                              error.code().message()),
                  shortage ? std::string(shortage->hint) : "look at its owner and rights");
  }
}

}  // namespace

Backups read_backups(const std::filesystem::path& directory) {
  errno = 0;
  std::ifstream in(directory / kBackupsFile, std::ios::binary);
  if (!in.is_open()) {
    return {.made = {}, .drill = {}, .incomplete = errno != ENOENT};
  }
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto json = parse_shallow<Json>(text);
  Backups backups;
  try {
    if (!json.is_object() || json.at("format") != kBackupsFormat) {
      return {.made = {}, .drill = {}, .incomplete = true};
    }
    backups.incomplete = json.value("incomplete", false);
    for (const auto& one : json.at("backups")) {
      backups.made.push_back({.made = one.at("made"),
                              .directory = one.at("directory").get<std::string>(),
                              .run = one.at("run"),
                              .epoch = one.at("epoch"),
                              .key = one.at("key")});
    }
    if (const auto& drill = json.at("drill"); drill.is_object()) {
      backups.drill = DrillDone{.at = drill.at("at"),
                                .directory = drill.at("directory").get<std::string>(),
                                .made = drill.at("made")};
    }
  } catch (const Json::exception&) {
    backups.incomplete = true;
  }
  return backups;
}

void note_backup(const std::filesystem::path& directory, const BackupMade& made) {
  change(directory, [&](Backups& backups) {
    backups.made.push_back(made);
    if (backups.made.size() > kMostBackups) {
      std::error_code error;
      const bool gone = !std::filesystem::exists(backups.made.front().directory, error) && !error;
      backups.incomplete = backups.incomplete || !gone;
      backups.made.erase(backups.made.begin());
    }
  });
}

void note_drill(const std::filesystem::path& directory, const DrillDone& done) {
  change(directory, [&](Backups& backups) { backups.drill = done; });
}

}  // namespace abgleich::state
