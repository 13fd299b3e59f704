// What several readers of one table hand to the one that takes its rows: ranges are read at the
// same time, and taken one after the other in their order. Bounded in bytes.
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
    std::size_t place = 0;  // so much of it is the row's place
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
  /// `ranges` are numbered from 0. Readers wait with more than `most_bytes` on the way; only the
  /// reader of the range that is being taken may always add a batch to nothing, so that one goes
  /// on.
  RangeQueue(std::size_t ranges, std::size_t most_bytes);

  /// For readers. The next range that nobody reads yet; empty: there is nothing more to do.
  std::optional<std::size_t> claim();
  /// A batch to fill, empty; with the memory of one that was taken, where there is one.
  LineBatch spare();
  /// False: the rows are not wanted any more.
  [[nodiscard]] bool put(std::size_t range, LineBatch&& batch);
  /// The range is complete.
  void close(std::size_t range);
  /// `take` throws it next.
  void fail(std::exception_ptr why);

  /// For the taker. The next batch in the order of the ranges, in exchange for one that is done
  /// with; false: all ranges are through. Throws what a reader failed with.
  bool take(LineBatch& batch);
  /// Nothing is taken any more.
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
  std::size_t bytes_ = 0;    // on the way
  std::size_t claimed_ = 0;  // how many ranges have a reader, or had
  std::size_t taking_ = 0;   // the range that is being taken
  bool stopped_ = false;
  std::exception_ptr failure_;
};

}  // namespace abgleich::db::postgresql
