#include "contract/document.hpp"

#include "core/error.hpp"
#include "core/shortage.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <tuple>

namespace abgleich::contract {

namespace {

// The deepest value in a document of ours is tables.T.columns.C.codes[i].
constexpr int kDeepest = 16;
// The TOML library recurses once per dot: a very long dotted key would exhaust the stack.
constexpr int kMostDots = 64;
constexpr std::size_t kLargestFile = 16U << 20U;

Place place_of(const toml::source_region& region, const std::string& file) {
  return {.file = file,
          .line = std::max(1U, static_cast<unsigned>(region.begin.line)),
          .column = std::max(1U, static_cast<unsigned>(region.begin.column))};
}

/// The place of a byte: columns count characters, not bytes.
Place place_at(std::string_view text, std::size_t offset, const std::string& file) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
  const auto is_character = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  return {.file = file,
          .line = static_cast<unsigned>(std::ranges::count(before, '\n')) + 1,
          .column = static_cast<unsigned>(
                        std::ranges::count_if(before.substr(line_start), is_character)) +
                    1};
}

/// Refuses what the library does not check, and what would crash it.
void expect_parsable(std::string_view text, const std::string& file) {
  if (const std::size_t valid = valid_utf8(text); valid < text.size()) {
    refuse(place_at(text, valid, file), "not valid UTF-8", "save the file as UTF-8");
  }
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    refuse(place_at(text, nul, file), "NUL character", "delete it: this must be a text file");
  }
  int dots = 0;
  char quote = 0;
  bool comment = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      dots = 0;
      quote = 0;
      comment = false;
    } else if (comment || (quote == '"' && c == '\\')) {
      i += !comment && i + 1 < text.size() && text[i + 1] != '\n' ? 1 : 0;
    } else if (quote != 0) {
      quote = c == quote ? char{0} : quote;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      comment = true;
    } else if (c == '.' && ++dots > kMostDots) {
      refuse(place_at(text, i, file), "dotted key without end",
             "put names that contain dots in quotes");
    }
  }
}

/// The library's message about a syntax error, without the piece of the text that some messages
/// quote.
std::string syntax_message(std::string_view description) {
  constexpr std::string_view kOpening = "Error while parsing ";
  std::string text(description);
  if (text.starts_with(kOpening)) {
    text.erase(0, kOpening.size());
  }
  std::string shown;
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t open = text.find('\'', i);
    const std::size_t close =
        open == std::string::npos ? std::string::npos : text.find('\'', open + 1);
    if (close == std::string::npos || text.find("cannot ") != std::string::npos) {
      break;
    }
    shown += text.substr(i, open - i);
    shown += close - open <= 3 ? text.substr(open, close - open + 1) : "something else";
    i = close + 1;
  }
  shown += text.substr(i);
  std::erase(shown, '\n');
  return "not valid TOML: " + shown;
}

Node convert(const toml::node& node, const std::string& file, int depth) {
  Node out;
  out.place = place_of(node.source(), file);
  if (depth > kDeepest) {
    refuse(out.place, "nested too deeply", "put names that contain dots in quotes");
  }
  if (const toml::table* table = node.as_table()) {
    out.kind = Node::Kind::table;
    for (const auto& [key, value] : *table) {
      out.members.push_back({.name = std::string(key.str()),
                             .place = place_of(key.source(), file),
                             .value = convert(value, file, depth + 1)});
    }
    // The library sorts by name. This restores the order of the file, which is the order of the
    // columns.
    std::ranges::sort(out.members, {}, [](const Member& member) {
      return std::tie(member.place.line, member.place.column);
    });
  } else if (const toml::array* array = node.as_array()) {
    out.kind = Node::Kind::list;
    for (const toml::node& item : *array) {
      out.items.push_back(convert(item, file, depth + 1));
    }
  } else if (const auto* text = node.as_string()) {
    out.kind = Node::Kind::text;
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.kind = Node::Kind::integer;
    out.integer = integer->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out.kind = Node::Kind::boolean;
    out.boolean = boolean->get();
  } else {
    out.kind = node.is_floating_point() ? Node::Kind::real : Node::Kind::time;
  }
  return out;
}

std::string_view described(Node::Kind kind) {
  switch (kind) {
    case Node::Kind::text:
      return "a string";
    case Node::Kind::integer:
      return "an integer";
    case Node::Kind::real:
      return "a number with a fraction";
    case Node::Kind::boolean:
      return "true or false";
    case Node::Kind::time:
      return "a date or time";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::table:
      break;
  }
  return "a table";
}

