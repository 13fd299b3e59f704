// Runs the program again and again without the dynamic linker's work: see fork_server.cpp.
#pragma once

#include "support/fork_order.hpp"
#include "support/places.hpp"
#include "support/program.hpp"

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <vector>

namespace abgleich::test {

/// The program, loaded and about to enter main; every `run` begins there, with the environment that
/// the first one found and what it is given. If the build has no fork server (sanitizers have to be
/// loaded first), each run is an ordinary start.
class ForkServer {
 public:
  ForkServer() = default;
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;
  ~ForkServer() {
    if (pid_ > 0) {
      ::close(socket_);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  /// Like `run_program`; `arguments[0]` is the same in every run.
  Ran run(const std::vector<std::string>& arguments, const std::string& directory,
          const std::vector<std::string>& environment = {}) {
    if (std::string_view(kForkServer).empty()) {
      return run_program(arguments, directory, environment);
    }
    if (pid_ < 0) {
      start(arguments.front());
    }
    std::string order = directory + '\0' + std::to_string(arguments.size()) + '\0';
    for (const auto* list : {&arguments, &environment}) {
      for (const auto& word : *list) {
        order += word + '\0';
      }
    }
    order += '\0';
    REQUIRE(order.size() <= kLongestOrder);
    const auto out = new_pipe();
    const auto err = new_pipe();
    const std::array<int, 3> files{pipe_with(""), out[1], err[1]};
    send(order, files);
    for (const int file : files) {
      ::close(file);
    }
    Ran ran;
    read_to_end(out[0], err[0], ran);
    Answer answer;
    REQUIRE(::recv(socket_, &answer, sizeof answer, 0) == sizeof answer);
    ran.exit = exit_code(answer.status);
    ran.peak_kib = answer.peak_kib;
    return ran;
  }

 private:
  void start(const std::string& program) {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      const int socket = ::dup(ends[1]);  // stays open
      forget_settings();
      ::setenv("ABGLEICH_FORK_SERVER", std::to_string(socket).c_str(), 1);
      ::setenv("LD_PRELOAD", kForkServer, 1);
      ::setenv("LD_BIND_NOW", "1", 1);  // here, and not in every run
      ::execl(program.c_str(), program.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    socket_ = ends[0];
  }

  void send(const std::string& order, const std::array<int, 3>& files) const {
    iovec part{const_cast<char*>(order.data()), order.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof files)> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof files);
    std::memcpy(CMSG_DATA(header), files.data(), sizeof files);
    REQUIRE(::sendmsg(socket_, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(order.size()));
  }

  pid_t pid_ = -1;
  int socket_ = -1;
};

}  // namespace abgleich::test
