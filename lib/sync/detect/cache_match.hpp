// What the cache knows of one table, compared with the rows of the primary as they are read: which
// of them are as they were, which have to be looked at, and which are no longer there. Memory is
// bounded, however many rows.
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

/// The cached rows are compared in the order in which the primary handed them over last time. A row
/// that is not found within a window around that place counts as changed although it may not be:
/// the comparison with the base then finds nothing to do. So any order gives the same result, and
/// the usual one gives it fast.
class CacheMatch {
 public:
  enum class Keep : std::uint8_t { nothing, cache };

  using OnGone = std::function<void(const state::KnownRow&)>;

  /// `cached` may be null: then no row is known. `on_gone` is called, from within the other
  /// functions, for every row that may be gone; what came as a candidate is not gone, even if it is
  /// among them. With Keep::cache, what `save` will write is collected. `cache` and `cached`
  /// outlive this. Throws CacheUnusable, as everything here.
  CacheMatch(const state::RowCache& cache, const state::CachedTable* cached, std::int64_t tracked,
             Keep keep, OnGone on_gone);
  ~CacheMatch();
  CacheMatch(const CacheMatch&) = delete;
  CacheMatch& operator=(const CacheMatch&) = delete;

  /// Whether only what `candidate` gets is to be looked at; otherwise all rows are.
  [[nodiscard]] bool partial() const { return partial_; }

  /// Whether the row is as it was when base and primary agreed. Each cached row answers once.
  bool met(const Fingerprint& row);
  /// A row that was not met, once it has a masked key and can be compared.
  void candidate(state::KnownRow row);

  /// After the last row.
  void finish();

  /// Whether the base still has rows that the primary no longer had.
  [[nodiscard]] bool any_absent() const;

  /// How many rows `on_gone` was called for.
  [[nodiscard]] std::int64_t gone() const { return gone_; }

  /// The same for a table of which only the rows that changed are read, as candidates, after
  /// `begin_changes`. Where none is gone, `finish_without_deletes` ends it; otherwise all keys are
  /// read, and `key_met` says whether a key was there: at most `kMostStrangers` may be new or in
  /// another place.
  void begin_changes();
  bool key_met(const Fingerprint& key);
  void finish_keys();
  void finish_without_deletes();

  /// After `finish_keys`: by how many the rows that the cache knows have become fewer.
  [[nodiscard]] std::int64_t fewer() const { return fewer_; }

  /// Rows that every run has to look at: there, or only in the base still.
  struct Unsettled {
    std::vector<state::KnownRow> open;
    std::vector<state::KnownRow> absent;
  };
  /// Writes what is known after this run; empty where that would be too much to keep. What is not
  /// about rows is left as it was. REQUIRES: Keep::cache, after `finish`.
  std::optional<state::CachedTable> save(const Unsettled& unsettled);

  /// Touched rows that are kept beside a main file, and changed rows that are kept in memory.
  static constexpr std::size_t kMostTouched = 32'768;
  /// The same where only changed rows are read: as many as let the next run do so too.
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
  /// A row that the main file does not have, and how many of that file's came before it.
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

  // the main file, and the window on it: ordinals head_ … tail_, the next expected one front_
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

  // what has overruled it since
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
  /// Keys whose record in the main file is out of date, by half of their fingerprints: one too many
  /// would only be looked at once more.
  std::vector<std::uint64_t> overruled_;
  std::unique_ptr<state::KnownRowWriter> writer_;
  std::string new_main_;
  std::int64_t new_main_rows_ = 0;
  bool overflowed_ = false;  // more than can be kept without a new main file
  std::int64_t gone_ = 0;
  std::int64_t fewer_ = 0;
};

}  // namespace abgleich::sync
