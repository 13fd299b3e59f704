// A directory through which nodes exchange files. Anybody may host it: what is in it is sealed, and
// its names are random, so nobody can read anything there. It is not trusted, and never listed to
// find messages: a node opens only the names that it expects.
#pragma once

#include "exchange/channel.hpp"
#include "seal/age_reader.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
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

  /// A file of the mailbox that is open for reading. Others may change it meanwhile, or cut it off.
  class File {
   public:
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    ~File();

    /// Gives the file from its start, and no more than the size that it had when it was opened. The
    /// file has to outlive its feeds, but it may be moved meanwhile. They throw as the mailbox
    /// does.
    [[nodiscard]] seal::Feed feed() const;
    /// In bytes, when it was opened. It says nothing about the space that the file takes: of a
    /// sparse one, a copy could fill a disk.
    [[nodiscard]] std::uint64_t size() const { return size_; }
    /// Since the file was last written to, by the clocks of two machines: may be below zero.
    [[nodiscard]] std::chrono::seconds age() const { return age_; }

   private:
    friend class Mailbox;
    explicit File(std::filesystem::path directory) : directory_(std::move(directory)) {}

    std::filesystem::path directory_;
    int file_ = -1;
    std::uint64_t size_ = 0;
    std::chrono::seconds age_{0};
  };

  /// Opens the regular file with this name; empty where there is none, or only a link, a directory,
  /// a pipe. Never follows a symbolic link, and never waits for whoever has put something else than
  /// a file there.
  [[nodiscard]] std::optional<File> open(const std::string& name) const;

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
