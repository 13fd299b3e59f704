// Two nodes, a mailbox, and a relay that does with it what it likes: random histories, all of which
// have to end with each side having what the other one has, once the relay behaves.
#include "exchange/channel.hpp"

#include "support/thorough.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace abgleich::exchange {
namespace {

using Row = std::optional<int>;  // none: deleted
using Data = std::map<int, int>;
using Random = std::mt19937_64;

Draw draw_of(Random& random) {
  return [&random](std::span<std::uint8_t> bytes) {
    for (auto& byte : bytes) {
      byte = static_cast<std::uint8_t>(random());
    }
  };
}

/// A file as it lies in the mailbox. What is sealed to another box does not open.
struct File {
  std::optional<BoxName> sealed_to;  // none: a hello
  Message message;
  std::map<int, Row> rows;
  std::size_t version = 0;  // of the sender's data, for the test
  bool altered = false;
};

/// Boxes by their names; the hello of each direction has one of its own.
using Place = std::pair<std::string, BoxName>;

struct Mailbox {
  std::map<Place, File> files;
  std::vector<std::pair<Place, File>> seen;

  void put(const Place& place, const File& file) {
    files[place] = file;
    seen.emplace_back(place, file);
  }
};

Place grant_box(const BoxName& box) {
  return {"grant", box};
}

struct Outcomes {
  int restored = 0;        // 22
  int other_history = 0;   // 21
  int another_writer = 0;  // 21
  int gaps = 0;
};

/// What of a node a backup has, and what not.
struct Node {
  std::string name;
  std::vector<Data> versions{Data{}};  // of the primary: never restored, all that it ever was
  struct Secondary {
    Data rows;
    std::optional<Mark> applied;
    std::size_t version = 0;
  } secondary;
  struct State {
    Channel channel;
    Data ledger;  // what the segments have brought as far as
    std::map<std::uint64_t, std::map<int, Row>> outbox;
  } state;
  Moment clock_is_wrong_by = 0;
  Outcomes outcomes;

  [[nodiscard]] const Data& primary() const { return versions.back(); }
  [[nodiscard]] bool waits() const { return !state.channel.segments.empty(); }
};

enum class Dies : std::uint8_t { never, before_writing, after_the_commit };

class History {
 public:
  History(std::uint64_t seed, bool hostile, bool faults)
      : random_(seed), draw_(draw_of(random_)), hostile_(hostile), faults_(faults) {
    a_.name = "a";
    b_.name = "b";
    for (auto* node : {&a_, &b_}) {
      lose_state(*node);
    }
  }

  /// Rounds that it takes afterwards until all is well; none: it never is.
  std::optional<int> play() {
    const auto steps = 20 + below(100);
    for (std::size_t i = 0; i < steps; ++i) {
      step();
    }
    settles_ = true;
    for (int round = 0; round < 60; ++round) {
      run(a_, b_);
      run(b_, a_);
      if (a_.secondary.rows == b_.primary() && b_.secondary.rows == a_.primary() && !a_.waits() &&
          !b_.waits()) {
        return round;
      }
    }
    return std::nullopt;
  }

  /// How many files so many rounds without any change write.
  std::size_t chatter(int rounds) {
    const auto before = mailbox_.seen.size();
    for (int round = 0; round < rounds; ++round) {
      run(a_, b_);
      run(b_, a_);
    }
    return mailbox_.seen.size() - before;
  }

  [[nodiscard]] const std::string& broken() const { return broken_; }
  [[nodiscard]] int lost_track() const { return lost_track_; }
  [[nodiscard]] const Node& a() const { return a_; }
  [[nodiscard]] const Node& b() const { return b_; }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool chance(unsigned percent) { return below(100) < percent; }

