#include "pager.hpp"

#include "core/shortage.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <spawn.h>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <vector>

// NOLINTNEXTLINE(readability-redundant-declaration,cppcoreguidelines-avoid-non-const-global-variables)
extern char** environ;

namespace abgleich::cmd {

namespace {

constexpr std::size_t kPiece = std::size_t{64} * 1024;
/// The most text that is paged: nobody reads more page by page, and it is kept in memory.
constexpr std::size_t kMost = std::size_t{64} * 1024 * 1024;

/// What waits for the pager: in a file that is in memory only, which the pager reads as its
/// standard input, and the last piece beside it.
struct Waiting {
  Paging wanted = Paging::off;
  int file = -1;
  std::size_t in_file = 0;
  std::string piece;
  std::string complaints;
};

Waiting& waiting() {
  static Waiting one;
  return one;
}

/// Moves the piece into the file. False where it cannot: then `in_file` and the piece stay as they
/// are.
bool move_piece(Waiting& all) {
  if (all.file < 0) {
    all.file = ::memfd_create("abgleich", MFD_CLOEXEC);
  }
  if (all.file < 0 || all.in_file + all.piece.size() > kMost) {
    return false;
  }
  try {
    write_whole(all.file, all.piece);
  } catch (const std::system_error&) {
    return false;
  }
  all.in_file += all.piece.size();
  all.piece.clear();
  return true;
}

/// Prints to standard output. `finish_output` finds out whether that has failed.
void print_plainly(Waiting& all) {
  std::array<char, kPiece> buffer;
  for (std::size_t at = 0; at < all.in_file;) {
    const auto got = ::pread(all.file, buffer.data(), std::min(buffer.size(), all.in_file - at),
                             static_cast<off_t>(at));
    if (got <= 0) {
      break;
    }
    std::fwrite(buffer.data(), 1, static_cast<std::size_t>(got), stdout);
    at += static_cast<std::size_t>(got);
  }
  std::fwrite(all.piece.data(), 1, all.piece.size(), stdout);
}

/// To be called once what was kept was shown: from now on all is printed at once.
void end_waiting(Waiting& all) {
  if (all.file >= 0) {
    ::close(all.file);
  }
  std::fflush(stdout);
  std::fwrite(all.complaints.data(), 1, all.complaints.size(), stderr);
  all = {};
}

/// Whether the program has the rights of another user than its caller. Then nothing that the caller
/// chooses may be run with them. The test is the one that systemd uses.
bool is_for_another_user() {
  return std::getenv("SUDO_UID") != nullptr || ::getuid() != ::geteuid();
}

/// The words of the pager's command; empty: nothing is paged. As in git, that is so where $PAGER is
/// empty or cat.
std::optional<std::vector<std::string>> command_wanted() {
  const char* said = is_for_another_user() ? nullptr : std::getenv("PAGER");
  if (said == nullptr) {
    return std::vector<std::string>{"less"};
  }
  const std::string command = said;
  if (command.find_first_not_of(" \t") == std::string::npos || command == "cat") {
    return std::nullopt;
  }
  return std::vector<std::string>{"/bin/sh", "-c", command};
}

/// Signals that this program ignores are not to be ignored by the pager.
void restore_signals(posix_spawnattr_t& attributes) {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGPIPE, SIGINT, SIGXFSZ}) {
    ::sigaddset(&signals, signal);
  }
  ::posix_spawnattr_setsigdefault(&attributes, &signals);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
}

std::optional<pid_t> spawn(std::vector<std::string> command, int input) {
  ::setenv("LESS", "FRX", 0);
  ::setenv("LV", "-c", 0);
  if (is_for_another_user()) {
    ::setenv("LESSSECURE", "1", 1);
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawnattr_init(&attributes);
  restore_signals(attributes);
  std::vector<char*> words;
  for (auto& word : command) {
    words.push_back(word.data());
  }
  words.push_back(nullptr);
  pid_t process = 0;
  const int failed =
      ::posix_spawnp(&process, words.front(), &actions, &attributes, words.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? std::optional(process) : std::nullopt;
}

/// Lets a person read the file. False where the pager has failed before it has read anything.
bool was_shown(const std::vector<std::string>& command, int file) {
  std::fflush(stdout);
  ::lseek(file, 0, SEEK_SET);
  // Ctrl-C is for the pager while it runs
  auto* const before = std::signal(SIGINT, SIG_IGN);
  int status = 0;
  const auto process = spawn(command, file);
  while (process && ::waitpid(*process, &status, 0) == -1 && errno == EINTR) {
  }
  std::signal(SIGINT, before);
  // pager and program share the position in the file: beyond 0, the pager has read something
  return process && (status == 0 || ::lseek(file, 0, SEEK_CUR) > 0);
}

}  // namespace

void set_paging(Paging paging) {
  waiting().wanted = paging;
}

bool keep_for_pager(std::string_view text) {
  auto& all = waiting();
  if (all.wanted == Paging::off) {
    return false;
  }
  all.piece += text;
  if (all.piece.size() >= kPiece && !move_piece(all)) {
    print_plainly(all);
    end_waiting(all);
  }
  return true;
}

bool keep_until_read(std::string_view text) {
  auto& all = waiting();
  if ((all.in_file == 0 && all.piece.empty()) || ::isatty(STDERR_FILENO) != 1) {
    return false;
  }
  all.complaints += text;
  return true;
}

void finish_pager() {
  auto& all = waiting();
  all.wanted = Paging::off;
  if (all.in_file == 0 && all.piece.empty()) {
    return;
  }
  const auto command = command_wanted();
  if (!command || !move_piece(all) || !was_shown(*command, all.file)) {
    print_plainly(all);
  }
  end_waiting(all);
}

}  // namespace abgleich::cmd
