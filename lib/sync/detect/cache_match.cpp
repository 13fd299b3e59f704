#include "sync/detect/cache_match.hpp"

#include <algorithm>
#include <utility>

namespace abgleich::sync {

namespace {

using state::CacheUnusable;
using state::KnownRow;
using state::TouchedRow;
using State = state::TouchedRow::State;

constexpr std::size_t kWindow = 16'384;         // most rows of the main file in memory
constexpr std::uint64_t kBehind = kWindow / 2;  // of these, before the expected row
constexpr std::uint32_t kNone = 0xffff'ffffU;
constexpr std::uint64_t kLost = 4'096;  // after so many misses, look beyond the window
constexpr std::uint64_t kAnchor = 64;   // one row in so many can be found in the whole file
/// Every run has to read the touched rows. If there are more than the main file's rows divided by
/// this, a new main file is written.
constexpr std::int64_t kTouchedShare = 20;
constexpr std::int64_t kFewTouched = 256;

}  // namespace

CacheMatch::CacheMatch(const state::RowCache& cache, const state::CachedTable* cached,
                       std::int64_t tracked, Keep keep, OnGone on_gone)
    : cache_(cache),
      cached_(cached),
      tracked_(tracked),
      keep_(keep),
      on_gone_(std::move(on_gone)),
      partial_(cached != nullptr && !cached->main.empty()) {
  if (cached_ == nullptr || cached_->main.empty()) {
    cached_ = nullptr;
    if (keep_ == Keep::cache) {
      rewrite();
    }
    return;
  }
  main_ = std::make_unique<state::KnownRowReader>(cache_, cached_->main);
  // a small table is in memory as a whole, with one place left in which its end is seen
  const auto rows = static_cast<std::size_t>(std::max(cached_->main_rows, std::int64_t{0}));
  const auto window = std::min(rows + 1, kWindow);
  ring_.resize(window);
  buckets_.assign(2 * window, kNone);
  if (cached_->touched.empty()) {
    return;
  }
  state::KnownRowReader touched(cache_, cached_->touched);
  for (TouchedRow row; touched.next(row);) {
    touched_by_key_.emplace(row.known.key, touched_.size());
    if (row.state == State::settled) {
      touched_by_row_.emplace(row.known.row, touched_.size());
    }
    touched_.push_back(row);
  }
  touched_met_.resize(touched_.size());
}

CacheMatch::~CacheMatch() = default;

// The window --------------------------------------------------------------------------------------

/// Reads the main file until the window is full. Rows that were touched since then count as met:
/// `touched_` says what has become of them.
void CacheMatch::fill() {
  while (!main_ended_ && tail_ - head_ < ring_.size()) {
    auto& into = slot(tail_);
    if (!main_->next(into.known)) {
      main_ended_ = true;
      return;
    }
    into.met = touched_by_key_.contains(into.known.key);
    ++tail_;
  }
}

void CacheMatch::index() {
  for (indexed_ = std::max(indexed_, head_); indexed_ < tail_; ++indexed_) {
    auto& one = slot(indexed_);
    auto& bucket = buckets_[side(one.known).low % buckets_.size()];
    one.next = bucket;
    bucket = static_cast<std::uint32_t>(indexed_ % ring_.size());
  }
}

void CacheMatch::unlink(std::uint64_t ordinal) {
  const auto at = static_cast<std::uint32_t>(ordinal % ring_.size());
  auto* link = &buckets_[side(ring_[at].known).low % buckets_.size()];
  while (*link != at) {
    link = &ring_[*link].next;
  }
  *link = ring_[at].next;
}

/// Drops the window's rows before `until`; those of them that were not met may be gone.
void CacheMatch::leave_behind(std::uint64_t until) {
  for (; head_ < until; ++head_) {
    if (head_ < indexed_) {
      unlink(head_);
    }
    auto& one = slot(head_);
    if (!one.met) {
      leave(one.known);
    }
  }
}

void CacheMatch::meet(std::uint64_t ordinal) {
  slot(ordinal).met = true;
  if (keep_ == Keep::cache && by_ == By::row) {
    if (writer_) {
      emit(slot(ordinal).known);
    } else {
      met_.resize(std::max<std::size_t>(met_.size(), ordinal + 1));
      met_[ordinal] = true;
    }
  }
  front_ = ordinal + 1;
  missed_in_a_row_ = 0;
  if (front_ - head_ > kBehind + kBehind / 2) {
    leave_behind(front_ - kBehind);
  }
}

/// After many misses: moves the window to the wanted row, if it is one of those that can be found
/// in the whole file.
void CacheMatch::jump(const Fingerprint& wanted) {
  if (!anchors_) {
    anchors_.emplace();
    state::KnownRowReader all(cache_, cached_->main);
    KnownRow known;
    for (std::uint64_t ordinal = 0; all.next(known); ++ordinal) {
      if (ordinal >= tail_ && side(known).low % kAnchor == 0) {
        anchors_->emplace(side(known).low, ordinal);
      }
    }
  }
  const auto found = anchors_->find(wanted.low);
  if (found == anchors_->end() || found->second < tail_) {
    return;
  }
  const auto to = found->second;
  while (tail_ <= to && !main_ended_) {
    leave_behind(tail_);
    fill();
  }
  front_ = std::max(front_, std::min(to, tail_));
}

bool CacheMatch::find(const Fingerprint& wanted) {
  fill();
  while (front_ < tail_ && slot(front_).met) {
    ++front_;
  }
  if (front_ < tail_ && side(slot(front_).known) == wanted) {
    meet(front_);
    return true;
  }
  for (const bool lost : {false, true}) {
    if (lost) {
      if (++missed_in_a_row_ < kLost || wanted.low % kAnchor != 0) {
        return false;
      }
      jump(wanted);
    }
    index();
    for (auto at = buckets_[wanted.low % buckets_.size()]; at != kNone; at = ring_[at].next) {
      if (!ring_[at].met && side(ring_[at].known) == wanted) {
        const auto size = ring_.size();
        meet(head_ + (at + size - head_ % size) % size);
        return true;
      }
    }
  }
  return false;
}

// Rows --------------------------------------------------------------------------------------------

bool CacheMatch::find_touched(const Fingerprint& row) {
  const auto found = touched_by_row_.find(row);
  if (found == touched_by_row_.end() || touched_met_[found->second]) {
    return false;
  }
  touched_met_[found->second] = true;
  add(touched_[found->second].known);
  return true;
}

bool CacheMatch::met(const Fingerprint& row) {
  return main_ != nullptr && (find(row) || find_touched(row));
}

void CacheMatch::candidate(KnownRow row) {
  add(std::move(row));
}

void CacheMatch::add(KnownRow known) {
  if (keep_ == Keep::nothing) {
    return;
  }
  if (writer_) {
    emit(known);
    return;
  }
  if (!whole_ && (spool_ || changes() >= kMostBeside)) {
    spool(known);
    return;
  }
  added_.push_back({.known = std::move(known), .at = front_});
  if (changes() > kMostTouched) {
    rewrite();
  }
}

/// Takes a changed row where there are too many to keep beside the main file. It goes to a file of
/// its own, which `save` merges into a new main file; only its key stays in memory.
void CacheMatch::spool(const KnownRow& known) {
  if (overflowed_) {
    return;
  }
  if (!spool_) {
    spool_name_ = cache_.new_name("spool", tracked_);
    spool_ = std::make_unique<state::KnownRowWriter>(cache_, spool_name_);
    for (const auto& added : std::exchange(added_, {})) {
      spool(added.known);
    }
  }
  spool_->add(known);
  overruled_.push_back(known.key.low);
  if (overruled_.size() > kMostStrangers) {
    overflowed_ = true;
    overruled_ = {};
  }
}

void CacheMatch::leave(const KnownRow& known) {
  ++gone_;
  if (by_ == By::key) {
    unmet_.push_back(known);
    if (unmet_.size() > kMostStrangers) {
      throw CacheUnusable("too many rows have moved");
    }
    return;
  }
  on_gone_(known);
  if (keep_ == Keep::cache && !writer_) {
    unmet_.push_back(known);
    if (changes() > kMostTouched) {
      rewrite();
    }
  }
}

void CacheMatch::emit(const KnownRow& known) {
  writer_->add(known);
  ++new_main_rows_;
}

/// Begins a new main file with the rows that were met or added so far, in the order in which they
/// were read.
void CacheMatch::rewrite() {
  new_main_ = cache_.new_name("rows", tracked_);
  writer_ = std::make_unique<state::KnownRowWriter>(cache_, new_main_);
  new_main_rows_ = 0;
  auto added = added_.begin();
  if (!met_.empty()) {
    state::KnownRowReader main(cache_, cached_->main);
    KnownRow known;
    for (std::uint64_t ordinal = 0; ordinal < met_.size() && main.next(known); ++ordinal) {
      for (; added != added_.end() && added->at <= ordinal; ++added) {
        emit(added->known);
      }
      if (met_[ordinal]) {
        emit(known);
      }
    }
  }
  for (; added != added_.end(); ++added) {
    emit(added->known);
  }
  added_ = {};
  unmet_ = {};
  met_ = {};
}

/// Writes the new main file after changes were spooled: first the unchanged rows, then the spooled
/// ones, because the primary stores new row versions behind the others where no space was freed.
/// Returns the touched rows that are kept beside the new file.
std::vector<TouchedRow> CacheMatch::merge_spool() {
  spool_->finish();
  for (const auto& known : std::exchange(unmet_, {})) {
    overruled_.push_back(known.key.low);
  }
  std::ranges::sort(overruled_);
  const auto stays = [this](const KnownRow& known) {
    return !std::ranges::binary_search(overruled_, known.key.low);
  };
  new_main_ = cache_.new_name("rows", tracked_);
  writer_ = std::make_unique<state::KnownRowWriter>(cache_, new_main_);
  KnownRow known;
  for (state::KnownRowReader main(cache_, cached_->main); main.next(known);) {
    if (stays(known) && !touched_by_key_.contains(known.key)) {
      emit(known);
    }
  }
  std::vector<TouchedRow> beside;
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    const auto& row = touched_[i];
    if (!touched_met_[i] || row.state == State::gone || !stays(row.known)) {
      continue;
    }
    if (row.state == State::settled) {
      emit(row.known);
    } else {
      beside.push_back(row);
    }
  }
  for (state::KnownRowReader spooled(cache_, spool_name_); spooled.next(known);) {
    emit(known);
  }
  overruled_ = {};
  return beside;
}