  void step() {
    for (auto* node : {&a_, &b_}) {
      if (chance(40)) {
        auto data = node->primary();
        const auto key = static_cast<int>(below(6));
        if (chance(30)) {
          data.erase(key);
        } else {
          data[key] = static_cast<int>(below(4));
        }
        node->versions.push_back(data);
      }
    }
    auto dies = Dies::never;
    if (faults_ && chance(6)) {
      dies = chance(50) ? Dies::before_writing : Dies::after_the_commit;
    }
    auto& node = chance(50) ? a_ : b_;
    run(node, &node == &a_ ? b_ : a_, dies);
    if (hostile_ && chance(50)) {
      relay();
    }
    if (chance(10)) {
      auto& copied = chance(50) ? a_ : b_;
      copies_.emplace_back(&copied, std::pair(copied.secondary, copied.state));
    }
    if (faults_ && chance(5) && !copies_.empty()) {
      fault();
    }
  }

  void relay() {
    auto& files = mailbox_.files;
    const auto& seen = mailbox_.seen;
    const auto any = [&] {
      auto at = files.begin();
      std::advance(at, static_cast<std::ptrdiff_t>(below(files.size())));
      return at;
    };
    switch (below(6)) {
      case 0:  // drop
        if (!files.empty()) {
          files.erase(any());
        }
        break;
      case 1:  // replay
        if (!seen.empty()) {
          const auto& [place, file] = seen[below(seen.size())];
          files[place] = file;
        }
        break;
      case 2:  // exchange
        if (!seen.empty() && !files.empty()) {
          any()->second = seen[below(seen.size())].second;
        }
        break;
      case 3:  // alter
        if (!files.empty()) {
          any()->second.altered = true;
        }
        break;
      case 4:
        snapshots_.push_back(files);
        break;
      default:  // roll back
        if (!snapshots_.empty()) {
          files = snapshots_[below(snapshots_.size())];
        }
    }
  }

  void fault() {
    auto& [node, copy] = copies_[below(copies_.size())];
    switch (below(4)) {
      case 0:  // the whole node is restored
        node->secondary = copy.first;
        node->state = copy.second;
        break;
      case 1:  // the secondary
        node->secondary = copy.first;
        break;
      case 2:
        lose_state(*node);
        break;
      default:
        // less than a year apart in all: a node that has lost its state believes no line that is
        // further ahead of its clock
        node->clock_is_wrong_by = chance(50) ? 0 : (static_cast<Moment>(below(300)) - 150) * 86'400;
    }
  }

  void lose_state(Node& node) {
    node.state = {.channel = new_channel(node.secondary.applied, draw_)};
  }

  void break_off(const std::string& what) {
    if (broken_.empty()) {
      broken_ = what;
    }
  }

  /// The outbox cannot tell any more what has changed: what it believes is wrong, or as before.
  void lose_track(Node& node) {
    if (settles_ || !chance(2)) {
      return;
    }
    everything_again(node.state.channel);
    ++lost_track_;
    switch (below(3)) {
      case 0:
        node.state.ledger.clear();
        break;
      case 1:
        node.state.ledger = node.primary();
        break;
      default:
        break;
    }
  }

  Place hello_box(const Node& from) { return {"hello from " + from.name, {}}; }

  void run(Node& node, Node& peer, Dies dies = Dies::never) {
    now_ += 600 + static_cast<Moment>(below(1200));
    const auto now = now_ + node.clock_is_wrong_by;
    auto& channel = node.state.channel;
    if (channel.applied != node.secondary.applied) {
      secondary_was_restored(channel, node.secondary.applied);
    }
    lose_track(node);
    if (!read_boxes(node, peer, now, dies)) {
      return;
    }
    lose_track(node);
    read_rows(node);
    lose_track(node);
    std::set<BoxName> present;
    for (const auto& box : channel.posted) {
      if (mailbox_.files.contains(grant_box(box))) {
        present.insert(box);
      }
    }
    const auto plan = exchange::plan(channel, present, now, {});
    if (plan.hello) {
      write(node, std::nullopt, now, dies);
      if (dies == Dies::before_writing) {
        return;
      }
      lose_track(node);
    }
    if (plan.box) {
      write(node, plan.box, now, dies);
    }
  }

