// A person who keeps a contract up to date by nothing but what the program says: pastes the lines
// of its hints, runs its commands, and accepts what is left.
#pragma once

#include "support/pairing.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::test {

class Operator {
 public:
  using Json = nlohmann::json;

  explicit Operator(const Pairing& pairing) : pairing_(pairing) {}

  /// What `drift --json` says.
  [[nodiscard]] std::vector<Json> look() const {
    const auto ran = pairing_.run({"drift", "--json"});
    REQUIRE_MESSAGE(ran.exit == 0, ran.err);
    std::vector<Json> events;
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      events.push_back(Json::parse(line));
    }
    return events;
  }

  /// Follows the hints of these events, then accepts. Every table with a key is wanted, and every
  /// column of it.
  void decide(std::vector<Json> events) {
    for (int looks = 1;; ++looks) {
      REQUIRE_MESSAGE(looks < 5, "a dead end: ", Json(events).dump());
      read();
      bool again = false;
      for (const auto& event : events) {
        again = follow_table(event) || again;
      }
      std::vector<std::pair<std::string, std::string>> lines;  // table, line to paste
      for (const auto& event : events) {
        follow_column(event, lines);
      }
      for (const auto& [table, line] : lines) {
        remove(table, name_of(line));
        insert(table, line);
      }
      write();
      add_columns(events);
      if (!again) {
        const auto accepted = pairing_.run({"drift", "accept"});
        REQUIRE_MESSAGE(accepted.exit == 0, accepted.err);
        pairing_.accept_more();
        return;
      }
      events = look();
    }
  }

  /// Writes a table and its key into the contract; `contract add` and hints do the rest.
  void add_table(const std::string& table, const std::vector<std::string>& key,
                 const std::vector<std::string>& columns) {
    read();
    std::string keys;
    for (const auto& name : key) {
      keys += (keys.empty() ? "\"" : ", \"") + name + "\"";
    }
    lines_.push_back("[tables." + table + "]");
    lines_.push_back("key = [" + keys + "]");
    lines_.push_back("[tables." + table + ".columns]");
    for (const auto& name : columns) {
      lines_.push_back(name + " = \"plain\"");
    }
    write();
  }

  /// The columns of a table that the contract has now.
  [[nodiscard]] std::vector<std::string> columns(const std::string& table) {
    read();
    std::vector<std::string> names;
    for (auto at = section(table); at < lines_.size() && lines_[at][0] != '['; ++at) {
      names.push_back(name_of(lines_[at]));
    }
    return names;
  }

  [[nodiscard]] std::set<std::string> tables() {
    read();
    std::set<std::string> names;
    for (const auto& line : lines_) {
      if (line.ends_with(".columns]")) {
        names.insert(line.substr(8, line.size() - 17));
      }
    }
    return names;
  }

 private:
  static std::string name_of(const std::string& line) { return line.substr(0, line.find(" = ")); }

  static std::string word(const Json& event, const char* name) {
    return event[name].is_null() ? std::string() : event[name].get<std::string>();
  }

  void read() {
    lines_.clear();
    std::istringstream text(read_file(pairing_.directory.path() / "contract.toml"));
    for (std::string line; std::getline(text, line);) {
      lines_.push_back(line);
    }
  }

  void write() const {
    std::string text;
    for (const auto& line : lines_) {
      text += line + '\n';
    }
    write_file(pairing_.directory.path() / "contract.toml", text);
  }

  /// The first line of the table's columns.
  [[nodiscard]] std::size_t section(const std::string& table) const {
    const auto found = std::ranges::find(lines_, "[tables." + table + ".columns]");
    REQUIRE_MESSAGE(found != lines_.end(), table);
    return static_cast<std::size_t>(found - lines_.begin()) + 1;
  }

  void remove(const std::string& table, const std::string& column) {
    for (auto at = section(table); at < lines_.size() && lines_[at][0] != '['; ++at) {
      if (name_of(lines_[at]) == column) {
        lines_.erase(lines_.begin() + static_cast<long>(at));
        return;
      }
    }
  }

  void insert(const std::string& table, const std::string& line) {
    lines_.insert(lines_.begin() + static_cast<long>(section(table)), line);
  }

  /// True: the program has more to say of the table once this is written.
  bool follow_table(const Json& event) {
    const auto kind = word(event, "kind");
    const auto hint = word(event, "hint");
    const auto table = word(event, "table");
    const auto at = std::ranges::find(lines_, "[tables." + table + "]") - lines_.begin();
    if (static_cast<std::size_t>(at) == lines_.size()) {
      return false;  // a table that the contract does not name
    }
    static const std::regex kRename(
        R"(in the contract call \[tables\.(.+)\] \[tables\.(.+)\] and add to it: (was = ".+"))");
    std::smatch said;
    if (kind == "renamed_table" && std::regex_match(hint, said, kRename)) {
      REQUIRE(said[1] == table);
      lines_[section(table) - 1] = "[tables." + said[2].str() + ".columns]";
      lines_[static_cast<std::size_t>(at)] = "[tables." + said[2].str() + "]";
      lines_.insert(lines_.begin() + at + 1, said[3].str());
      return true;
    }
    if (kind == "dropped_table") {
      REQUIRE(hint.find("delete it from the contract") != std::string::npos);
      auto end = section(table);
      while (end < lines_.size() && lines_[end][0] != '[') {
        ++end;
      }
      lines_.erase(lines_.begin() + at, lines_.begin() + static_cast<long>(end));
    }
    return false;
  }

  void follow_column(const Json& event, std::vector<std::pair<std::string, std::string>>& lines) {
    const auto kind = word(event, "kind");
    const auto hint = word(event, "hint");
    const auto table = word(event, "table");
    const auto column = word(event, "column");
    if (kind == "dropped_column" && word(event, "verdict") != "info") {
      REQUIRE(hint.find("delete its line from the contract") != std::string::npos);
      remove(table, column);
    } else if ((kind == "renamed_column" || kind == "replaced_column") &&
               hint.find(", was = ") != std::string::npos && hint.ends_with(" }")) {
      if (word(event, "now") != column) {
        remove(table, column);
      }
      lines.emplace_back(table, hint);
    } else if (kind == "unused_was") {
      const auto was = ", was = \"" + word(event, "was") + "\"";
      REQUIRE_MESSAGE(hint.find("delete was = ") == 0, hint);
      for (auto& line : lines_) {
        if (const auto at = line.find(was); at != std::string::npos && name_of(line) == column) {
          line.erase(at, was.size());
        }
      }
    }
  }

  /// The command of the hint, with another class; for the first of several columns: the others get
  /// the same line by hand.
  void add_columns(const std::vector<Json>& events) {
    static const std::regex kAdd("abgleich contract add ([^ ]+) --class withhold");
    bool ran = false;
    for (const auto& event : events) {
      const auto hint = word(event, "hint");
      std::smatch said;
      if (!std::regex_match(hint, said, kAdd)) {
        continue;
      }
      const auto table = word(event, "table");
      const auto column = word(event, "column");
      CHECK(said[1] == table + "." + column);
      if (!std::exchange(ran, true)) {
        const auto added =
            pairing_.run({"contract", "add", said[1].str(), "--class", "plain", "-q"});
        REQUIRE_MESSAGE(added.exit == 0, added.err);
        read();
        CHECK(std::ranges::find(lines_, column + " = \"plain\"") != lines_.end());
      } else {
        insert(table, column + " = \"plain\"");
      }
    }
    write();
  }

  const Pairing& pairing_;
  std::vector<std::string> lines_;
};

}  // namespace abgleich::test