void CacheMatch::drain() {
  do {
    fill();
    leave_behind(tail_);
  } while (!main_ended_);
}

/// Frees what is not needed after all rows were read.
void CacheMatch::let_go() {
  main_.reset();
  ring_ = {};
  buckets_ = {};
  anchors_.reset();
  strangers_ = {};
}

void CacheMatch::finish() {
  if (!main_) {
    return;
  }
  drain();
  let_go();
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    // an open or absent row is never met: it is named as gone even if it came as a candidate
    if (!touched_met_[i] && touched_[i].state != State::gone) {
      ++gone_;
      on_gone_(touched_[i].known);
    }
  }
}

// Keys alone --------------------------------------------------------------------------------------

bool CacheMatch::any_absent() const {
  return std::ranges::any_of(touched_,
                             [](const TouchedRow& row) { return row.state == State::absent; });
}

void CacheMatch::begin_changes() {
  whole_ = false;
}

bool CacheMatch::key_met(const Fingerprint& key) {
  by_ = By::key;
  if (const auto touched = touched_by_key_.find(key); touched != touched_by_key_.end()) {
    touched_met_[touched->second] = true;
    return true;
  }
  if (find(key)) {
    return true;
  }
  strangers_.push_back(key);
  if (strangers_.size() > kMostStrangers) {
    throw CacheUnusable("too many rows have moved");
  }
  return false;
}

