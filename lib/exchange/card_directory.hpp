// The directory of the peers' cards while it is changed.
#pragma once

#include <filesystem>

namespace abgleich::exchange {

/// Keeps others out of the directory that would change it meanwhile. Functions throw
/// Failure{key_or_trust, out_of_space} where the directory cannot be used.
class CardDirectory {
 public:
  explicit CardDirectory(const std::filesystem::path& directory);
  CardDirectory(const CardDirectory&) = delete;
  CardDirectory& operator=(const CardDirectory&) = delete;
  ~CardDirectory();

  /// When this returns, the names of its files are on disk. Throws std::system_error.
  void sync() const;

  /// Throws the failure for this error of the system.
  [[noreturn]] static void cannot(const std::filesystem::path& directory, int error);

 private:
  int number_;
};

}  // namespace abgleich::exchange
