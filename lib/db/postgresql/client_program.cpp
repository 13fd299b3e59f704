#include "db/postgresql/client_program.hpp"

#include "core/error.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace abgleich::db::postgresql {

namespace {

namespace fs = std::filesystem;

constexpr const char* kDebian = "/usr/lib/postgresql";  // a directory for each version
constexpr std::string_view kService = "abgleich";

/// A file in memory that has no name: /proc/self/fd/N leads to it, also in a child that has it
/// open.
class NamelessFile {
 public:
  explicit NamelessFile(std::string_view content = {})
      : number_(::memfd_create("abgleich", MFD_CLOEXEC)) {
    if (number_ < 0 || ::fchmod(number_, 0600) != 0) {
      throw Failure(Code::out_of_space, "no file can be made in memory",
                    "free some memory and run it again. Nothing was changed");
    }
    write_whole(number_, content);
  }
  NamelessFile(const NamelessFile&) = delete;
  NamelessFile& operator=(const NamelessFile&) = delete;
  ~NamelessFile() { ::close(number_); }

  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] std::string path() const { return fmt::format("/proc/self/fd/{}", number_); }
  [[nodiscard]] std::string text() const {
    std::string text;
    std::array<char, 65536> buffer{};
    ssize_t got = 0;
    while ((got = ::pread(number_, buffer.data(), buffer.size(), static_cast<off_t>(text.size()))) >
           0) {
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int number_;
};

struct FreeSettings {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

/// The settings in effect of a connection, as a service file. The host is the one that it has been
/// connected to: a snapshot is known on that server only.
std::string service_of(PGconn* like) {
  static const std::set<std::string_view> left_out{
      "service",  "password", "passfile",        "host",
      "hostaddr", "port",     "client_encoding", "replication"};
  auto text = fmt::format("[{}]\n", kService);
  const auto add = [&](std::string_view keyword, const char* value) {
    if (value != nullptr && *value != '\0') {
      text += fmt::format("{}={}\n", keyword, value);
    }
  };
  bool by_address = false;
  const std::unique_ptr<PQconninfoOption, FreeSettings> options(PQconninfo(like));
  for (const auto* at = options.get(); at != nullptr && at->keyword != nullptr; ++at) {
    by_address = by_address || (std::string_view(at->keyword) == "hostaddr" && at->val != nullptr);
    // 'D' marks options for the inside of libpq
    if (!left_out.contains(at->keyword) && std::string_view(at->dispchar) != "D") {
      add(at->keyword, at->val);
    }
  }
  add("host", PQhost(like));
  add("hostaddr", by_address ? PQhostaddr(like) : nullptr);
  add("port", PQport(like));
  return text;
}

/// A line of a password file that fits every server; empty where the connection needed no password.
std::string password_of(PGconn* like) {
  const char* const password = PQpass(like);
  if (password == nullptr || *password == '\0') {
    return {};
  }
  std::string line = "*:*:*:*:";
  for (const char* at = password; *at != '\0'; ++at) {
    line += *at == ':' || *at == '\\' ? "\\" : "";
    line += *at;
  }
  return line + "\n";
}

/// The program of the server's own major version, else of the next newer one that is installed.
std::optional<fs::path> debians(std::string_view program, int server_version) {
  constexpr int kPerMajor = 10000;
  std::error_code error;
  std::optional<fs::path> found;
  int nearest = 0;
  for (const auto& entry : fs::directory_iterator(kDebian, error)) {
    const auto name = entry.path().filename().string();
    int major = 0;
    std::from_chars(name.data(), name.data() + name.size(), major);
    const auto file = entry.path() / "bin" / program;
    if (::access(file.c_str(), X_OK) != 0 || major < server_version / kPerMajor) {
      continue;
    }
    // without a server to ask, the newest
    if (!found || (server_version == 0 ? major > nearest : major < nearest)) {
      found = file;
      nearest = major;
    }
  }
  return found;
}

fs::path find_program(std::string_view program, int server_version) {
  if (auto found = debians(program, server_version)) {
    return *found;
  }
  const char* const path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(':'), rest.size());
    const auto file = fs::path(rest.substr(0, end)) / program;
    if (file.is_absolute() && ::access(file.c_str(), X_OK) == 0) {
      return file;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  throw Failure(Code::configuration, fmt::format("the program {} is not installed", program),
                "as root: apt-get install postgresql-client. Nothing was changed");
}

/// The caller's environment without what libpq and messages depend on, and what is given.
std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> all;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view one = *at;
    if (!one.starts_with("PG") && !one.starts_with("LC_") && !one.starts_with("LANG")) {
      all.emplace_back(one);
    }
  }
  all.emplace_back("LC_ALL=C");
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (auto& word : words) {
    pointers.push_back(word.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// In the child: only calls that are safe after a fork.
[[noreturn]] void become(const std::string& program, char* const* words, char* const* environment,
                         int out, int said, const std::array<int, 3>& inherited) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // a backup that is killed takes it along
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGXFSZ, SIG_DFL);
  ::umask(S_IRWXG | S_IRWXO);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, 0);
  ::dup2(out, 1);
  ::dup2(said, 2);
  for (const int number : inherited) {
    if (number >= 0) {
      ::fcntl(number, F_SETFD, 0);
    }
  }
  ::execve(program.c_str(), words, environment);
  ::_exit(127);
}

}  // namespace

ClientRun run_client(const ClientCall& call) {
  const auto program = find_program(call.program, call.server_version).string();
  const NamelessFile out;
  const NamelessFile said;
  std::optional<NamelessFile> service;
  std::optional<NamelessFile> password;
  std::optional<NamelessFile> list;
  std::vector<std::string> words{program};
  words.insert(words.end(), call.arguments.begin(), call.arguments.end());
  std::vector<std::string> more;
  if (call.like != nullptr) {
    service.emplace(service_of(call.like));
    words.push_back(fmt::format("--dbname=service={}", kService));
    words.emplace_back("--no-password");
    more.push_back("PGSERVICEFILE=" + service->path());
    auto line = password_of(call.like);
    password.emplace(line);
    explicit_bzero(line.data(), line.size());
    more.push_back("PGPASSFILE=" + password->path());
  }
  if (!call.list.empty()) {
    list.emplace(call.list);
    words.push_back("--use-list=" + list->path());
  }
  auto environment = environment_with(more);
  const auto word_pointers = pointers_to(words);
  const auto environment_pointers = pointers_to(environment);
  const auto number_of = [](const std::optional<NamelessFile>& file) {
    return file ? file->number() : -1;
  };
  const std::array inherited{number_of(service), number_of(password), number_of(list)};

  const pid_t child = ::fork();
  if (child == 0) {
    become(program, word_pointers.data(), environment_pointers.data(), out.number(), said.number(),
           inherited);
  }
  int status = 0;
  if (child < 0) {
    throw Failure(Code::out_of_space, "no process can be started",
                  "free some memory and run it again. Nothing was changed");
  }
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {.exit = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
          .out = out.text(),
          .said = said.text()};
}

}  // namespace abgleich::db::postgresql
