// A TOML document with the place of everything in it, in the order in which it is written, for
// parsers that must say where an error is and what to write instead.
#pragma once

#include "contract/place.hpp"
#include "contract/words.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::contract {

struct Member;

/// A value; `kind` says which of the fields holds it.
struct Node {
  enum class Kind : std::uint8_t { text, integer, real, boolean, time, list, table };

  Kind kind = Kind::table;
  Place place;
  std::string text;
  std::int64_t integer = 0;
  bool boolean = false;
  std::vector<Node> items;      // of a list
  std::vector<Member> members;  // of a table, as written

  [[nodiscard]] const Member* find(std::string_view name) const;
};

/// `name = value`, or `[name]`.
struct Member {
  std::string name;
  Place place;  // of the name
  Node value;
};

/// A string of a list, and its place.
struct Named {
  std::string name;
  Place place;
};

/// Throws Failure{configuration}: "FILE:LINE:COLUMN: MESSAGE".
[[noreturn]] void refuse(const Place& place, std::string_view message, std::string hint);

/// Parses TOML. Refuses what is not TOML or not UTF-8, and nesting that no document of ours has.
Node read_toml(std::string_view text, const std::string& file);

/// The bytes of a configuration file. Refuses a file that cannot be read or is larger than 16 MiB.
std::string read_text(const std::filesystem::path& file);

/// The value of the member. Refuses a value of another type; `example` is the line to write
/// instead.
const Node& table_of(const Member& member, std::string_view example);
const std::string& text_of(const Member& member, std::string_view example);
bool boolean_of(const Member& member, std::string_view example);
std::vector<Named> texts_of(const Member& member, std::string_view example);
std::vector<Named> texts_of(const Node& list, std::string_view what, std::string_view example);

/// A string that is a name: not empty, no NUL.
const std::string& name_of(const Member& member, std::string_view example);
void expect_name(std::string_view name, const Place& place, std::string_view what);

/// Refuses a key of `table` that is not in `known`; `where` is what the table is ("[keys]").
void expect_only(const Node& table, Words known, std::string_view where);

/// The position of the member's string in `words`. Refuses any other string; `what` is the kind of
/// word ("class").
std::size_t word_of(const Member& member, Words words, std::string_view what);
/// "did you mean 'x'? " where one is near, then `rest`.
std::string suggestion(std::string_view word, Words words, std::string_view rest);

}  // namespace abgleich::contract