  /// False: the node died.
  bool read_boxes(Node& node, Node& peer, Moment now, Dies dies) {
    auto& channel = node.state.channel;
    for (const auto& box : channel.used) {
      if (mailbox_.files.erase(grant_box(box)) > 0) {
        was_asked(channel);
      }
    }
    std::vector<std::pair<Place, std::optional<BoxName>>> watched;
    for (const auto& box : channel.open) {
      watched.emplace_back(grant_box(box), box);
    }
    watched.emplace_back(hello_box(peer), std::nullopt);
    for (const auto& [place, box] : watched) {
      const auto found = mailbox_.files.find(place);
      // what does not open is left: its sender overwrites it
      if (found == mailbox_.files.end() || found->second.altered ||
          found->second.sealed_to != box || found->second.message.mark.id == MessageId{}) {
        continue;
      }
      const auto file = found->second;
      if (!box && !is_from(file, peer)) {
        continue;
      }
      const auto end = take_file(node, peer, file, box, now, dies);
      if (end == End::died) {
        return false;
      }
      if (end == End::done_with) {
        mailbox_.files.erase(place);
      }
    }
    return true;
  }

  enum class End : std::uint8_t { done_with, left, died };

  /// A hello of ours in the place of theirs is signed by another key.
  bool is_from(const File& file, const Node& peer) const {
    return writers_.at(file.message.mark.id) == peer.name;
  }

  End take_file(Node& node, Node& peer, const File& file, const std::optional<BoxName>& box,
                Moment now, Dies dies) {
    if (!is_from(file, peer)) {
      return End::left;
    }
    auto& state = node.state;
    auto next = state.channel;
    auto taken = take(next, file.message, box, now, draw_);
    const bool restored = taken == Taken::restored;
    if (restored) {
      ++node.outcomes.restored;
      begin_line(next, file.message, now, draw_);  // the person decides at once
      taken = take(next, file.message, box, now, draw_);
      if (taken == Taken::restored) {
        break_off("a new line is as strange as the old one");
      }
    }
    if (taken == Taken::absurd) {
      break_off("a line is absurd");
      return End::done_with;
    }
    node.outcomes.other_history += taken == Taken::other_history ? 1 : 0;
    node.outcomes.another_writer += taken == Taken::another_writer ? 1 : 0;
    node.outcomes.gaps += taken == Taken::gap ? 1 : 0;
    if (taken == Taken::whole || taken == Taken::changes) {
      apply(node, peer, file, taken, next);
      if (dies == Dies::after_the_commit) {
        return End::died;  // the state is as it was, and the file is there
      }
    }
    state.channel = next;
    if (restored) {
      state.ledger.clear();
    }
    std::erase_if(state.outbox, [&](const auto& one) {
      return std::ranges::none_of(
          next.segments, [&](const Segment& segment) { return segment.number == one.first; });
    });
    return End::done_with;
  }

  void apply(Node& node, const Node& peer, const File& file, Taken taken, const Channel& next) {
    auto& secondary = node.secondary;
    if (taken == Taken::whole) {
      secondary.rows.clear();
    }
    for (const auto& [key, row] : file.rows) {
      if (row) {
        secondary.rows[key] = *row;
      } else {
        secondary.rows.erase(key);
      }
    }
    secondary.applied = next.applied;
    if (secondary.rows != peer.versions[file.version]) {
      break_off("the secondary has what its peer never had");
    }
    if (!faults_ && file.version < secondary.version) {
      break_off("the secondary has gone back");
    }
    secondary.version = file.version;
  }

  void read_rows(Node& node) {
    auto& [channel, ledger, outbox] = node.state;
    std::map<int, Row> rows;
    if (channel.whole) {
      rows = {node.primary().begin(), node.primary().end()};
    } else {
      for (const auto& [key, value] : node.primary()) {
        if (const auto had = ledger.find(key); had == ledger.end() || had->second != value) {
          rows[key] = value;
        }
      }
      for (const auto& [key, value] : ledger) {
        if (!node.primary().contains(key)) {
          rows[key] = std::nullopt;
        }
      }
    }
    const bool whole = channel.whole;
    const bool fresh =
        rows_were_read(channel, ledger == node.primary() ? Reading::unchanged : Reading::changed);
    if (fresh) {
      if (whole) {
        outbox.clear();
      }
      outbox[channel.segments.back().number] = rows;
      ledger = node.primary();
    }
  }

