// Looks at what is there only while a program runs: files that are unlinked already, what a server
// says that its sessions do, and a terminal.
#pragma once

#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <poll.h>
#include <pty.h>
#include <set>
#include <string>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace abgleich::test {

/// The content of a regular file. Of anything else nothing: the process may have put a pipe in the
/// place of the file since somebody has looked, and to read that would never end.
inline std::string regular_file_at(const std::filesystem::path& path) {
  std::string text;
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat status {};
  if (file >= 0 && ::fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
    std::array<char, 65536> bytes{};
    for (ssize_t got = 0; (got = ::read(file, bytes.data(), bytes.size())) > 0;) {
      text.append(bytes.data(), static_cast<std::size_t>(got));
    }
  }
  if (file >= 0) {
    ::close(file);
  }
  return text;
}

/// The content of the files that the process has open and nobody else can find any more: where
/// sorts spill to.
inline std::string unlinked_files_of(pid_t pid) {
  std::string text;
  std::error_code error;
  const auto open = std::filesystem::path("/proc") / std::to_string(pid) / "fd";
  for (std::filesystem::directory_iterator at(open, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(at->path(), gone).string();
    if (!gone && target.starts_with('/') && target.ends_with(" (deleted)")) {
      text += regular_file_at(at->path());
    }
  }
  return text;
}

/// Everything that a program of its own says on a terminal.
inline std::string on_terminal(const std::vector<std::string>& words,
                               const std::string& directory) {
  int terminal = -1;
  const pid_t pid = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  REQUIRE(pid >= 0);
  if (pid == 0) {
    if (::chdir(directory.c_str()) != 0) {
      ::_exit(127);
    }
    forget_settings();
    std::vector<char*> arguments;
    for (const auto& word : words) {
      arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  std::string said;
  std::array<char, 4096> bytes{};
  for (ssize_t got = 0; (got = ::read(terminal, bytes.data(), bytes.size())) > 0;) {
    said.append(bytes.data(), static_cast<std::size_t>(got));
  }
  ::close(terminal);
  int status = 0;
  ::waitpid(pid, &status, 0);
  return said;
}

/// What a server has logged of statements that others sent to it, with their parameters; not what
/// it says about rows by itself.
inline std::string statements_logged(Database& database) {
  std::string text;
  std::ifstream log(database.rows("SHOW data_directory") + "/log");
  bool ours = false;
  for (std::string line; std::getline(log, line);) {
    if (!line.starts_with('\t')) {  // which goes on with the one before
      const auto says = [&](const char* what) { return line.find(what) != std::string::npos; };
      ours = says("LOG:  statement: ") || says("LOG:  execute ") || says("STATEMENT:  ") ||
             says("DETAIL:  parameters: ");
    }
    text += ours ? line + "\n" : std::string();
  }
  return text;
}

/// Looks again and again, in a thread of its own, until it goes.
class Witness {
 public:
  /// `servers`: URLs of the databases whose sessions are looked at.
  explicit Witness(std::vector<std::string> servers)
      : servers_(std::move(servers)), thread_([this] { look_on(); }) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { stop(); }

  void watch(pid_t pid) { pid_ = pid; }

  // REQUIRES of these: nobody is watched any more, or `stop` was called.
  void stop() {
    stopped_ = true;
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  [[nodiscard]] const std::string& unlinked_files() const { return files_; }
  [[nodiscard]] const std::string& statements() const { return statements_; }
  [[nodiscard]] long looks() const { return looks_; }

 private:
  void look_on() {
    std::vector<std::unique_ptr<PGconn, void (*)(PGconn*)>> servers;
    for (const auto& url : servers_) {
      servers.emplace_back(PQconnectdb(url.c_str()), PQfinish);
    }
    std::set<std::string> seen;
    while (!stopped_) {
      if (const pid_t pid = pid_; pid > 0) {
        if (auto text = unlinked_files_of(pid); !text.empty() && seen.insert(text).second) {
          files_ += text;
        }
      }
      for (const auto& server : servers) {
        const std::unique_ptr<PGresult, void (*)(PGresult*)> rows(
            PQexec(server.get(),
                   "SELECT query FROM pg_stat_activity WHERE application_name = 'abgleich'"),
            PQclear);
        for (int i = 0; i < PQntuples(rows.get()); ++i) {
          if (std::string query = PQgetvalue(rows.get(), i, 0); seen.insert(query).second) {
            statements_ += query + "\n";
          }
        }
      }
      ++looks_;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  std::vector<std::string> servers_;
  std::atomic<pid_t> pid_ = 0;
  std::atomic<bool> stopped_ = false;
  std::string files_;
  std::string statements_;
  std::atomic<long> looks_ = 0;
  std::thread thread_;  // last: it uses the others
};

}  // namespace abgleich::test
