#include "exchange/channel_text.hpp"

#include "core/error.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::exchange {
namespace {

using Random = std::mt19937_64;

Error refusal(std::string_view text) {
  try {
    (void)parse_channel(text);
  } catch (const Failure& failure) {
    CHECK(failure.error().code == Code::integrity);
    CHECK_FALSE(failure.error().hint.empty());
    return failure.error();
  }
  FAIL("not refused: ", text);
  return {};
}

template <class Bytes = MessageId>
Bytes filled(std::uint8_t byte) {
  Bytes bytes;
  bytes.fill(byte);
  return bytes;
}

/// Every member has another value than in a new channel.
Channel full_channel() {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  const Line line{.number = kMost, .random = filled<decltype(Line::random)>(0xff)};
  return {.line = line,
          .seq = kMost,
          .line_is_new = true,
          .written = {{0, filled(1)}, {kMost, filled(2)}},
          .trail_from = kMost - 1,
          .segments = {{.number = 3}, {.number = kMost - 1, .sent = kMost}},
          .next_segment = kMost,
          .whole = false,
          .whole_at = kMost - 2,
          .acknowledged = kMost - 3,
          .last = Mark{.line = line, .seq = kMost, .id = filled(3)},
          .known = {{9, filled(4)}, {10, filled(5)}},
          .applied = Mark{.line = {.number = 0}, .seq = 7},
          .grants = {filled<BoxName>(7), filled<BoxName>(6)},
          .posted = {filled<BoxName>(8), filled<BoxName>(9)},
          .open = {filled<BoxName>(10)},
          .used = {filled<BoxName>(12), filled<BoxName>(11)},
          .owes_answer = true,
          .owes_hello = true,
          .was_asked = true,
          .waiting_since = std::numeric_limits<Moment>::max(),
          .heard = std::numeric_limits<Moment>::min(),
          .wrote = -1,
          .said_hello = 0};
}

/// Two nodes that exchange messages over a relay which loses, repeats and delays them, and that are
/// put back to earlier states.
class Histories {
 public:
  explicit Histories(std::uint64_t seed) : random_(seed) {
    draw_ = [this](std::span<std::uint8_t> bytes) {
      for (auto& byte : bytes) {
        byte = static_cast<std::uint8_t>(random_());
      }
    };
    for (auto& channel : channels_) {
      channel = new_channel(std::nullopt, draw_);
    }
  }

