#include "sync/history/choice.hpp"

#include "contract/words.hpp"
#include "journal/record.hpp"
#include "report/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace abgleich::sync {

namespace {

constexpr std::size_t kShortestPrefix = 4;

}  // namespace

Choice::Choice(const Resolution& resolution) : resolution_(resolution) {
  for (const auto& id : resolution.ids) {
    if (id.size() < kShortestPrefix) {
      throw Failure(Code::usage, fmt::format("'{}' is too short for a conflict's id", id),
                    "give at least four characters; see them: abgleich conflicts");
    }
    found_[id] = 0;
  }
  for (const auto& decision : resolution.decisions) {
    const auto side = decision.side == journal::Side::primary ? Take::primary : Take::secondary;
    const auto [known, is_new] =
        decisions_.try_emplace(decision.id, Decided{.side = side, .line = decision.line});
    if (!is_new && known->second.side != side) {
      known->second.contradicted = decision.line;
    }
    found_[decision.id] = 0;
  }
}

bool Choice::takes(const std::string& id, const std::string& table) {
  if (from_file()) {
    const auto found = found_.find(id);
    if (found == found_.end()) {
      return false;
    }
    ++found->second;
    return decisions_.at(id).contradicted < 0;
  }
  if (resolution_.ids.empty()) {
    return resolution_.table.empty() || resolution_.table == table;
  }
  for (auto& [prefix, count] : found_) {
    if (id.starts_with(prefix)) {
      ++count;
      return true;
    }
  }
  return false;
}

Take Choice::side_of(const std::string& id) const {
  return from_file() ? decisions_.at(id).side : resolution_.take;
}

bool Choice::lacks_some() const {
  return std::ranges::any_of(found_, [](const auto& entry) { return entry.second == 0; });
}

void Choice::know(const report::Change& open) {
  open_.emplace_back(open.id, report::one_line(open));
}

void Choice::check(std::vector<Left>& left) const {
  if (from_file()) {
    leave_unfound(left);
    return;
  }
  for (const auto& [prefix, count] : found_) {
    if (count == 0) {
      refuse_changed(prefix);
      throw Failure(Code::usage, fmt::format("no open conflict has the id '{}'", prefix),
                    near_text(prefix) +
                        "it may have closed or changed since; see what is open: abgleich "
                        "conflicts. Nothing was changed");
    }
    if (count > 1) {
      throw Failure(Code::usage, fmt::format("'{}' is the beginning of several ids", prefix),
                    "give more of its characters: abgleich conflicts. Nothing was changed");
    }
  }
}

void Choice::leave_unfound(std::vector<Left>& left) const {
  for (const auto& [id, count] : found_) {
    const auto& decided = decisions_.at(id);
    if (count > 0 && decided.contradicted < 0) {
      continue;
    }
    Left one{.id = id, .why = {}, .now = std::nullopt};
    if (count > 0) {
      one.why = decided.contradicted == 0
                    ? "it is decided twice, and differently"
                    : fmt::format("it is decided twice, and differently: see line {}",
                                  decided.contradicted);
    } else if (const auto [now, state] = now_of(id); !now.empty()) {
      one.why = fmt::format("it has changed since it was shown; it is now '{}': {}", now, state);
    } else {
      one.why = "no open conflict has this id; it was decided or has closed since";
      one.open = false;
    }
    left.push_back(std::move(one));
  }
}

void Choice::put_in_order(std::vector<Left>& left) const {
  for (auto& one : left) {
    const auto decided = decisions_.find(one.id);
    one.line = decided == decisions_.end() ? 0 : decided->second.line;
  }
  if (from_file()) {
    std::ranges::stable_sort(left, {}, [](const Left& one) { return std::tie(one.line, one.id); });
  }
}

std::pair<std::string, std::string> Choice::now_of(const std::string& id) const {
  if (id.size() == 2 * journal::kConflictIdHalf) {
    const auto is_same_row = [&](const auto& entry) {
      return entry.first.ends_with(std::string_view(id).substr(journal::kConflictIdHalf));
    };
    const auto found = std::ranges::find_if(open_, is_same_row);
    // half an id can be that of several rows: then nobody knows which is meant
    if (found != open_.end() && std::none_of(found + 1, open_.end(), is_same_row)) {
      return *found;
    }
  }
  return {};
}

/// Throws Failure where the row of this conflict now has another one: the second half of its id is
/// the same.
void Choice::refuse_changed(const std::string& id) const {
  if (const auto [now, state] = now_of(id); !now.empty()) {
    throw Failure(Code::usage,
                  fmt::format("conflict '{}' has changed since it was shown; it is now '{}': {}",
                              id, now, state),
                  fmt::format("if that is still what you want: abgleich resolve {} …. Nothing "
                              "was changed",
                              now));
  }
}

std::string Choice::near_text(const std::string& prefix) const {
  std::vector<std::string_view> words;
  for (const auto& [id, state] : open_) {
    words.push_back(std::string_view(id).substr(0, prefix.size()));
  }
  const auto near = contract::nearest(prefix, words);
  return near ? fmt::format("did you mean '{}'? ", *near) : std::string();
}

}  // namespace abgleich::sync