void CacheMatch::finish_keys() {
  by_ = By::key;
  drain();
  const auto order = [](const Fingerprint& one) { return std::pair(one.low, one.high); };
  std::ranges::sort(strangers_, {}, order);
  std::erase_if(unmet_, [&](const KnownRow& known) {
    return std::ranges::binary_search(strangers_, order(known.key), {}, order);
  });
  gone_ = 0;
  for (const auto& known : unmet_) {
    ++gone_;
    ++fewer_;
    on_gone_(known);
  }
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    if (touched_[i].state == State::absent) {
      fewer_ -= touched_met_[i] ? 1 : 0;
    } else if (touched_[i].state != State::gone) {
      fewer_ += touched_met_[i] ? 0 : 1;
    }
    if (!touched_met_[i] && touched_[i].state != State::gone) {
      ++gone_;
      on_gone_(touched_[i].known);
    } else if (touched_met_[i] && touched_[i].state == State::gone) {
      touched_met_[i] = false;  // the row is there again, as a candidate
    }
  }
  let_go();
}

void CacheMatch::finish_without_deletes() {
  for (std::size_t i = 0; i < touched_.size(); ++i) {
    touched_met_[i] = touched_[i].state != State::gone;
  }
  let_go();
}

// What is kept ------------------------------------------------------------------------------------

