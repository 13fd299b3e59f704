// A library to preload into the program, so that many runs need only one start. When all libraries
// are loaded and main is about to be called, it waits for orders. Each order gets a forked process
// that enters main for the first time. The program's own file runs; only the dynamic linker's work,
// most of a short run, is done once. (Fuzzers call this a fork server.)
#include "support/fork_order.hpp"

#include <array>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using Main = int (*)(int, char**, char**);
using Start = int (*)(Main, int, char**, void (*)(), void (*)(), void (*)(), void*);

Main program_main = nullptr;
std::array<char, abgleich::test::kLongestOrder> order;

/// Fills `order` and `files`; false if no more orders will come.
bool receive(int socket, std::array<int, 3>& files) {
  iovec part{order.data(), order.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof files)> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0 || CMSG_FIRSTHDR(&message) == nullptr) {
    return false;
  }
  std::memcpy(files.data(), CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof files);
  return true;
}

char* after(char* word) {
  return word + std::strlen(word) + 1;
}

/// In the new process: sets it up as the order says, and returns the words.
std::vector<char*> obey(const std::array<int, 3>& files) {
  for (int i = 0; i < 3; ++i) {
    ::dup2(files[static_cast<std::size_t>(i)], i);
  }
  char* word = order.data();
  if (*word != '\0' && ::chdir(word) != 0) {
    ::_exit(127);
  }
  word = after(word);
  const int count = std::atoi(word);
  std::vector<char*> words;
  for (word = after(word); static_cast<int>(words.size()) < count; word = after(word)) {
    words.push_back(word);
  }
  words.push_back(nullptr);
  for (; *word != '\0'; word = after(word)) {
    ::putenv(word);
  }
  return words;
}

int serve(int argc, char** argv, char** environment) {
  const char* number = std::getenv("ABGLEICH_FORK_SERVER");
  if (number == nullptr) {
    return program_main(argc, argv, environment);
  }
  const int socket = std::atoi(number);
  ::unsetenv("ABGLEICH_FORK_SERVER");
  ::unsetenv("LD_PRELOAD");
  ::unsetenv("LD_BIND_NOW");
  for (std::array<int, 3> files{}; receive(socket, files);) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::close(socket);
      auto words = obey(files);
      return program_main(static_cast<int>(words.size()) - 1, words.data(), ::environ);
    }
    for (const int file : files) {
      ::close(file);
    }
    abgleich::test::Answer answer;
    rusage usage{};
    if (pid > 0 && ::wait4(pid, &answer.status, 0, &usage) == pid) {
      answer.peak_kib = usage.ru_maxrss;
    }
    ::send(socket, &answer, sizeof answer, MSG_NOSIGNAL);
  }
  ::_exit(0);
}

}  // namespace

/// The program's first instructions call this in place of the C library's function.
extern "C" int __libc_start_main(Main main, int argc, char** argv, void (*init)(), void (*fini)(),
                                 void (*rtld_fini)(), void* stack_end) {
  program_main = main;
  const auto start = reinterpret_cast<Start>(::dlsym(RTLD_NEXT, "__libc_start_main"));
  return start(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
