#include "exchange/channel_text.hpp"

#include "core/error.hpp"
#include "core/hex.hpp"
#include "core/shallow_json.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

namespace abgleich::exchange {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kChannelFormat = "abgleich.channel/1";
constexpr std::size_t kMostBoxes = 16;  // a message offers no more

[[noreturn]] void damaged_channel() {
  throw Failure(Code::integrity, "what was kept of the messages of a peer is damaged",
                "move the peer's directory (peers/NAME in the state directory) away: then this "
                "node begins with the peer anew, and says so when it has to be adopted (22)");
}

// ---- the members of each type ----------------------------------------------------------------

// Both directions go through these lists. A member that is new in one of the types does not compile
// here, because it has no name in the brackets; give it one, and a line below them. A text without
// it is then damaged: that is another format.

template <class Type, class Of>
concept Is = std::same_as<std::remove_const_t<Type>, Of>;

void each_member(Is<Line> auto& line, const auto& visit) {
  auto& [number, random] = line;
  visit("number", number);
  visit("random", random);
}

void each_member(Is<Mark> auto& mark, const auto& visit) {
  auto& [line, seq, id] = mark;
  visit("line", line);
  visit("seq", seq);
  visit("id", id);
}

void each_member(Is<Segment> auto& segment, const auto& visit) {
  auto& [number, sent] = segment;
  visit("number", number);
  visit("sent", sent);
}

void each_member(Is<Channel> auto& channel, const auto& visit) {
  auto& [line, seq, line_is_new, written, trail_from, segments, next_segment, whole, whole_at,
         acknowledged, last, known, applied, grants, posted, open, used, owes_answer, owes_hello,
         was_asked, waiting_since, heard, wrote, said_hello] = channel;
  visit("line", line);
  visit("seq", seq);
  visit("line_is_new", line_is_new);
  visit("written", written);
  visit("trail_from", trail_from);
  visit("segments", segments);
  visit("next_segment", next_segment);
  visit("whole", whole);
  visit("whole_at", whole_at);
  visit("acknowledged", acknowledged);
  visit("last", last);
  visit("known", known);
  visit("applied", applied);
  visit("grants", grants);
  visit("posted", posted);
  visit("open", open);
  visit("used", used);
  visit("owes_answer", owes_answer);
  visit("owes_hello", owes_hello);
  visit("was_asked", was_asked);
  visit("waiting_since", waiting_since);
  visit("heard", heard);
  visit("wrote", wrote);
  visit("said_hello", said_hello);
}

// ---- writing ---------------------------------------------------------------------------------

struct ChannelWriter {
  static Json json_of(bool truth) { return truth; }
  static Json json_of(const std::integral auto& number) { return std::to_string(number); }

  template <std::size_t size>
  static Json json_of(const std::array<std::uint8_t, size>& bytes) {
    return hex(bytes);
  }
  template <class Value>
  static Json json_of(const std::optional<Value>& value) {
    return value ? json_of(*value) : Json();
  }
  template <class Value>
  static Json json_of(const std::vector<Value>& values) {
    return list_of(values);
  }
  template <class Value>
  static Json json_of(const std::set<Value>& values) {
    return list_of(values);
  }
  template <class Key, class Value>
  static Json json_of(const std::map<Key, Value>& entries) {
    auto json = Json::array();
    for (const auto& [key, value] : entries) {
      json.push_back(Json::array({json_of(key), json_of(value)}));
    }
    return json;
  }
  template <class Struct>
  static Json json_of(const Struct& value) {
    auto json = Json::object();
    each_member(value, [&](const char* name, const auto& member) { json[name] = json_of(member); });
    return json;
  }

 private:
  static Json list_of(const auto& values) {
    auto json = Json::array();
    for (const auto& value : values) {
      json.push_back(json_of(value));
    }
    return json;
  }
};

// ---- reading ---------------------------------------------------------------------------------

struct ChannelReader {
  static void read(const Json& json, bool& truth) {
    if (!json.is_boolean()) {
      damaged_channel();
    }
    truth = json.get<bool>();
  }
  static void read(const Json& json, std::integral auto& number) {
    const auto& text = text_in(json);
    const char* const end = text.data() + text.size();
    const auto [rest, wrong] = std::from_chars(text.data(), end, number);
    if (wrong != std::errc{} || rest != end) {
      damaged_channel();
    }
  }
  template <std::size_t size>
  static void read(const Json& json, std::array<std::uint8_t, size>& bytes) {
    if (!read_hex(text_in(json), bytes)) {
      damaged_channel();
    }
  }
  template <class Value>
  static void read(const Json& json, std::optional<Value>& value) {
    if (!json.is_null()) {
      read(json, value.emplace());
    }
  }
  template <class Value>
  static void read(const Json& json, std::vector<Value>& values) {
    for (const auto& entry : list_in(json)) {
      read(entry, values.emplace_back());
    }
  }
  template <class Value>
  static void read(const Json& json, std::set<Value>& values) {
    for (const auto& entry : list_in(json)) {
      Value value{};
      read(entry, value);
      values.insert(value);
    }
  }
  template <class Key, class Value>
  static void read(const Json& json, std::map<Key, Value>& entries) {
    constexpr std::size_t kPair = 2;
    for (const auto& entry : list_in(json)) {
      if (list_in(entry).size() != kPair) {
        damaged_channel();
      }
      Key key{};
      read(entry.front(), key);
      read(entry.back(), entries[key]);
    }
  }
  template <class Struct>
  static void read(const Json& json, Struct& value) {
    if (!json.is_object()) {
      damaged_channel();
    }
    each_member(value, [&](const char* name, auto& member) {
      const auto found = json.find(name);
      if (found == json.end()) {
        damaged_channel();
      }
      read(*found, member);
    });
  }

 private:
  static const std::string& text_in(const Json& json) {
    if (!json.is_string()) {
      damaged_channel();
    }
    return json.get_ref<const std::string&>();
  }
  static const Json& list_in(const Json& json) {
    if (!json.is_array()) {
      damaged_channel();
    }
    return json;
  }
};

/// Whether a channel can be in this state: its lists are no longer than they become, and nothing
/// refers to a message or a segment that does not exist yet.
bool is_possible(const Channel& channel) {
  const auto exists = [&](const std::optional<std::uint64_t>& seq) {
    return !seq || *seq <= channel.seq;
  };
  const auto& segments = channel.segments;
  return channel.written.size() <= kMostIds && channel.known.size() <= kMostIds &&
         channel.grants.size() <= kMostBoxes && channel.posted.size() <= kMostBoxes &&
         channel.open.size() <= kMostBoxes && channel.used.size() <= kWatchedBoxes &&
         (channel.written.empty() || exists(channel.written.rbegin()->first)) &&
         exists(channel.trail_from) && exists(channel.whole_at) && exists(channel.acknowledged) &&
         std::ranges::all_of(segments, exists, &Segment::sent) &&
         std::ranges::adjacent_find(segments, std::ranges::greater_equal(), &Segment::number) ==
             segments.end() &&
         (segments.empty() || segments.back().number < channel.next_segment);
}

}  // namespace

std::string channel_text(const Channel& channel) {
  Json json = {{"format", kChannelFormat}};
  json.update(ChannelWriter::json_of(channel));
  return json.dump();
}

Channel parse_channel(std::string_view text) {
  const auto json = parse_shallow<Json>(text);
  Channel channel;
  ChannelReader::read(json, channel);
  // the format, unknown members, an entry that is there twice, and numbers in another form
  if (!is_possible(channel) || channel_text(channel) != text) {
    damaged_channel();
  }
  return channel;
}

}  // namespace abgleich::exchange
