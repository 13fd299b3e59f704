// What is kept of one peer, in one file: the state of the channel, the secrets of the boxes that it
// may write into, and the rows that it has sent. These change in one transaction, so wherever this
// process is killed, they belong together. The rows are in tables with the peer's names. An
// ordinary pairing reads them as its primary; its catalogue does not have our own tables, whose
// names begin with "abgleich_".
#pragma once

#include "core/value.hpp"
#include "db/peer/peer_table.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

class PeerDatabase {
 public:
  /// The name of a box.
  using Box = std::array<std::uint8_t, 16>;

  /// Opens the file, and makes it with mode 0600 if it is not there. If a process was killed while
  /// it wrote, what it did is taken back here; so this has to be called before the file is read as
  /// a primary. `patience`: how long to wait for others, here and later.
  /// REQUIRES: the path is absolute; the directory is there, and only this user may enter it.
  /// Throws Failure{try_again} where another process writes, Failure{integrity} where the file is
  /// damaged or not of format 1, Failure{out_of_space}. Later calls throw these, too.
  static PeerDatabase open(const std::filesystem::path& file,
                           std::chrono::seconds patience = std::chrono::seconds(10));

  /// Removes a database of ours, this one or an outbox, whether or not it is damaged. It is no
  /// error that it is not there. REQUIRES: no process has it open. Throws std::system_error.
  static void remove(const std::filesystem::path& file);

  PeerDatabase(PeerDatabase&&) noexcept;
  PeerDatabase& operator=(PeerDatabase&&) noexcept;
  PeerDatabase(const PeerDatabase&) = delete;
  PeerDatabase& operator=(const PeerDatabase&) = delete;
  /// Without `commit`, nothing of the transaction stays.
  ~PeerDatabase();

  /// The state of the channel; empty: none was kept yet.
  std::optional<std::string> channel();
  /// The sealed secrets, as they were added.
  std::map<Box, std::string> grants();

  /// Begins the transaction in which everything below happens. From here on no other process can
  /// write; others can read until `commit`, or until more is written than memory holds.
  void begin();
  /// When this returns, everything is on disk. Where it throws, nothing has changed or, after an
  /// error of the disk, everything may have: opening the file again shows which.
  void commit();
  void rollback() noexcept;

  void keep_channel(std::string_view text);
  /// REQUIRES: there is no grant of this box.
  void add_grant(const Box& box, std::string_view sealed);
  /// Its bytes in the file are overwritten. It is no error that there is no such grant.
  void remove_grant(const Box& box);

  /// All rows anew: drops every table of the peer and makes these, without rows. From here on,
  /// `put` takes each key once. Throws Unstorable where they cannot be made.
  void begin_whole(const std::vector<PeerTable>& tables);
  /// Whether the peer's tables are exactly these, so that changes can be applied. From here on, if
  /// so, `put` replaces rows. Throws Unstorable as `begin_whole` does.
  [[nodiscard]] bool has(const std::vector<PeerTable>& tables);

  // `table` is a place in the tables that were given last to `begin_whole`, or to `has` if it
  // returned true, in this transaction. A value has the kind null, integer, real, text or bytes.

  /// Keeps a row: one cell for each column. Returns false, and keeps nothing, where a row with this
  /// key was put before since `begin_whole`. Throws Unstorable where the cells do not fit: a key
  /// with null, a value that is not in its canonical form, or that the column would change.
  [[nodiscard]] bool put(std::size_t table, const std::vector<Value>& cells);
  /// Removes the row with this key. It is no error that there is none. Throws Unstorable.
  void remove(std::size_t table, const std::vector<Value>& key);
  /// How many rows the table has. Counts them.
  std::int64_t rows(std::size_t table);

 private:
  class Inside;
  explicit PeerDatabase(std::unique_ptr<Inside> inside);

  std::unique_ptr<Inside> inside_;
};

}  // namespace abgleich::db
