#include "contract/peers.hpp"

#include "contract/include.hpp"
#include "contract/interval.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::contract {

namespace {

namespace fs = std::filesystem;

constexpr char kAny = '*';
constexpr std::string_view kSendsExample = "sends = \"guests.toml\"";
constexpr std::string_view kAcceptsExample = "accepts = \"requests.toml\"";
constexpr std::string_view kMailboxExample = "mailbox = \"/srv/iris\"";
constexpr std::string_view kTakesExample = "takes = { district = [\"08435\", \"084*\"] }";

/// Whether some peer can have a name that fits: the characters are those of names, and no name has
/// a hyphen at either end.
bool is_pattern(std::string_view pattern) {
  constexpr std::size_t kLongestName = 63;
  return !pattern.empty() && pattern.size() <= kLongestName && !pattern.starts_with('-') &&
         !pattern.ends_with('-') && std::ranges::all_of(pattern, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == kAny;
         });
}

/// Whether the pattern fits the whole name.
bool fits(std::string_view pattern, std::string_view name) {
  auto any = pattern.find(kAny);
  if (any == std::string_view::npos) {
    return pattern == name;
  }
  if (!name.starts_with(pattern.substr(0, any))) {
    return false;
  }
  name.remove_prefix(any);
  pattern.remove_prefix(any + 1);
  // Each piece that stands between two '*' is looked for at its first place: nothing leaves more of
  // the name to the pieces behind it.
  while ((any = pattern.find(kAny)) != std::string_view::npos) {
    const auto at = name.find(pattern.substr(0, any));
    if (at == std::string_view::npos) {
      return false;
    }
    name.remove_prefix(at + any);
    pattern.remove_prefix(any + 1);
  }
  return name.ends_with(pattern);
}

/// A name is the most exact pattern that fits it: no other has as many characters and no '*'.
bool more_exact(std::string_view one, std::string_view other) {
  const auto one_any = std::ranges::count(one, kAny);
  const auto other_any = std::ranges::count(other, kAny);
  const auto one_said = std::ssize(one) - one_any;
  const auto other_said = std::ssize(other) - other_any;
  return one_said != other_said ? one_said > other_said : one_any < other_any;
}

/// A path relative to the directory of the file that it is written in.
std::optional<fs::path> path_of(const Node& table, std::string_view key, std::string_view example) {
  const Member* member = table.find(key);
  return member == nullptr
             ? std::nullopt
             : std::optional(directory_of(member->value.place) / name_of(*member, example));
}

void take_time(const Node& section, std::string_view key, std::string_view standard,
               std::chrono::seconds& time) {
  const Member* member = section.find(key);
  if (member == nullptr) {
    return;
  }
  const auto example = fmt::format("{} = \"{}\"", key, standard);
  time = interval_of(*member, example);
  if (time.count() == 0) {
    refuse(member->value.place, fmt::format("{} has to be longer than 0", in_quotes(key)),
           fmt::format("write a time of at least a second: {}", example));
  }
}

/// A peer that has nothing to send writes once in a heartbeat, and is not overdue before that.
void expect_heard_in_time(const Node& section, const Exchange& exchange) {
  if (exchange.heartbeat <= exchange.overdue) {
    return;
  }
  const Member* heartbeat = section.find("heartbeat");
  const Member* written = heartbeat != nullptr ? heartbeat : section.find("overdue");
  refuse(written->value.place,
         heartbeat != nullptr ? "'heartbeat' is longer than 'overdue'"
                              : "'overdue' is shorter than 'heartbeat'",
         "a peer with nothing to send is heard from once in a heartbeat: write both, for example "
         "heartbeat = \"12h\" and overdue = \"24h\"; what is not written is 24h and 48h");
}

/// "084*": what begins with "084"; a '*' elsewhere is refused, so that nobody expects it to count.
TakenValue taken_value(const Node& item, std::string_view what) {
  if (item.kind == Node::Kind::integer) {
    return {.value = {.kind = Literal::Kind::number, .text = std::to_string(item.integer)}};
  }
  if (item.kind != Node::Kind::text) {
    refuse(item.place, fmt::format("{} must be a list of texts or whole numbers", what),
           fmt::format("write {}", kTakesExample));
  }
  const auto any = item.text.find(kAny);
  if (any != std::string::npos && (any + 1 != item.text.size() || any == 0)) {
    refuse(item.place, fmt::format("in {}, '*' stands for any end of a text, and only there", what),
           fmt::format("write {}", kTakesExample));
  }
  expect_name(item.text, item.place, what);
  return {.value = {.kind = Literal::Kind::text, .text = item.text.substr(0, any)},
          .begins = any != std::string::npos};
}

