#include "exchange/peer_state.hpp"

#include "core/error.hpp"
#include "core/hex.hpp"
#include "core/shallow_json.hpp"
#include "exchange/channel_text.hpp"

#include <nlohmann/json.hpp>

#include <charconv>

namespace abgleich::exchange {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "abgleich.peer-state/1";

[[noreturn]] void damaged() {
  throw Failure(Code::integrity, "what was kept of a peer is damaged",
                "move the peer's directory (peers/NAME in the state directory) away: then this "
                "node begins with the peer anew, and says so when it has to be adopted (22). "
                "Nothing was changed");
}

const Json& member(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end()) {
    damaged();
  }
  return *found;
}

const std::string& text_in(const Json& json, const char* name) {
  const auto& value = member(json, name);
  if (!value.is_string()) {
    damaged();
  }
  return value.get_ref<const std::string&>();
}

template <class Number>
Number number_from(std::string_view text) {
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, wrong] = std::from_chars(text.data(), end, number);
  if (wrong != std::errc{} || rest != end) {
    damaged();
  }
  return number;
}

template <class Number>
Number number_in(const Json& json, const char* name) {
  return number_from<Number>(text_in(json, name));
}

template <class Bytes>
Bytes bytes_from(std::string_view text) {
  Bytes bytes{};
  if (!read_hex(text, bytes)) {
    damaged();
  }
  return bytes;
}

Json json_of(const Outgoing& out) {
  auto since = Json::object();
  for (const auto& [segment, run] : out.since) {
    since[std::to_string(segment)] = std::to_string(run);
  }
  return {{"run", std::to_string(out.run)},
          {"hash", out.hash},
          {"layout", out.layout},
          {"since", std::move(since)}};
}

Outgoing outgoing_from(const Json& json) {
  if (!json.is_object()) {
    damaged();
  }
  Outgoing out{.run = number_in<std::int64_t>(json, "run"),
               .hash = text_in(json, "hash"),
               .layout = text_in(json, "layout")};
  const auto& since = member(json, "since");
  if (!since.is_object()) {
    damaged();
  }
  for (const auto& [segment, run] : since.items()) {
    if (!run.is_string()) {
      damaged();
    }
    out.since[number_from<std::uint64_t>(segment)] =
        number_from<std::int64_t>(run.get_ref<const std::string&>());
  }
  return out;
}

}  // namespace

std::string peer_state_text(const PeerState& state) {
  auto keys = Json::object();
  for (const auto& [box, key] : state.keys) {
    keys[hex(box)] = hex(key);
  }
  const Json json = {{"format", kFormat},
                     {"channel", channel_text(state.channel)},
                     {"keys", std::move(keys)},
                     {"out", json_of(state.out)},
                     {"begun", std::to_string(state.begun)},
                     {"noise", std::to_string(state.noise)},
                     {"rows_in", std::to_string(state.rows_in)},
                     {"rows_out", std::to_string(state.rows_out)}};
  return json.dump();
}

PeerState parse_peer_state(std::string_view text) {
  const auto json = parse_shallow<Json>(text);
  if (!json.is_object() || text_in(json, "format") != kFormat) {
    damaged();
  }
  PeerState state{.channel = parse_channel(text_in(json, "channel")),
                  .out = outgoing_from(member(json, "out")),
                  .begun = number_in<Moment>(json, "begun"),
                  .noise = number_in<std::uint64_t>(json, "noise"),
                  .rows_in = number_in<std::uint64_t>(json, "rows_in"),
                  .rows_out = number_in<std::uint64_t>(json, "rows_out")};
  const auto& keys = member(json, "keys");
  if (!keys.is_object()) {
    damaged();
  }
  for (const auto& [box, key] : keys.items()) {
    if (!key.is_string()) {
      damaged();
    }
    state.keys[bytes_from<BoxName>(box)] =
        bytes_from<seal::Recipient>(key.get_ref<const std::string&>());
  }
  return state;
}

Moment silent_since(const PeerState& state) {
  return state.channel.heard.value_or(state.begun);
}

bool is_silent(const PeerState& state, Moment now, Moment overdue) {
  const auto since = silent_since(state);
  return since > now || now - since > overdue;
}

}  // namespace abgleich::exchange
