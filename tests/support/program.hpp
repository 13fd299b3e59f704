// Runs a program and keeps what it says: for tests of the command line.
#pragma once

#include <doctest/doctest.h>

#include <array>
#include <cstdlib>
#include <fcntl.h>
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

/// Started and not yet waited for.
class Program {
 public:
  /// `input` is what it finds on standard input: 64 KiB at most.
  Program(const std::vector<std::string>& arguments, const std::string& directory,
          const std::vector<std::string>& environment = {}, const std::string& input = {}) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    std::array<int, 2> err{};
    REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
    REQUIRE(::write(in[1], input.data(), input.size()) == static_cast<ssize_t>(input.size()));
    ::close(in[1]);
    REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(err.data(), O_CLOEXEC) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::dup2(err[1], 2);
      if (!directory.empty() && ::chdir(directory.c_str()) != 0) {
        ::_exit(127);
      }
      for (const auto* name :
           {"ABGLEICH_CONFIG", "ABGLEICH_JSON", "ABGLEICH_QUIET", "ABGLEICH_VERBOSE",
            "ABGLEICH_COLOR", "ABGLEICH_NO_PROGRESS", "NO_COLOR", "PGUSER", "PGDATABASE"}) {
        ::unsetenv(name);
      }
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
    ::close(in[0]);
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

  Ran wait() {
    Ran ran;
    std::array<pollfd, 2> files{{{out_, POLLIN, 0}, {err_, POLLIN, 0}}};
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
    int status = 0;
    rusage usage{};
    ::wait4(pid_, &status, 0, &usage);
    pid_ = -1;
    ran.exit = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
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
