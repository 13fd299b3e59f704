#include "db/postgresql/copy_sender.hpp"

#include <system_error>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

constexpr std::size_t kMostWaiting = 2;
/// The memory of a larger batch, which had a giant row, goes back to the system.
constexpr std::size_t kMostKept = std::size_t{4} << 20U;

}  // namespace

CopySender::CopySender(std::function<void(const CopyBatch&)> run) : run_(std::move(run)) {}

CopySender::~CopySender() {
  {
    const std::lock_guard lock(mutex_);
    waiting_.clear();
    ending_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void CopySender::rethrow() {
  if (failure_) {
    std::rethrow_exception(std::exchange(failure_, nullptr));
  }
}

void CopySender::send(CopyBatch&& batch) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { work(); });
    } catch (const std::system_error&) {  // no threads here: then one after the other
      run_(batch);
      return;
    }
  }
  changed_.wait(lock, [&] { return failure_ || waiting_.size() < kMostWaiting; });
  rethrow();
  waiting_.push_back(std::move(batch));
  changed_.notify_all();
}

std::string CopySender::spare() {
  const std::lock_guard lock(mutex_);
  std::string bytes;
  if (!spares_.empty()) {
    bytes = std::move(spares_.back());
    spares_.pop_back();
  }
  return bytes;
}

void CopySender::wait() noexcept {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !sending_ && waiting_.empty(); });
}

void CopySender::rest() {
  wait();
  rethrow();
}

void CopySender::forget() noexcept {
  std::unique_lock lock(mutex_);
  waiting_.clear();
  changed_.wait(lock, [&] { return !sending_; });
  failure_ = nullptr;
}

void CopySender::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (ending_) {
      return;
    }
    auto batch = std::move(waiting_.front());
    waiting_.pop_front();
    sending_ = true;
    changed_.notify_all();
    lock.unlock();
    std::exception_ptr failure;
    try {
      run_(batch);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    sending_ = false;
    if (failure) {
      failure_ = std::move(failure);
      waiting_.clear();
    } else if (spares_.size() < kMostWaiting && batch.bytes.capacity() <= kMostKept) {
      batch.bytes.clear();
      spares_.push_back(std::move(batch.bytes));
    }
    changed_.notify_all();
  }
}

}  // namespace abgleich::db::postgresql
