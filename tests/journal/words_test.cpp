// The words that the bookkeeping keeps for what is an enumeration here, held against schemas/.

#include "journal/conflict_action.hpp"
#include "journal/quarantine_cause.hpp"
#include "journal/run_kind.hpp"
#include "mask/reason.hpp"
#include "support/places.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace {

using namespace abgleich::journal;
using abgleich::mask::Cause;

std::string schema(const std::string& name) {
  std::ifstream in(std::string(abgleich::test::kSourceTree) + "/schemas/" + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A page as one line, so that where its lines end does not matter.
std::string page() {
  auto text = schema("stored-formats.md");
  std::ranges::replace(text, '\n', ' ');
  return text;
}

/// All words of an enumeration, in its order.
template <class Enumeration, class Word>
std::vector<std::string> words(Word word) {
  std::vector<std::string> all;
  for (int i = 0; !word(static_cast<Enumeration>(i)).empty(); ++i) {
    all.emplace_back(word(static_cast<Enumeration>(i)));
  }
  return all;
}

TEST_CASE("the kinds of run are those of the schema, and of the page on stored formats") {
  auto made = words<RunKind>([](RunKind kind) { return name_of(kind); });
  for (const auto& kind : made) {
    CHECK_MESSAGE(page().find(fmt::format("`{}`", kind)) != std::string::npos, kind);
  }
  const auto json = nlohmann::json::parse(schema("commands.schema.json"));
  auto listed = json["$defs"]["run"]["properties"]["kind"]["enum"].get<std::vector<std::string>>();
  std::ranges::sort(listed);
  std::ranges::sort(made);
  CHECK(made == listed);
  CHECK(is("lay-down", RunKind::lay_down));
  CHECK_FALSE(is("sync", RunKind::lay_down));
}

TEST_CASE("the actions of a conflict are those of the page on stored formats") {
  const auto made = words<ConflictAction>([](ConflictAction action) { return name_of(action); });
  CHECK(made == std::vector<std::string>{"insert", "update", "delete", "partly"});
  const auto text = page();
  const auto line = text.substr(text.find("| `action` |"));
  for (const auto& action : made) {
    CHECK_MESSAGE(line.find(fmt::format("`{}`", action)) < line.find("| `reason` |"), action);
    const auto read = conflict_action_from(action);
    REQUIRE(read.has_value());
    CHECK(name_of(*read) == action);
  }
  CHECK_FALSE(conflict_action_from("").has_value());
  CHECK_FALSE(conflict_action_from("remove").has_value());
}

TEST_CASE("a cause of quarantine is told by its words, which are those of the page") {
  using Of = QuarantineCause;
  for (const auto& [cause, detail, written] : std::vector<std::tuple<Of, std::string, std::string>>{
           {Of::refused_by_type, "SQLSTATE", "the secondary's types refuse it (SQLSTATE)"},
           {Of::repeated_key, "", "the key occurs more than once"},
           {Of::taken, "NAME", "the row with this key is another peer's, of the bookkeeping NAME"},
           {Of::rare, "N", "fewer than N subjects share its quasi-identifiers"},
           {Of::belongs_to_rare, "", "it belongs to a row that min_k holds back"}}) {
    CHECK(text_of(cause, detail) == written);
    CHECK_MESSAGE(page().find(fmt::format("`{}`", written)) != std::string::npos, written);
    CHECK(quarantine_cause_of(written) == cause);
    CHECK_FALSE(is_still_there(written));
    CHECK(is_still_there(still_there(written)));
    CHECK(quarantine_cause_of(still_there(written)) == cause);
    CHECK(is_rarity(written) == (cause == Of::rare || cause == Of::belongs_to_rare));
  }
  CHECK_MESSAGE(page().find(fmt::format("`{}`", still_there(""))) != std::string::npos,
                "still there");
}

TEST_CASE("causes of a value are told apart, and no other cause is taken for one") {
  const auto made = words<Cause>([](Cause cause) { return abgleich::mask::text_of(cause); });
  CHECK(made.size() == static_cast<std::size_t>(Cause::unknown_token) + 1);
  CHECK(std::set<std::string>(made.begin(), made.end()).size() == made.size());
  for (const auto& words_of_it : made) {
    CHECK(quarantine_cause_of(words_of_it) == QuarantineCause::value);
    CHECK(text_of(QuarantineCause::value, words_of_it) == words_of_it);
  }
}

}  // namespace
