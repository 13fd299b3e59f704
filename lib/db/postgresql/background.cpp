#include "db/postgresql/background.hpp"

#include <system_error>
#include <utility>

namespace abgleich::db::postgresql {

Background::~Background() {
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

void Background::rethrow() {
  if (failure_) {
    std::rethrow_exception(std::exchange(failure_, nullptr));
  }
}

void Background::post(std::function<void()> work) {
  std::unique_lock lock(mutex_);
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread([this] { this->work(); });
    } catch (const std::system_error&) {  // no thread can be made: do it here
      lock.unlock();                      // the work may call `wait` or `rest`
      work();
      return;
    }
    worker_ = thread_.get_id();
  }
  changed_.wait(lock, [&] { return failure_ || waiting_.size() < most_waiting_; });
  rethrow();
  waiting_.push_back(std::move(work));
  changed_.notify_all();
}

void Background::wait() noexcept {
  if (is_worker()) {
    return;
  }
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !working_ && waiting_.empty(); });
}

void Background::rest() {
  if (is_worker()) {
    return;
  }
  wait();
  rethrow();
}

void Background::forget() noexcept {
  std::unique_lock lock(mutex_);
  waiting_.clear();
  changed_.wait(lock, [&] { return !working_; });
  failure_ = nullptr;
}

void Background::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !waiting_.empty(); });
    if (ending_) {
      return;
    }
    auto piece = std::move(waiting_.front());
    waiting_.pop_front();
    working_ = true;
    changed_.notify_all();
    lock.unlock();
    std::exception_ptr failure;
    try {
      piece();
    } catch (...) {
      failure = std::current_exception();
    }
    piece = nullptr;
    lock.lock();
    working_ = false;
    if (failure) {
      failure_ = std::move(failure);
      waiting_.clear();
    }
    changed_.notify_all();
  }
}

}  // namespace abgleich::db::postgresql
