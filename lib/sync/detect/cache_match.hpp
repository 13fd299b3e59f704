// Compares the rows that the cache knows of one table with the rows of the primary as they are
// read: which are unchanged, which have to be looked at, and which are gone. Memory is bounded,
// whatever the number of rows.
#pragma once

#include "state/row_cache.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace abgleich::sync {

/// The cache has the rows in the order in which the primary returned them last time. A row that is
/// not found in a window around its expected place counts as changed; if it is not, the comparison
/// with the base finds nothing to do. So the result does not depend on the order of the rows, and
/// the same order as last time is fast.
class CacheMatch {
 public:
  enum class Keep : std::uint8_t { nothing, cache };

  using OnGone = std::function<void(const state::KnownRow&)>;

  /// `cached` may be null: then no row is known. The other functions call `on_gone` for every row
  /// that may be gone; among these can be changed rows, which `candidate` has got and which are not
  /// gone. With Keep::cache, what `save` will write is collected. `cache` and `cached` must outlive
  /// this. Throws CacheUnusable, as all functions here do.
  CacheMatch(const state::RowCache& cache, const state::CachedTable* cached, std::int64_t tracked,
             Keep keep, OnGone on_gone);
  ~CacheMatch();
  CacheMatch(const CacheMatch&) = delete;
  CacheMatch& operator=(const CacheMatch&) = delete;

  /// Whether the cache has rows of the table: then only the candidates have to be looked at,
  /// otherwise every row.
  [[nodiscard]] bool partial() const { return partial_; }

  /// Whether the cache has this row: then it is unchanged since base and primary agreed. Each
  /// cached row matches once.
  bool met(const Fingerprint& row);
  /// Adds a row that was not met, when it has a masked key and can be compared.
  void candidate(state::KnownRow row);

  /// To be called after the last row.
  void finish();

  /// Whether, by the cache, the base has rows that the primary no longer had.
  [[nodiscard]] bool any_absent() const;

  /// How many rows `on_gone` was called for.
  [[nodiscard]] std::int64_t gone() const { return gone_; }

  /// For a table of which only the changed rows are read: `begin_changes` comes first, and the rows
  /// are candidates. If none is gone, `finish_without_deletes` comes last. Otherwise all keys are
  /// read: `key_met` says whether the cache has a key, and `finish_keys` comes last. At most
  /// `kMostStrangers` keys may be new or in another place.
  void begin_changes();
  bool key_met(const Fingerprint& key);
  void finish_keys();
  void finish_without_deletes();

  /// After `finish_keys`: how many rows that the cache knows are gone, less those that it knew as
  /// absent and that are there again.
  [[nodiscard]] std::int64_t fewer() const { return fewer_; }

  /// Rows that every run has to look at: `open` are in the primary, `absent` only in the base.
  struct Unsettled {
    std::vector<state::KnownRow> open;
    std::vector<state::KnownRow> absent;
  };
  /// Writes the files that the next run reads, and returns the table's entry for the index; empty
  /// where there would be too much to keep. Members of the entry that do not describe these files
  /// keep their old values. REQUIRES: Keep::cache; one of the `finish…` functions was called.
  std::optional<state::CachedTable> save(const Unsettled& unsettled);

  /// How many touched rows may be kept beside a main file, and how many changed rows in memory.
  static constexpr std::size_t kMostTouched = 32'768;
  /// The same where only changed rows are read; fewer, so that the next run may do so too.
  static constexpr std::size_t kMostBeside = kMostTouched / 2;
  static constexpr std::size_t kMostStrangers = 262'144;

 private:
  struct Hash {
    std::size_t operator()(const Fingerprint& one) const { return one.low; }
  };
  /// The rows that are kept beside the main file, by their keys.
  using Touched = std::unordered_map<Fingerprint, state::TouchedRow, Hash>;
  struct Slot {
    state::KnownRow known;
    bool met = false;
    std::uint32_t next = 0;  // in the chain of its bucket
  };
  /// A row that the main file does not have, and how many rows of that file came before it.
  struct Added {
    state::KnownRow known;
    std::uint64_t at = 0;
  };
  bool find(const Fingerprint& wanted);
  bool find_touched(const Fingerprint& row);
  [[nodiscard]] const Fingerprint& side(const state::KnownRow& row) const {
    return by_ == By::row ? row.row : row.key;
  }
  Slot& slot(std::uint64_t ordinal) { return ring_[ordinal % ring_.size()]; }
  void fill();
  void meet(std::uint64_t ordinal);
  void leave_behind(std::uint64_t until);
  void index();
  void unlink(std::uint64_t ordinal);
  void jump(const Fingerprint& wanted);
  void leave(const state::KnownRow& known);
  void add(state::KnownRow known);
  void drain();
  void let_go();
  void rewrite();
  void spool(const state::KnownRow& known);
  std::vector<state::TouchedRow> merge_spool();
  Touched touched_after(const Unsettled& unsettled);
  [[nodiscard]] bool as_before(const Touched& touched) const;
  void write_touched(const Touched& touched, state::CachedTable& table);
  void emit(const state::KnownRow& known);
  [[nodiscard]] std::size_t changes() const {
    return touched_.size() + added_.size() + unmet_.size();
  }
  [[nodiscard]] bool was_met(std::uint64_t ordinal) const {
    return ordinal < met_.size() && met_[ordinal];
  }

  const state::RowCache& cache_;
  const state::CachedTable* cached_;
  std::int64_t tracked_;
  Keep keep_;
  OnGone on_gone_;
  bool partial_;
  enum class By : std::uint8_t { row, key };
  By by_ = By::row;
  bool whole_ = true;  // every row of the table was compared with the cache

  // the main file, and the window of its rows that is in memory: those numbered from head_ to
  // before tail_; front_ is the one that is expected next
  std::unique_ptr<state::KnownRowReader> main_;
  std::vector<Slot> ring_;
  std::uint64_t head_ = 0;
  std::uint64_t front_ = 0;
  std::uint64_t tail_ = 0;
  bool main_ended_ = false;
  std::vector<bool> met_;
  std::vector<std::uint32_t> buckets_;
  std::uint64_t indexed_ = 0;
  std::uint64_t missed_in_a_row_ = 0;
  std::optional<std::unordered_map<std::uint64_t, std::uint64_t>> anchors_;

  // rows that were touched since the main file was written; they overrule it
  std::vector<state::TouchedRow> touched_;
  std::vector<bool> touched_met_;
  std::unordered_map<Fingerprint, std::size_t, Hash> touched_by_key_;
  std::unordered_map<Fingerprint, std::size_t, Hash> touched_by_row_;

  // this run
  std::vector<Added> added_;
  std::vector<state::KnownRow> unmet_;  // of the main file
  std::vector<Fingerprint> strangers_;
  std::unique_ptr<state::KnownRowWriter> spool_;
  std::string spool_name_;
  /// Keys whose rows in the main file are out of date, by half of their fingerprints. If another
  /// row has the same half, it is only looked at once more.
  std::vector<std::uint64_t> overruled_;
  std::unique_ptr<state::KnownRowWriter> writer_;
  std::string new_main_;
  std::int64_t new_main_rows_ = 0;
  bool overflowed_ = false;  // more changes than can be kept: `save` returns nothing
  std::int64_t gone_ = 0;
  std::int64_t fewer_ = 0;
};

}  // namespace abgleich::sync