void expect_kind(const Member& member, Node::Kind kind, std::string_view wanted,
                 std::string_view example) {
  if (member.value.kind != kind) {
    refuse(member.value.place,
           fmt::format("{} is {}, but must be {}", in_quotes(member.name),
                       described(member.value.kind), wanted),
           fmt::format("write {}", example));
  }
}

}  // namespace

const Member* Node::find(std::string_view name) const {
  const auto found = std::ranges::find(members, name, &Member::name);
  return found == members.end() ? nullptr : &*found;
}

void refuse(const Place& place, std::string_view message, std::string hint) {
  throw Failure(Code::configuration, fmt::format("{}: {}", place.text(), message), std::move(hint));
}

Node read_toml(std::string_view text, const std::string& file) {
  expect_parsable(text, file);
  try {
    return convert(toml::parse(text), file, 0);
  } catch (const toml::parse_error& error) {
    refuse(place_of(error.source(), file), syntax_message(error.description()),
           "look just before this place; strings stand in double quotes: name = \"value\"");
  }
}

std::string read_text(const std::filesystem::path& file) {
  const Place whole{.file = file.string()};
  std::error_code error;
  if (std::filesystem::is_directory(file, error)) {
    refuse(whole, "is a directory, not a file", "name the file in it");
  }
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  std::string text;
  std::array<char, 64U << 10U> chunk{};
  while (stream && text.size() <= kLargestFile) {
    stream.read(chunk.data(), chunk.size());
    text.append(chunk.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream && !stream.eof()) {
    const int why = errno;
    if (const auto shortage = shortage_of(why)) {
      throw Failure(shortage->code,
                    fmt::format("{}: cannot be read: {}", whole.text(), std::strerror(why)),
                    std::string(shortage->hint));
    }
    refuse(whole,
           fmt::format("cannot be read: {}", why != 0 ? std::strerror(why) : "unknown error"),
           why == ENOENT ? "look at the path, or run 'abgleich init' to make the files"
                         : "look at the file's owner and mode");
  }
  if (text.size() > kLargestFile) {
    refuse(whole, fmt::format("larger than {} MiB", kLargestFile >> 20U),
           "name the right file: this is not a configuration");
  }
  return text;
}

const Node& table_of(const Member& member, std::string_view example) {
  expect_kind(member, Node::Kind::table, "a table", example);
  return member.value;
}

const std::string& text_of(const Member& member, std::string_view example) {
  expect_kind(member, Node::Kind::text, "a string", example);
  return member.value.text;
}

bool boolean_of(const Member& member, std::string_view example) {
  expect_kind(member, Node::Kind::boolean, "true or false", example);
  return member.value.boolean;
}

std::vector<Named> texts_of(const Member& member, std::string_view example) {
  expect_kind(member, Node::Kind::list, "a list of strings", example);
  return texts_of(member.value, in_quotes(member.name), example);
}

std::vector<Named> texts_of(const Node& list, std::string_view what, std::string_view example) {
  std::vector<Named> texts;
  for (const Node& item : list.items) {
    if (item.kind != Node::Kind::text) {
      refuse(item.place,
             fmt::format("{} holds {}, but must be a list of strings", what, described(item.kind)),
             fmt::format("write {}", example));
    }
    texts.push_back({.name = item.text, .place = item.place});
  }
  return texts;
}

void expect_name(std::string_view name, const Place& place, std::string_view what) {
  if (name.empty()) {
    refuse(place, fmt::format("{} is empty", what), "write a name");
  }
  if (name.find('\0') != std::string_view::npos) {
    refuse(place, fmt::format("{} contains a NUL character", what),
           "delete it: no database allows it in a name");
  }
}

const std::string& name_of(const Member& member, std::string_view example) {
  const std::string& name = text_of(member, example);
  expect_name(name, member.value.place, in_quotes(member.name));
  return name;
}

void expect_only(const Node& table, Words known, std::string_view where) {
  for (const Member& member : table.members) {
    if (!position_of(member.name, known)) {
      refuse(member.place, fmt::format("unknown key {} in {}", in_quotes(member.name), where),
             suggestion(member.name, known, fmt::format("{} takes {}", where, listed(known))));
    }
  }
}

std::size_t word_of(const Member& member, Words words, std::string_view what) {
  const std::string& word =
      text_of(member, fmt::format("{} = \"{}\"", member.name, words.empty() ? "" : words.front()));
  const auto position = position_of(word, words);
  if (!position) {
    refuse(member.value.place, fmt::format("unknown {} {}", what, in_quotes(word)),
           suggestion(word, words, fmt::format("write {}", listed(words))));
  }
  return *position;
}

std::string suggestion(std::string_view word, Words words, std::string_view rest) {
  const auto near = nearest(word, words);
  return near ? fmt::format("did you mean '{}'? {}", *near, rest) : std::string(rest);
}

}  // namespace abgleich::contract
