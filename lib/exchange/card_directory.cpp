#include "exchange/card_directory.hpp"

#include "core/error.hpp"
#include "core/shell_word.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

namespace abgleich::exchange {

CardDirectory::CardDirectory(const std::filesystem::path& directory)
    : number_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (number_ < 0 || ::flock(number_, LOCK_EX) != 0) {
    const auto error = errno;
    if (number_ >= 0) {
      ::close(number_);
    }
    cannot(directory, error);
  }
}

CardDirectory::~CardDirectory() {
  ::close(number_);
}

void CardDirectory::sync() const {
  // EINVAL: the file system cannot sync directories and does not need to
  if (::fsync(number_) != 0 && errno != EINVAL) {
    throw std::system_error(errno, std::generic_category());
  }
}

void CardDirectory::cannot(const std::filesystem::path& directory, int error) {
  const auto shortage = shortage_of(error);
  throw Failure(shortage ? shortage->code : Code::key_or_trust,
                fmt::format("the directory of cards '{}' cannot be used: {}", directory.string(),
                            std::generic_category().message(error)),
                shortage ? std::string(shortage->hint)
                         : fmt::format("look at [exchange] cards in abgleich.toml, and `ls -ld {}`",
                                       in_shell(directory.string())));
}

}  // namespace abgleich::exchange
