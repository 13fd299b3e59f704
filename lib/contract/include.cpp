#include "contract/include.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace abgleich::contract {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kInclude = "include";

/// What a peer gets and what is taken from it stands in one section whole: who writes a section
/// without `sends` must not send because of another file. Sections of a file that fit the same peer
/// do not add up either.
constexpr std::string_view kPeers = "peers";

/// Two ways to say where the key comes from: a configuration with one of them does not inherit the
/// other.
constexpr std::array<std::string_view, 2> kWhereTheKeyIs{"file", "credential"};

bool says_where_the_key_is(const Member& member) {
  return std::ranges::find(kWhereTheKeyIs, member.name) != kWhereTheKeyIs.end();
}

std::optional<fs::path> include_of(const Node& root, const fs::path& file) {
  const Member* include = root.find(kInclude);
  if (include == nullptr) {
    return std::nullopt;
  }
  return (fs::absolute(file).parent_path() /
          name_of(*include, "include = \"/etc/abgleich/common.toml\""))
      .lexically_normal();
}

void add_missing(Node& own, Node shared, std::string_view section) {
  const bool key_is_said =
      section == "keys" && std::ranges::any_of(own.members, says_where_the_key_is);
  for (auto& member : shared.members) {
    const auto there = std::ranges::find(own.members, member.name, &Member::name);
    if (there == own.members.end()) {
      if (!key_is_said || !says_where_the_key_is(member)) {
        own.members.push_back(std::move(member));
      }
    } else if (section != kPeers && there->value.kind == Node::Kind::table &&
               member.value.kind == Node::Kind::table) {
      add_missing(there->value, std::move(member.value), member.name);
    }
  }
}

}  // namespace

std::optional<fs::path> find_include(std::string_view text, const fs::path& file) {
  return include_of(read_toml(text, file.string()), file);
}

Node with_included(Node own, const fs::path& file) {
  const auto included = include_of(own, file);
  if (!included) {
    return own;
  }
  const auto place = own.find(kInclude)->value.place;
  std::error_code error;
  if (!fs::exists(*included, error)) {
    refuse(place, fmt::format("no file {}, which 'include' names", in_quotes(included->string())),
           "correct the path: it is relative to the file that it stands in");
  }
  auto shared = read_toml(read_text(*included), included->string());
  if (const Member* again = shared.find(kInclude)) {
    refuse(again->place,
           fs::equivalent(*included, file, error) ? "a configuration includes itself"
                                                  : "a file that is included includes another one",
           "write all that is shared into one file");
  }
  if (shared.find("format") != nullptr) {
    refuse(place,
           fmt::format("{} is a contract, and no configuration", in_quotes(included->string())),
           "include what several configurations share; a contract is named by contract = \"…\"");
  }
  add_missing(own, std::move(shared), {});
  return own;
}

fs::path directory_of(const Place& place) {
  return fs::absolute(place.file).parent_path();
}

}  // namespace abgleich::contract