/// What the next run has to know besides the main file.
CacheMatch::Touched CacheMatch::touched_after(const Unsettled& unsettled) {
  Touched touched;
  const auto put = [&](State state, const KnownRow& known) {
    touched.insert_or_assign(known.key, TouchedRow{.state = state, .known = known});
  };
  if (spool_) {
    for (const auto& row : merge_spool()) {
      put(row.state, row.known);
    }
  } else if (!writer_) {
    for (std::size_t i = 0; i < touched_.size(); ++i) {
      // where every row was compared, one that is still there is in `added_` now
      put(whole_ || !touched_met_[i] ? State::gone : touched_[i].state, touched_[i].known);
    }
    for (const auto& known : unmet_) {
      put(State::gone, known);
    }
    for (const auto& added : added_) {
      put(State::settled, added.known);
    }
  }
  for (const auto& known : unsettled.absent) {
    put(State::absent, known);
  }
  for (const auto& known : unsettled.open) {
    put(State::open, known);
  }
  return touched;
}

bool CacheMatch::as_before(const Touched& touched) const {
  return touched.size() == touched_.size() &&
         std::ranges::all_of(touched_, [&](const TouchedRow& old) {
           const auto found = touched.find(old.known.key);
           return found != touched.end() && found->second.state == old.state &&
                  (old.state != State::settled || found->second.known.row == old.known.row);
         });
}

void CacheMatch::write_touched(const Touched& touched, state::CachedTable& table) {
  table.touched.clear();
  table.touched_rows = static_cast<std::int64_t>(touched.size());
  if (touched.empty()) {
    return;
  }
  table.touched = cache_.new_name("touched", tracked_);
  state::KnownRowWriter file(cache_, table.touched);
  for (const auto& [key, row] : touched) {
    file.add(row);
  }
  file.finish();
}

std::optional<state::CachedTable> CacheMatch::save(const Unsettled& unsettled) {
  if (overflowed_ || unsettled.open.size() + unsettled.absent.size() > kMostTouched) {
    return std::nullopt;
  }
  const auto touched = touched_after(unsettled);
  state::CachedTable table;
  if (cached_ != nullptr) {
    table = *cached_;
  }
  if (!writer_) {
    const auto most = std::max(kFewTouched, table.main_rows / kTouchedShare);
    if (whole_ && static_cast<std::int64_t>(touched.size()) > most &&
        touched.size() > unsettled.open.size() + unsettled.absent.size()) {
      rewrite();
      return save(unsettled);
    }
    if (touched.size() > kMostTouched) {
      return std::nullopt;
    }
  }
  if (writer_) {
    writer_->finish();
    table.main = new_main_;
    table.main_rows = new_main_rows_;
  } else if (as_before(touched)) {
    return table;
  }
  write_touched(touched, table);
  return table;
}

}  // namespace abgleich::sync