  template <class OnState>
  void play(int steps, const OnState& on_state) {
    for (int i = 0; i < steps; ++i) {
      now_ += static_cast<Moment>(below(4'000));
      const auto who = below(2);
      step(who);
      on_state(channels_[who]);
    }
  }

 private:
  struct Sent {
    Message message;
    std::optional<BoxName> box;
  };

  std::size_t below(std::size_t limit) { return random_() % limit; }

  void step(std::size_t who) {
    auto& channel = channels_[who];
    const auto what = below(60);
    if (what == 0) {
      everything_again(channel);
    } else if (what == 1) {
      was_asked(channel);
    } else if (what == 2) {
      secondary_was_restored(channel, channel.applied);
    } else if (what == 3) {
      copies_[who] = channel;
    } else if (what == 4) {
      channel = copies_[who].value_or(channel);
    } else if (what < 20) {
      (void)rows_were_read(channel, below(2) == 0 ? Reading::changed : Reading::unchanged);
    } else if (what < 40) {
      write(who);
    } else {
      read(who);
    }
  }

  void write(std::size_t who) {
    auto& channel = channels_[who];
    const auto next = plan(channel, {}, now_, {});
    if (next.hello) {
      sent_[who].push_back({compose(channel, std::nullopt, now_, draw_), std::nullopt});
    }
    if (next.box) {
      sent_[who].push_back({compose(channel, next.box, now_, draw_), next.box});
    }
  }

  void read(std::size_t who) {
    auto& channel = channels_[who];
    const auto& theirs = sent_[1 - who];
    if (theirs.empty()) {
      return;
    }
    const auto recent = std::min<std::size_t>(theirs.size(), 3);
    const auto [message, box] = theirs[theirs.size() - 1 - below(recent)];
    if (box && std::ranges::count(channel.open, *box) == 0) {
      return;
    }
    if (take(channel, message, box, now_, draw_) == Taken::restored) {
      begin_line(channel, message, now_, draw_);
    }
  }

  Random random_;
  Draw draw_;
  Moment now_ = 1'700'000'000;
  std::array<Channel, 2> channels_;
  std::array<std::optional<Channel>, 2> copies_;
  std::array<std::vector<Sent>, 2> sent_;
};

/// A channel that has as many ids as there can be.
Channel long_channel() {
  auto channel = full_channel();
  channel.written.clear();
  channel.known.clear();
  for (std::size_t i = 0; i < kMostIds; ++i) {
    channel.written[i] = channel.known[i] = filled(static_cast<std::uint8_t>(i));
  }
  return channel;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("channel text: a new channel has this one, and it says everything") {
  auto channel = new_channel(std::nullopt, [](std::span<std::uint8_t> bytes) {
    std::ranges::fill(bytes, std::uint8_t{0xab});
  });
  CHECK(channel_text(channel) ==
        R"({"format":"abgleich.channel/1","line":{"number":"1","random":"abababababababab"},)"
        R"("seq":"0","line_is_new":false,"written":[],"trail_from":"0","segments":[],)"
        R"("next_segment":"1","whole":true,"whole_at":null,"acknowledged":"0","last":null,)"
        R"("known":[],"applied":null,"grants":[],"posted":[],)"
        R"("open":["abababababababababababababababab",)"
        R"("abababababababababababababababab"],"used":[],"owes_answer":false,)"
        R"("owes_hello":false,"was_asked":false,"waiting_since":null,"heard":null,"wrote":null,)"
        R"("said_hello":null})");
  CHECK(parse_channel(channel_text(channel)) == channel);
}

TEST_CASE("channel text: every member comes back, up to the largest numbers") {
  const auto channel = full_channel();
  const auto back = parse_channel(channel_text(channel));
  CHECK(back == channel);
  // what `==` of the whole does not show: which one is missing
  CHECK(back.line == channel.line);
  CHECK(back.written == channel.written);
  CHECK(back.segments == channel.segments);
  CHECK(back.last == channel.last);
  CHECK(back.known == channel.known);
  CHECK(back.applied == channel.applied);
  CHECK(back.waiting_since == channel.waiting_since);
  CHECK(back.heard == channel.heard);
}

TEST_CASE("channel text: any state that a history leads to comes back") {
  std::size_t restored = 0;
  std::size_t segments = 0;
  std::size_t used = 0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Histories(seed).play(250, [&](const Channel& channel) {
      const auto text = channel_text(channel);
      const auto back = parse_channel(text);
      REQUIRE(back == channel);
      restored += channel.line.number > 1 ? 1 : 0;
      segments = std::max(segments, channel.segments.size());
      used = std::max(used, channel.used.size());
    });
  }
  CHECK(restored > 0);
  CHECK(segments > 1);
  CHECK(used == kWatchedBoxes);
}

TEST_CASE("channel text: as many ids are read as are kept, and no more") {
  auto channel = long_channel();
  CHECK(parse_channel(channel_text(channel)) == channel);
  channel.known[kMostIds] = filled(1);
  refusal(channel_text(channel));
  channel = long_channel();
  channel.written[kMostIds] = filled(1);
  refusal(channel_text(channel));
}

TEST_CASE("channel text: a state that no channel can be in is refused") {
  const auto expect_refusal = [](const auto& change) {
    auto channel = full_channel();
    channel.seq = 100;
    channel.written = {{99, filled(1)}};
    channel.trail_from = channel.acknowledged = 90;
    channel.whole_at = 95;
    channel.segments = {{.number = 3, .sent = 100}, {.number = 4}};
    channel.next_segment = 5;
    CHECK(parse_channel(channel_text(channel)) == channel);
    change(channel);
    refusal(channel_text(channel));
  };
  const std::vector<BoxName> many(17);
  expect_refusal([](Channel& channel) { channel.written[101] = {}; });
  expect_refusal([](Channel& channel) { channel.trail_from = 101; });
  expect_refusal([](Channel& channel) { channel.whole_at = 101; });
  expect_refusal([](Channel& channel) { channel.acknowledged = 101; });
  expect_refusal([](Channel& channel) { channel.segments[0].sent = 101; });
  expect_refusal([](Channel& channel) { channel.segments[0].number = 4; });
  expect_refusal([](Channel& channel) { channel.segments[1].number = 5; });
  expect_refusal([&](Channel& channel) { channel.grants = many; });
  expect_refusal([&](Channel& channel) { channel.open = many; });
  expect_refusal([](Channel& channel) { channel.used.emplace_back(); });
  expect_refusal([](Channel& channel) {
    for (std::uint8_t i = 0; i < 17; ++i) {
      channel.posted.insert(filled<BoxName>(i));
    }
  });
}

TEST_CASE("channel text: what is damaged is refused, or is the text of another channel") {
  const auto text = channel_text(full_channel());
  constexpr std::array kFlips{0x01U, 0x08U, 0x80U};
  std::size_t others = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    auto damaged = text;
    damaged[at] =
        static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ kFlips.at(at % kFlips.size()));
    std::string back = "refused";
    try {
      back = channel_text(parse_channel(damaged));
    } catch (const Failure& failure) {
      REQUIRE(failure.error().code == Code::integrity);
    }
    if (back != "refused") {
      ++others;
      REQUIRE(back == damaged);
    }
    if (at % 4 == 0) {
      refusal(text.substr(0, at));
    }
  }
  CHECK(others > 0);
}

TEST_CASE("channel text: another form of the same values is refused") {
  const auto text = channel_text(full_channel());
  refusal(text + "\n");
  refusal(" " + text);
  refusal(replaced(text, "abgleich.channel/1", "abgleich.channel/2"));
  refusal(replaced(text, R"("format":"abgleich.channel/1",)", ""));
  refusal(replaced(text, R"("wrote":"-1",)", ""));
  refusal(replaced(text, R"("wrote":"-1")", R"("wrote":"-1","wrote":"-1")"));
  refusal(replaced(text, R"("wrote":"-1")", R"("wrote":"-1","more":"-1")"));
  refusal(replaced(text, R"("wrote":"-1")", R"("wrote":-1)"));
  refusal(replaced(text, R"("wrote":"-1")", R"("wrote":"-01")"));
  refusal(replaced(text, R"("wrote":"-1")", R"("wrote":"-1 ")"));
  refusal(replaced(text, R"("said_hello":"0")", R"("said_hello":"-0")"));
  refusal(replaced(text, R"("seq":"18446744073709551615")", R"("seq":"18446744073709551616")"));
  refusal(replaced(text, R"("seq":"18446744073709551615")", R"("seq":"-1")"));
  refusal(replaced(text, R"("was_asked":true)", R"("was_asked":1)"));
  refusal(replaced(text, R"(["9",")", R"(["10",")"));  // one id twice
  refusal(replaced(text, R"(["9",")", R"(["9","","8",")"));
}

TEST_CASE("channel text: what is no channel at all is refused in the same words") {
  const auto error = refusal("");
  CHECK(error.message == "what was kept of the messages of a peer is damaged");
  CHECK(error.hint ==
        "move the peer's directory (peers/NAME in the state directory) away: then this node "
        "begins with the peer anew, and says so when it has to be adopted (22)");
  for (const auto& text :
       {std::string("null"), std::string("[]"), std::string("{}"), std::string("\"x\""),
        std::string("{\"line\":"), std::string("\xff\xfe"), std::string(100'000, '['),
        "{\"format\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}"}) {
    CHECK(refusal(text) == error);
  }
}

}  // namespace
}  // namespace abgleich::exchange