  void write(Node& node, const std::optional<BoxName>& box, Moment now, Dies dies) {
    File file{.sealed_to = box,
              .message = compose(node.state.channel, box, now, draw_),
              .version = node.versions.size() - 1};
    writers_[file.message.mark.id] = node.name;
    if (box) {
      for (const auto& segment : node.state.channel.segments) {
        for (const auto& [key, row] : node.state.outbox.at(segment.number)) {
          file.rows[key] = row;
        }
      }
    }
    if (dies != Dies::before_writing) {
      mailbox_.put(box ? grant_box(*box) : hello_box(node), file);
    }
  }

  Random random_;
  Draw draw_;
  bool hostile_;
  bool faults_;
  Moment now_ = 1'700'000'000;
  Node a_;
  Node b_;
  Mailbox mailbox_;
  std::vector<std::map<Place, File>> snapshots_;
  std::vector<std::pair<Node*, std::pair<Node::Secondary, Node::State>>> copies_;
  std::map<MessageId, std::string> writers_;
  std::string broken_;
  bool settles_ = false;
  int lost_track_ = 0;
};

std::uint64_t histories() {
  const char* const number = std::getenv("ABGLEICH_CHANNEL_HISTORIES");
  return number != nullptr ? std::stoull(number) : test::thorough() ? 250'000 : 2'000;
}

struct Sum {
  int worst = 0;
  std::size_t most_chatter = 0;
  int lost_track = 0;
  Outcomes outcomes;
};

Sum play_all(bool hostile, bool faults) {
  Sum sum;
  int failures = 0;
  for (std::uint64_t seed = 1; seed <= histories() && failures < 5; ++seed) {
    History history(seed, hostile, faults);
    const auto rounds = history.play();
    const auto chatter = rounds ? history.chatter(30) : 0;
    if (!rounds || !history.broken().empty()) {
      ++failures;
      FAIL_CHECK("seed " << seed << ": " << (rounds ? history.broken() : "it never ends"));
      continue;
    }
    sum.worst = std::max(sum.worst, *rounds);
    sum.most_chatter = std::max(sum.most_chatter, chatter);
    sum.lost_track += history.lost_track();
    for (const auto* node : {&history.a(), &history.b()}) {
      sum.outcomes.restored += node->outcomes.restored;
      sum.outcomes.other_history += node->outcomes.other_history;
      sum.outcomes.another_writer += node->outcomes.another_writer;
      sum.outcomes.gaps += node->outcomes.gaps;
    }
  }
  MESSAGE("rounds at most " << sum.worst << ", files in 30 quiet rounds at most "
                            << sum.most_chatter << "; restored " << sum.outcomes.restored
                            << ", other history " << sum.outcomes.other_history
                            << ", another writer " << sum.outcomes.another_writer << ", gaps "
                            << sum.outcomes.gaps << ", everything again " << sum.lost_track);
  CHECK(sum.lost_track > 0);
  return sum;
}

}  // namespace

TEST_CASE("channel: two nodes on their own come to have each other's rows") {
  const auto sum = play_all(false, false);
  CHECK(sum.worst <= 12);
  CHECK(sum.outcomes.restored + sum.outcomes.other_history + sum.outcomes.another_writer +
            sum.outcomes.gaps ==
        0);
}

TEST_CASE("channel: a hostile relay costs time only, and makes nobody believe in a restore") {
  const auto sum = play_all(true, false);
  CHECK(sum.worst <= 20);
  CHECK(sum.outcomes.restored == 0);
  CHECK(sum.outcomes.other_history == 0);
  CHECK(sum.outcomes.another_writer == 0);
}