/// `takes` of a peer's section.
Takes takes_of(const Node& section, const PeerSection& peer) {
  Takes takes;
  const Member* member = section.find("takes");
  if (member == nullptr) {
    return takes;
  }
  if (peer.pattern.find(kAny) != std::string::npos) {
    refuse(member->place,
           fmt::format("'takes' of {} would be the same for several peers", header_of(peer)),
           "write a section for each of these peers, [peers.NAME], with its own 'takes'");
  }
  if (!peer.sends) {
    refuse(member->place, "'takes' is about what a peer gets, and this section has no 'sends'",
           fmt::format("write {}, or delete 'takes'", kSendsExample));
  }
  for (const Member& column : table_of(*member, kTakesExample).members) {
    const auto what = fmt::format("'takes' of {}", in_quotes(column.name));
    if (column.value.kind != Node::Kind::list || column.value.items.empty()) {
      refuse(column.value.place, fmt::format("{} must be a list of values", what),
             fmt::format("write {}", kTakesExample));
    }
    auto& values = takes[column.name];
    for (const Node& item : column.value.items) {
      values.push_back(taken_value(item, what));
    }
  }
  return takes;
}

PeerSection peer_of(const Member& member, bool has_mailbox) {
  const Node& table = table_of(member, fmt::format("[peers.\"ga-*\"] and below it {} or {}",
                                                   kSendsExample, kAcceptsExample));
  PeerSection peer{.pattern = member.name};
  if (!is_pattern(peer.pattern)) {
    refuse(
        member.place,
        fmt::format("{} is neither a peer's name nor a pattern", in_quotes(peer.pattern)),
        "write 1 to 63 small letters, digits and hyphens, no hyphen at either end, and '*' for any "
        "of them: [peers.ga-north] or [peers.\"ga-*\"]");
  }
  const auto header = header_of(peer);
  expect_only(table, kPeerKeys, header);
  peer.place = member.place;
  peer.sends = path_of(table, "sends", kSendsExample);
  peer.takes = takes_of(table, peer);
  peer.accepts = path_of(table, "accepts", kAcceptsExample);
  peer.mailbox = path_of(table, "mailbox", kMailboxExample);
  if (!peer.sends && !peer.accepts) {
    refuse(
        member.place, fmt::format("{} has neither 'sends' nor 'accepts'", header),
        fmt::format("name the contract of what the peer gets, {}, or of what is taken from it, {}",
                    kSendsExample, kAcceptsExample));
  }
  if (!peer.mailbox && !has_mailbox) {
    refuse(member.place, fmt::format("{} has no mailbox", header),
           fmt::format(
               "write the directory that both can reach, {}, below {} or, for all peers, below "
               "[exchange]",
               kMailboxExample, header));
  }
  return peer;
}

}  // namespace

std::string header_of(const PeerSection& section) {
  const auto* const quote = section.pattern.find(kAny) == std::string::npos ? "" : "\"";
  return fmt::format("[peers.{0}{1}{0}]", quote, section.pattern);
}

const PeerSection* section_of(const Exchange& exchange, std::string_view peer) {
  const PeerSection* best = nullptr;
  for (const auto& section : exchange.peers) {
    if (fits(section.pattern, peer) &&
        (best == nullptr || more_exact(section.pattern, best->pattern))) {
      best = &section;
    }
  }
  return best;
}

Exchange exchange_of(const Node& section, const Member* peers) {
  Exchange exchange;
  exchange.mailbox = path_of(section, "mailbox", kMailboxExample).value_or(fs::path());
  take_time(section, "resend_after", "1h", exchange.resend_after);
  take_time(section, "heartbeat", "24h", exchange.heartbeat);
  take_time(section, "overdue", "48h", exchange.overdue);
  expect_heard_in_time(section, exchange);
  if (peers != nullptr) {
    for (const Member& member : table_of(*peers, "[peers.\"ga-*\"]").members) {
      exchange.peers.push_back(peer_of(member, !exchange.mailbox.empty()));
    }
  }
  return exchange;
}

}  // namespace abgleich::contract
