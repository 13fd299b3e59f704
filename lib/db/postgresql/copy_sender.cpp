#include "db/postgresql/copy_sender.hpp"

#include <memory>
#include <utility>

namespace abgleich::db::postgresql {

namespace {

constexpr std::size_t kMostWaiting = 2;
/// In bytes. A batch has more only because of a giant row; its memory is freed, not used again.
constexpr std::size_t kMostKept = std::size_t{4} << 20U;

}  // namespace

CopySender::CopySender(std::function<void(const CopyBatch&)> run)
    : run_(std::move(run)), sending_(kMostWaiting) {}

void CopySender::send(CopyBatch&& batch) {
  sending_.post([this, piece = std::make_shared<CopyBatch>(std::move(batch))] {
    run_(*piece);
    keep(std::move(piece->bytes));
  });
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

void CopySender::keep(std::string&& bytes) {
  const std::lock_guard lock(mutex_);
  if (spares_.size() < kMostWaiting && bytes.capacity() <= kMostKept) {
    spares_.push_back(std::move(bytes));
    spares_.back().clear();
  }
}

}  // namespace abgleich::db::postgresql
