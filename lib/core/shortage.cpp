#include "core/shortage.hpp"

#include <cerrno>
#include <system_error>
#include <unistd.h>

namespace abgleich {

std::optional<Shortage> shortage_of(int error) {
  switch (error) {
    case ENOSPC:
      return Shortage{.hint =
                          "free space on that disk (df shows it), then run the same command "
                          "again"};
    case EDQUOT:
      return Shortage{.hint =
                          "the user's quota is used up: free space, then run the same command "
                          "again"};
    case EFBIG:
      return Shortage{.hint =
                          "this process may write no larger files: raise its limit (ulimit -f, "
                          "LimitFSIZE), then run the same command again"};
    case EMFILE:
      return Shortage{.hint =
                          "this process may open no more files: raise its limit (ulimit -n, "
                          "LimitNOFILE), then run the same command again"};
    case ENFILE:
      return Shortage{.hint =
                          "the machine has no more files to open: end other programs, then run "
                          "the same command again"};
    case ENOMEM:
      return Shortage{.hint = "free memory, then run the same command again"};
    case EIO:
      return Shortage{.code = Code::try_again,
                      .hint =
                          "the disk reports an error: look into the kernel's log (dmesg), then "
                          "run the same command again"};
    default:
      return std::nullopt;
  }
}

void write_whole(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const auto written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      throw std::system_error(errno, std::generic_category());
    }
    if (written == 0) {
      throw std::system_error(ENOSPC, std::generic_category());
    }
    text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
  }
}

}  // namespace abgleich
