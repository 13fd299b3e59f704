// A directory that only this user can enter, and that is gone when its object is.
#pragma once

#include <filesystem>
#include <string_view>

namespace abgleich {

class PrivateDirectory {
 public:
  /// Makes `PURPOSE-` and six random characters in the directory for temporary files ($TMPDIR, else
  /// /tmp), mode 0700. Takes away those of this purpose and user that a killed process has left.
  /// Throws Failure{out_of_space} or Failure{configuration}.
  explicit PrivateDirectory(std::string_view purpose);
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;
  ~PrivateDirectory();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int lock_ = -1;  // held for as long as it is used
};

/// Copies a regular file (no symbolic link) to a new one with mode 0600, and syncs that to disk.
/// Throws std::system_error.
void copy_privately(const std::filesystem::path& from, const std::filesystem::path& to);

/// Syncs a directory to disk: then the names of its files are there, too. Throws std::system_error.
void sync_directory(const std::filesystem::path& directory);

}  // namespace abgleich
