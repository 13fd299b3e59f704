// What a reader of a hint does: runs its commands as they stand, pastes its lines into the
// contract, and nothing else.
#pragma once

#include "support/pairing.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

namespace abgleich::test {

/// The program's commands in a hint, in their order, as words. What stands for a text of the
/// reader's own is given one.
inline std::vector<std::vector<std::string>> commands_in(const std::string& hint) {
  std::vector<std::vector<std::string>> commands;
  const std::string program = "abgleich ";
  for (auto at = hint.find(program); at != std::string::npos; at = hint.find(program, at)) {
    at += program.size();
    auto text = hint.substr(at, hint.find_first_of(";,\n()", at) - at);
    text = text.substr(0, text.find(". "));
    std::istringstream words(text);
    std::vector<std::string> command;
    for (std::string word; words >> word;) {
      if (word == "carries" || word == "finds") {
        break;  // the command is the subject of a sentence
      }
      command.push_back(word == "TEXT" ? "as the hint says" : word);
    }
    commands.push_back(command);
  }
  return commands;
}

struct Scene : Pairing {
  using Pairing::Pairing;

  /// What `sync` is refused with, or what it says needs a decision.
  std::string refusal(int code) {
    const auto line = sync();
    CHECK_MESSAGE(line["exit"] == code, line.dump());
    REQUIRE_MESSAGE(line["error"].is_object(), line.dump());
    return line["error"]["hint"];
  }

  /// The hint of the event of this kind; `sync` and `drift` say the same of it.
  std::string drift_hint(const std::string& kind, const std::string& verdict = "block") {
    std::string hint;
    const auto ran = run({"drift", "--json"});
    CHECK_MESSAGE(ran.exit == 0, ran.err);
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      const auto event = nlohmann::json::parse(line);
      if (event["kind"] == kind && hint.empty()) {
        CHECK_MESSAGE(event["verdict"] == verdict, line);
        hint = event["hint"];
      }
    }
    REQUIRE_MESSAGE(!hint.empty(), ran.out, ran.err);
    return hint;
  }

  /// Runs the hint's command of this name.
  Ran follow(const std::string& hint, const std::string& name, const std::string& subname = {}) {
    for (const auto& command : commands_in(hint)) {
      if (command.front() == name &&
          (subname.empty() || (command.size() > 1 && command[1] == subname))) {
        return run(command);
      }
    }
    FAIL("the hint has no command '", name, " ", subname, "': ", hint);
    return {};
  }
  /// The same, and it succeeds.
  void obey(const std::string& hint, const std::string& name, const std::string& subname = {}) {
    const auto ran = follow(hint, name, subname);
    CHECK_MESSAGE((ran.exit == 0 || ran.exit == 11), hint, ran.out, ran.err);
  }

  [[nodiscard]] std::string contract() const {
    return read_file(directory.path() / "contract.toml");
  }
  /// Puts `by` in the place of the first `text`; nothing for a whole line.
  void edit_contract(const std::string& text, const std::string& by) const {
    auto whole = contract();
    const auto at = whole.find(text);
    REQUIRE_MESSAGE(at != std::string::npos, text, " in ", whole);
    write_file(directory.path() / "contract.toml", whole.replace(at, text.size(), by));
  }
  /// What the hint says between two of its own words.
  static std::string between(const std::string& hint, const std::string& from,
                             const std::string& to) {
    const auto at = hint.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, from, " in ", hint);
    const auto begin = at + from.size();
    return hint.substr(begin, to.empty() ? std::string::npos : hint.find(to, begin) - begin);
  }
  /// Everything is done: the next run finds nothing, and the sides agree.
  void all_is_well(int code = 0) {
    const auto line = sync();
    CHECK_MESSAGE(line["exit"] == code, line.dump());
    CHECK(line["error"].is_null());
    const auto verified = run({"verify", "--exit-code"});
    CHECK_MESSAGE(verified.exit == 0, verified.out, verified.err);
  }
};

}  // namespace abgleich::test
