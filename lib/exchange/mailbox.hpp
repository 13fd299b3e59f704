// A directory through which nodes exchange files. Anybody may host it: what is in it is sealed, and
// its names are random, so nobody can read anything there. It is not trusted, and never listed to
// find messages: a node opens only the names that it expects.
#pragma once

#include "exchange/channel.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace abgleich::exchange {

/// The name of a box as that of a file: 26 characters of base32.
std::string box_text(const BoxName& box);
/// The inverse; false where the text is not the name of a box.
bool read_box(std::string_view text, BoxName& box);

/// All functions throw Failure: {configuration} where the directory is not there; {out_of_space}
/// where disk, quota or memory are full; {try_again} for everything else that the system reports,
/// also for missing rights, since others may host the mailbox. A name is 26 characters of base32,
/// as `box_text` and `hello_name` make them.
class Mailbox {
 public:
  explicit Mailbox(std::filesystem::path directory) : directory_(std::move(directory)) {}

  /// Also writes and removes a file of its own, to try whether a rename replaces a file and whether
  /// a removed file is gone. Throws Failure{configuration} where it is not so. Nothing stays.
  void expect_usable() const;

  /// Whether there is a regular file with this name.
  [[nodiscard]] bool has(const std::string& name) const;

  struct Fetched {
    enum class What : std::uint8_t {
      nothing,    // no such file, or none that is regular: a link, a directory, a pipe
      whole,      // is in `copy` now
      too_large,  // has more bytes than it may have
    };
    What what = What::nothing;
    /// Since the file was last written to, by the clocks of two machines: may be below zero.
    std::chrono::seconds age{0};
  };

  /// Copies a file of at most `most` bytes to `copy`, a new file that only this user can read. An
  /// older file at `copy` is replaced; there is a new one only where the result is `whole`. Never
  /// follows a symbolic link, and never waits for whoever has put something else than a file there.
  [[nodiscard]] Fetched fetch(const std::string& name, std::uint64_t most,
                              const std::filesystem::path& copy) const;

  /// Removes a file; it is no error if it is gone already.
  void remove(const std::string& name) const;

  /// Removes what killed writers of this user have left, if it is older than a day. Does nothing
  /// where this user may not list the directory.
  void remove_leftovers() const;

  /// A file that is being written. It has its name only when all of it is on the disk; a file that
  /// has the name already is replaced. What is not finished is removed. Its mode is 0644,
  /// whatever the umask is: the recipient is often another user, and nobody else can open it.
  class NewFile {
   public:
    NewFile(const Mailbox& mailbox, const std::string& name);
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile();

    void add(std::span<const std::uint8_t> bytes);
    /// REQUIRES: is called once, and `add` is not called afterwards.
    void finish();

   private:
    std::filesystem::path directory_;
    std::filesystem::path temporary_;
    std::filesystem::path path_;
    int file_;
    bool finished_ = false;
  };

 private:
  std::filesystem::path directory_;
};

}  // namespace abgleich::exchange
