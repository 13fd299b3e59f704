#include "db/postgresql/range_queue.hpp"

#include <utility>

namespace abgleich::db::postgresql {

RangeQueue::RangeQueue(std::size_t ranges, std::size_t most_bytes)
    : ranges_(ranges), most_bytes_(most_bytes) {}

std::optional<std::size_t> RangeQueue::claim() {
  const std::lock_guard lock(mutex_);
  if (stopped_ || failure_ || claimed_ == ranges_.size()) {
    return std::nullopt;
  }
  return claimed_++;
}

LineBatch RangeQueue::spare() {
  const std::lock_guard lock(mutex_);
  if (spares_.empty()) {
    return {};
  }
  auto batch = std::move(spares_.back());
  spares_.pop_back();
  return batch;
}

bool RangeQueue::put(std::size_t range, LineBatch&& batch) {
  std::unique_lock lock(mutex_);
  auto& into = ranges_[range];
  room_.wait(lock, [&] {
    return stopped_ || failure_ || bytes_ < most_bytes_ ||
           (range == taking_ && into.batches.empty());
  });
  if (stopped_ || failure_) {
    return false;
  }
  bytes_ += batch.text.size();
  into.batches.push_back(std::move(batch));
  if (range == taking_) {
    news_.notify_one();
  }
  return true;
}

void RangeQueue::close(std::size_t range) {
  const std::lock_guard lock(mutex_);
  ranges_[range].closed = true;
  if (range == taking_) {
    news_.notify_one();
  }
}

void RangeQueue::fail(std::exception_ptr why) {
  const std::lock_guard lock(mutex_);
  if (!failure_) {
    failure_ = std::move(why);
  }
  news_.notify_one();
  room_.notify_all();
}

bool RangeQueue::take(LineBatch& batch) {
  std::unique_lock lock(mutex_);
  if (batch.text.capacity() > 0 && batch.text.capacity() <= most_bytes_) {  // no giant row
    batch.clear();
    spares_.push_back(std::move(batch));
  }
  for (; taking_ < ranges_.size(); ++taking_) {
    auto& from = ranges_[taking_];
    if (from.batches.empty() && !from.closed) {
      room_.notify_all();  // the reader of this range may now add one, however full the queue is
      news_.wait(lock, [&] { return failure_ || !from.batches.empty() || from.closed; });
    }
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    if (!from.batches.empty()) {
      batch = std::move(from.batches.front());
      from.batches.pop_front();
      bytes_ -= batch.text.size();
      room_.notify_all();
      return true;
    }
  }
  return false;
}

void RangeQueue::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  room_.notify_all();
}

}  // namespace abgleich::db::postgresql
