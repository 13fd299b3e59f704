// The local cache: which rows of the primary are as they were when base and primary last agreed, by
// fingerprint and by masked key. It counts for exactly the head, key and layout that it was written
// for, and is ignored otherwise: without it a run reads and compares everything. The format is in
// schemas/stored-formats.md.
#pragma once

#include "core/fingerprint.hpp"
#include "state/anchor.hpp"
#include "state/sealed_file.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::state {

/// One row of the primary. `key_bytes` is its masked key (append_key_bytes).
struct KnownRow {
  Fingerprint row;
  Fingerprint key;
  std::string key_bytes;
};

/// What has become of a row since the table's main file was written; it overrides that file.
struct TouchedRow {
  enum class State : char {
    settled = 's',  // there, and as the base has it
    open = 'o',     // there, and to be looked at by every run: a conflict, a row held back
    gone = 'g',     // no longer there, nor in the base
    absent = 'a',   // no longer there, but still in the base: to be looked at by every run
  };
  State state = State::settled;
  KnownRow known;
};

/// The row versions of a table when it was read, to compare later ones with
/// (lib/db/postgresql/row_versions.hpp). The texts are the server's own.
struct VersionMark {
  std::string facts;                // everything that has to be the same for them to count
  std::uint64_t horizon = 0;        // oldest transaction that was not over
  std::uint64_t next = 0;           // first that had not begun
  std::vector<std::string> places;  // of the rows that every run has to look at

  bool operator==(const VersionMark&) const = default;
};

struct CachedTable {
  std::int64_t tracked = 0;
  std::string layout;   // what the rows of the cache depend on, hashed
  std::string main;     // file names
  std::string touched;  // empty: nothing is
  std::int64_t main_rows = 0;
  std::int64_t touched_rows = 0;
  std::int64_t rows = 0;       // in the primary, when it was last read
  bool by_versions = false;    // that reading was of new row versions only
  std::int64_t last_full = 0;  // seconds since 1970: when it was last read whole
  std::optional<VersionMark> versions;

  bool operator==(const CachedTable&) const = default;
};

/// All tables, and the head that they are valid for: its lineage, epoch and hash.
struct CacheIndex {
  Anchor head;
  std::vector<CachedTable> tables;

  [[nodiscard]] const CachedTable* find(std::int64_t tracked) const;
  bool operator==(const CacheIndex&) const = default;
};

/// The cache of one pairing, in `cache` in its state directory.
class RowCache {
 public:
  RowCache(const std::filesystem::path& state, const CacheKey& key);

  /// The index, if there is one that is whole and made with this key. Throws CacheUnusable, with
  /// the reason, where there is one that is not.
  [[nodiscard]] std::optional<CacheIndex> read_index() const;

  /// Replaces the index, atomically, and removes the files that it does not name. REQUIRES: the
  /// pairing's lock is held; the files that it names are finished.
  void write_index(const CacheIndex& index) const;

  /// Forgets everything; never throws.
  void clear() const noexcept;

  /// A name for a new file, and its path.
  [[nodiscard]] std::string new_name(std::string_view what, std::int64_t tracked) const;
  [[nodiscard]] std::filesystem::path path(const std::string& name) const;
  [[nodiscard]] const CacheKey& key() const { return *key_; }

 private:
  std::filesystem::path directory_;
  Locked<CacheKey> key_;
};

/// Writes rows of a table to a new file, in the order in which the primary gives them.
class KnownRowWriter {
 public:
  KnownRowWriter(const RowCache& cache, const std::string& name)
      : file_(cache.path(name), cache.key(), name) {}
  void add(const KnownRow& row);
  void add(const TouchedRow& row);
  void finish() { file_.finish(); }

 private:
  SealedWriter file_;
  std::string record_;
};

class KnownRowReader {
 public:
  KnownRowReader(const RowCache& cache, const std::string& name)
      : file_(cache.path(name), cache.key(), name) {}
  /// False at the end. Reuses the memory of `row`.
  bool next(KnownRow& row);
  bool next(TouchedRow& row);

 private:
  SealedReader file_;
};

}  // namespace abgleich::state
