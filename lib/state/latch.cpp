#include "state/latch.hpp"

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/shallow_json.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace abgleich::state {

namespace {

constexpr const char* kLatchFile = "damaged";

[[noreturn]] void cannot_latch(const std::filesystem::path& path, std::string_view what) {
  const int number = errno;
  const auto shortage = shortage_of(number);
  throw Failure(shortage ? shortage->code : Code::configuration,
                fmt::format("damage was found, but cannot {} '{}': {}", what, path.string(),
                            std::strerror(number)),
                std::string(shortage ? shortage->hint
                                     : "correct [state] directory in abgleich.toml, or its owner "
                                       "and rights") +
                    "; and run no sync before: abgleich verify");
}

void write_latch(const std::filesystem::path& directory, const nlohmann::ordered_json& json) {
  const auto text = json.dump() + "\n";
  const auto path = directory / kLatchFile;
  // No temporary file: the latch is set by the file's name, whatever is in it.
  const int file =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) {
    cannot_latch(path, "write");
  }
  int why = 0;
  try {
    write_whole(file, text);
    why = ::fsync(file) == 0 ? 0 : errno;
  } catch (const std::system_error& error) {
    why = error.code().value();
  }
  ::close(file);
  if (why != 0) {
    errno = why;
    cannot_latch(path, "write");
  }
  const int parent = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (parent >= 0) {
    ::fsync(parent);
    ::close(parent);
  }
}

nlohmann::ordered_json read_latch(const std::filesystem::path& directory) {
  std::ifstream in(directory / kLatchFile);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return parse_shallow<nlohmann::ordered_json>(text);
}

}  // namespace

void set_latch(const std::filesystem::path& directory, const std::vector<Damage>& damage) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    cannot_latch(directory, "make the state directory");
  }
  nlohmann::ordered_json json = {{"format", "abgleich.damaged/1"}, {"found", now_utc()}};
  auto& all = json["damage"] = nlohmann::ordered_json::array();
  for (const auto& one : damage) {
    all.push_back({{"table", one.table}, {"what", one.what}});
  }
  write_latch(directory, json);
}

void note_repair(const std::filesystem::path& directory, const std::string& lineage,
                 std::int64_t epoch) {
  if (!latched(directory)) {
    return;
  }
  auto json = read_latch(directory);
  if (!json.is_object()) {
    json = {{"format", "abgleich.damaged/1"}};
  }
  json["repairing"] = {{"lineage", lineage}, {"from", epoch}};
  write_latch(directory, json);
}

std::optional<BegunRepair> begun_repair(const std::filesystem::path& directory) {
  const auto json = read_latch(directory);
  const auto noted = json.is_object() ? json.find("repairing") : json.end();
  if (noted == json.end() || !noted->is_object() || !noted->contains("lineage") ||
      !(*noted)["lineage"].is_string() || !noted->contains("from") ||
      !(*noted)["from"].is_number_integer()) {
    return std::nullopt;
  }
  return BegunRepair{.lineage = (*noted)["lineage"], .from = (*noted)["from"]};
}

void clear_latch(const std::filesystem::path& directory) {
  if (::unlink((directory / kLatchFile).c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) {
    cannot_latch(directory / kLatchFile, "remove");
  }
}

bool latched(const std::filesystem::path& directory) {
  struct stat status {};
  // where that cannot be found out, it counts as set
  return ::lstat((directory / kLatchFile).c_str(), &status) == 0 ||
         (errno != ENOENT && errno != ENOTDIR);
}

void check_latch(const std::filesystem::path& directory) {
  if (!latched(directory)) {
    return;
  }
  const auto json = read_latch(directory);
  const auto found = json.is_object() && json.contains("found") && json["found"].is_string()
                         ? json["found"].get<std::string>()
                         : std::string("an unknown time");
  throw Failure(Code::integrity,
                fmt::format("the bookkeeping in the secondary was found damaged at {}", found),
                "see what is damaged: abgleich verify; then, where it says so: abgleich verify "
                "--repair-base --reason TEXT. Nothing was changed");
}

}  // namespace abgleich::state
