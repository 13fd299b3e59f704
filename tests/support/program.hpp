// Runs a program and keeps its output: for tests of the command line.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace abgleich::test {

struct Ran {
  int exit = -1;  // 128+n where signal n ended it
  std::string out;
  std::string err;
  long peak_kib = 0;  // largest resident set
};

/// A pipe whose ends are both closed by an exec.
inline std::array<int, 2> new_pipe() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  return ends;
}

/// The reading end of a pipe with `input` in it: 64 KiB at most.
inline int pipe_with(const std::string& input) {
  const auto in = new_pipe();
  REQUIRE(::write(in[1], input.data(), input.size()) == static_cast<ssize_t>(input.size()));
  ::close(in[1]);
  return in[0];
}

/// Reads both to their ends, whatever comes first, and closes them.
inline void read_to_end(int out, int err, Ran& ran) {
  std::array<pollfd, 2> files{{{out, POLLIN, 0}, {err, POLLIN, 0}}};
  for (int open = 2; open > 0;) {
    ::poll(files.data(), files.size(), -1);
    for (auto& file : files) {
      if (file.fd < 0 || file.revents == 0) {
        continue;
      }
      std::array<char, 65536> buffer{};
      const auto got = ::read(file.fd, buffer.data(), buffer.size());
      if (got <= 0) {
        ::close(file.fd);
        file.fd = -1;
        --open;
      } else {
        (&file == files.data() ? ran.out : ran.err)
            .append(buffer.data(), static_cast<std::size_t>(got));
      }
    }
  }
}

inline int exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/// The caller's settings must not reach the program that is tested.
inline void forget_settings() {
  for (const auto* name :
       {"ABGLEICH_CONFIG", "ABGLEICH_JSON", "ABGLEICH_QUIET", "ABGLEICH_VERBOSE", "ABGLEICH_COLOR",
        "ABGLEICH_NO_PROGRESS", "NO_COLOR", "PGUSER", "PGDATABASE"}) {
    ::unsetenv(name);
  }
}

/// Started and not yet waited for.
class Program {
 public:
  /// `input` is what it finds on standard input: 64 KiB at most.
  Program(const std::vector<std::string>& arguments, const std::string& directory,
          const std::vector<std::string>& environment = {}, const std::string& input = {}) {
    const int in = pipe_with(input);
    const auto out = new_pipe();
    const auto err = new_pipe();
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(in, 0);
      ::dup2(out[1], 1);
      ::dup2(err[1], 2);
      if (!directory.empty() && ::chdir(directory.c_str()) != 0) {
        ::_exit(127);
      }
      forget_settings();
      for (const auto& setting : environment) {
        ::putenv(const_cast<char*>(setting.c_str()));
      }
      std::vector<char*> words;
      for (const auto& word : arguments) {
        words.push_back(const_cast<char*>(word.c_str()));
      }
      words.push_back(nullptr);
      ::execv(words[0], words.data());
      ::_exit(127);
    }
    ::close(in);
    ::close(out[1]);
    ::close(err[1]);
    out_ = out[0];
    err_ = err[0];
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }

  void kill(int signal) const { ::kill(pid_, signal); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Whether it has not ended yet.
  [[nodiscard]] bool is_running() const {
    siginfo_t ended{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0;
  }
  /// Returns when it has this file open, or when it has ended without that.
  void wait_until_open(const std::string& file) const {
    const auto directory = "/proc/" + std::to_string(pid_) + "/fd";
    while (is_running()) {
      std::error_code unreadable;
      for (const auto& entry : std::filesystem::directory_iterator(directory, unreadable)) {
        if (std::filesystem::read_symlink(entry, unreadable) == file) {
          return;
        }
      }
      ::usleep(1'000);
    }
  }

  Ran wait() {
    Ran ran;
    read_to_end(out_, err_, ran);
    int status = 0;
    rusage usage{};
    ::wait4(pid_, &status, 0, &usage);
    pid_ = -1;
    ran.exit = exit_code(status);
    ran.peak_kib = usage.ru_maxrss;
    return ran;
  }

 private:
  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
};

inline Ran run_program(const std::vector<std::string>& arguments, const std::string& directory = {},
                       const std::vector<std::string>& environment = {},
                       const std::string& input = {}) {
  return Program(arguments, directory, environment, input).wait();
}

}  // namespace abgleich::test
