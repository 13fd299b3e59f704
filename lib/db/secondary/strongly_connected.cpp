#include "db/secondary/strongly_connected.hpp"

#include <algorithm>
#include <limits>

namespace abgleich::db {

namespace {

constexpr std::size_t kUnseen = std::numeric_limits<std::size_t>::max();

/// Without recursion: a cycle may be as long as a table.
class Search {
 public:
  explicit Search(const std::vector<std::vector<std::size_t>>& needs)
      : needs_(needs), seen_(needs.size(), kUnseen), low_(needs.size()), open_(needs.size()) {}

  std::vector<std::vector<std::size_t>> run() {
    for (std::size_t row = 0; row < needs_.size(); ++row) {
      if (seen_[row] == kUnseen) {
        from(row);
      }
    }
    return std::move(found_);
  }

 private:
  struct Step {
    std::size_t row;
    std::size_t next = 0;  // index of the next one in its needs
  };

  void enter(std::size_t row) {
    seen_[row] = low_[row] = count_++;
    open_[row] = true;
    waiting_.push_back(row);
    path_.push_back({row});
  }

  void from(std::size_t start) {
    enter(start);
    while (!path_.empty()) {
      auto& step = path_.back();
      if (step.next == needs_[step.row].size()) {
        const auto row = step.row;
        path_.pop_back();
        if (!path_.empty()) {
          auto& before = low_[path_.back().row];
          before = std::min(before, low_[row]);
        }
        if (low_[row] == seen_[row]) {
          close(row);
        }
        continue;
      }
      const auto needed = needs_[step.row][step.next++];
      if (seen_[needed] == kUnseen) {
        enter(needed);
      } else if (open_[needed]) {
        low_[step.row] = std::min(low_[step.row], seen_[needed]);
      }
    }
  }

  /// All rows that wait, from `row` on, are one group.
  void close(std::size_t row) {
    std::vector<std::size_t> group;
    do {
      group.push_back(waiting_.back());
      open_[waiting_.back()] = false;
      waiting_.pop_back();
    } while (group.back() != row);
    if (group.size() > 1) {
      std::ranges::sort(group);
      found_.push_back(std::move(group));
    }
  }

  const std::vector<std::vector<std::size_t>>& needs_;
  std::vector<std::size_t> seen_;
  std::vector<std::size_t> low_;
  std::vector<bool> open_;
  std::vector<std::size_t> waiting_;
  std::vector<Step> path_;
  std::size_t count_ = 0;
  std::vector<std::vector<std::size_t>> found_;
};

}  // namespace

std::vector<std::vector<std::size_t>> strongly_connected(
    const std::vector<std::vector<std::size_t>>& needs) {
  return Search(needs).run();
}

}  // namespace abgleich::db
