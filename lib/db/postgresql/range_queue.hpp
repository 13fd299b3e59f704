// A queue between several readers of one table and the one thread that takes its rows. Ranges are
// read at the same time, and taken one after the other, in their order. Limited in bytes.
#pragma once

#include "core/fingerprint.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db::postgresql {

/// Lines of COPY one behind the other, and what is known of each.
struct LineBatch {
  struct Line {
    std::size_t begin = 0;  // in text
    std::size_t size = 0;
    std::size_t place = 0;  // how many of its first bytes are the row's place
    Fingerprint row;
    Fingerprint key;
  };
  std::string text;
  std::vector<Line> lines;

  void clear() {
    text.clear();
    lines.clear();
  }
};

/// For any number of readers and one taker. No call waits for ever as long as every reader that has
/// claimed a range closes it, fails, or is told to stop.
class RangeQueue {
 public:
  /// `ranges` are numbered from 0. Readers wait while `most_bytes` or more are queued. Only the
  /// reader of the range that is being taken may always add a batch where that range has none, so
  /// that the taker always gets one.
  RangeQueue(std::size_t ranges, std::size_t most_bytes);

  /// For readers. The next range that nobody reads yet; empty: there is nothing more to do.
  std::optional<std::size_t> claim();
  /// An empty batch to fill, with the memory of one that was taken, where there is one.
  LineBatch spare();
  /// Adds a batch; while the queue is full, waits. False: the rows are no longer wanted.
  [[nodiscard]] bool put(std::size_t range, LineBatch&& batch);
  /// The range is complete.
  void close(std::size_t range);
  /// The next `take` throws this; all readers stop.
  void fail(std::exception_ptr why);

  /// For the taker. Gives the next batch in the order of the ranges, and takes back the memory of
  /// the one that `batch` was. False: there is none left. Throws what a reader failed with.
  bool take(LineBatch& batch);
  /// For the taker, when it wants no more: all readers stop.
  void stop();

 private:
  struct Range {
    std::deque<LineBatch> batches;
    bool closed = false;
  };

  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable news_;
  std::vector<Range> ranges_;
  std::vector<LineBatch> spares_;
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;    // queued
  std::size_t claimed_ = 0;  // how many ranges have a reader, or had
  std::size_t taking_ = 0;   // the range that is being taken
  bool stopped_ = false;
  std::exception_ptr failure_;
};

}  // namespace abgleich::db::postgresql
