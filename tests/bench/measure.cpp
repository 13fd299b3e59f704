// Runs a command and appends one line to a file: its name, wall and CPU seconds, and the largest
// resident set in KiB. A shell cannot measure the last.
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace {

double now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int main(int count, char** words) {
  if (count < 4) {
    std::fputs("usage: bench_measure FILE NAME COMMAND…\n", stderr);
    return 64;
  }
  const double started = now();
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(words[3], words + 3);
    std::perror(words[3]);
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  while (child > 0 && ::wait4(child, &status, 0, &usage) < 0 && errno == EINTR) {
  }
  const double wall = now() - started;
  std::FILE* out = std::fopen(words[1], "a");
  if (child < 0 || out == nullptr) {
    std::perror("bench_measure");
    return 70;
  }
  std::fprintf(out, "%s %.4f %.4f %ld\n", words[2], wall,
               seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
  std::fclose(out);
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
