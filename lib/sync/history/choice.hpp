// Which of the open conflicts a person means, and what was decided about each of them.
#pragma once

#include "sync/history/resolve.hpp"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace abgleich::sync {

class Choice {
 public:
  /// Throws Failure{usage} for an id that is too short. REQUIRES: `resolution` outlives this.
  explicit Choice(const Resolution& resolution);

  bool takes(const std::string& id, const std::string& table);
  /// The side for a conflict for which `takes` was true.
  [[nodiscard]] Take side_of(const std::string& id) const;

  /// Whether an id was not found. Then `check` needs to `know` what is open.
  [[nodiscard]] bool lacks_some() const;
  void know(const report::Change& open);

  /// Ids that were not found, and those that mean several conflicts. From a file of decisions such
  /// ids are added to `left`; otherwise throws Failure{usage}.
  void check(std::vector<Left>& left) const;

  /// Gives what is left the lines of the file of decisions, and puts it into their order.
  void put_in_order(std::vector<Left>& left) const;

 private:
  /// What a file of decisions says about one conflict.
  struct Decided {
    Take side = Take::secondary;
    std::int64_t line = 0;
    std::int64_t contradicted = -1;  // the line that says otherwise; -1: none does
  };

  [[nodiscard]] bool from_file() const { return !resolution_.decisions.empty(); }
  void leave_unfound(std::vector<Left>& left) const;
  /// The conflict that the row of `id` has now, and what that looks like; empty: none.
  [[nodiscard]] std::pair<std::string, std::string> now_of(const std::string& id) const;
  void refuse_changed(const std::string& id) const;
  [[nodiscard]] std::string near_text(const std::string& prefix) const;

  const Resolution& resolution_;
  std::map<std::string, int> found_;                       // how many conflicts each id means
  std::map<std::string, Decided> decisions_;               // by id
  std::vector<std::pair<std::string, std::string>> open_;  // id, what it looks like
};

}  // namespace abgleich::sync