TEST_CASE("channel: restores, lost state, deaths and wrong clocks are got over, and noticed") {
  const auto sum = play_all(false, true);
  CHECK(sum.worst <= 50);  // more than a day: silence is noticed
  CHECK(sum.outcomes.restored > 0);
  CHECK(sum.outcomes.gaps > 0);
}

TEST_CASE("channel: all of it at once is got over as well") {
  const auto sum = play_all(true, true);
  CHECK(sum.worst <= 50);  // more than a day: silence is noticed
}

TEST_CASE("channel: a late acknowledgement does not end the sending of everything") {
  Random random(1);
  const auto draw = draw_of(random);
  const BoxName box{1};
  Moment now = 1'700'000'000;
  auto channel = new_channel(std::nullopt, draw);
  const auto send = [&] { return compose(channel, box, ++now, draw); };
  const auto acknowledge = [&](const Message& applied, std::uint64_t seq) {
    const Message answer{.mark = {.seq = seq, .id = {9}},
                         .seen = applied.mark,
                         .applied = applied.mark,
                         .grants = {box}};
    CHECK(take(channel, answer, std::nullopt, ++now, draw) == Taken::news);
  };
  CHECK(rows_were_read(channel, Reading::unchanged));
  acknowledge(send(), 1);
  CHECK_FALSE(channel.whole);
  CHECK(rows_were_read(channel, Reading::changed));
  const auto changes = send();
  CHECK(changes.rows == Message::Rows::changes);

  everything_again(channel);
  CHECK(channel.segments.empty());
  CHECK(send().rows == Message::Rows::none);  // they are not read yet
  acknowledge(changes, 2);
  CHECK(channel.whole);
  CHECK(rows_were_read(channel, Reading::unchanged));
  const auto whole = send();
  CHECK(whole.rows == Message::Rows::whole);
  acknowledge(changes, 3);
  CHECK(channel.whole);
  CHECK(channel.segments.size() == 1);
  CHECK_FALSE(rows_were_read(channel, Reading::unchanged));
  acknowledge(whole, 4);
  CHECK_FALSE(channel.whole);
  CHECK(channel.segments.empty());
  CHECK_FALSE(rows_were_read(channel, Reading::unchanged));

  // The peer's secondary was restored. It says so until it has everything, which is made only once.
  acknowledge(changes, 5);
  CHECK(channel.whole);
  CHECK(rows_were_read(channel, Reading::unchanged));
  acknowledge(changes, 6);
  CHECK(channel.segments.size() == 1);
}

TEST_CASE("channel: who hears nothing for more than a day says hello, even if no rows wait") {
  // Both nodes may be writing into boxes that the other one no longer watches. Until a row changed,
  // neither would have learnt that the other one was restored.
  constexpr Moment kStart = 1'700'000'000;
  const Patience patience;
  Channel channel{.whole = false,
                  .grants = {BoxName{1}},
                  .posted = {BoxName{1}},
                  .heard = kStart,
                  .wrote = kStart};
  Random random(1);
  const auto says_hello = [&](Moment after) {
    const auto next = plan(channel, {BoxName{1}}, kStart + after, patience);
    if (next.box) {
      (void)compose(channel, next.box, kStart + after, draw_of(random));
    }
    if (next.hello) {
      (void)compose(channel, std::nullopt, kStart + after, draw_of(random));
    }
    return next.hello;
  };
  const auto silence = patience.heartbeat + patience.resend_after;
  CHECK_FALSE(says_hello(patience.heartbeat));
  CHECK_FALSE(says_hello(silence - 1));
  CHECK(says_hello(silence));
  CHECK_FALSE(says_hello(silence + patience.resend_after));
  CHECK_FALSE(says_hello(silence + patience.heartbeat - 1));
  CHECK(says_hello(silence + patience.heartbeat));
  channel.heard = kStart + silence + patience.heartbeat;
  CHECK_FALSE(says_hello(silence + 2 * patience.heartbeat));
}

}  // namespace abgleich::exchange
