// Two nodes of which one is killed at every step of its run that changes a file: what the other has
// is always what the first had before or after, and once nobody is killed both agree.
#include "support/nodes.hpp"
#include "support/places.hpp"
#include "support/thorough.hpp"

#include <doctest/doctest.h>

namespace abgleich::test {

namespace {

constexpr const char* kVisits = "SELECT id, place, day FROM visit ORDER BY id";

/// Whether the run was killed at its n-th step; false: it has fewer.
bool killed_at(const Node& node, long step, std::int64_t hour) {
  auto environment = in_hours(hour);
  environment.front() += std::string(":") + kKilledAt;
  environment.push_back("ABGLEICH_TEST_KILL_AT=" + std::to_string(step));
  const auto ran = node.run_with(environment, {"sync", "-q"});
  CHECK_MESSAGE((ran.exit == 128 + SIGKILL || ran.exit == 0), ran.err);
  return ran.exit != 0;
}

/// Kills the runs of one node at each step in turn, with a change of a row before each of them.
/// What was not sent is sent again later, so the clock goes on.
void kill_everywhere(bool sender) {
  TwoNodes nodes;
  nodes.meet();
  auto now = nodes.office.secondary.rows(kVisits);
  const long stride = thorough() ? 1 : 7;
  std::int64_t hour = 2;
  long step = 1;
  for (bool more = true; more; step += stride) {
    CAPTURE(step);
    nodes.app.primary.run("UPDATE visit SET place = 'step " + std::to_string(step) +
                          "' WHERE id = 1");
    const auto then = nodes.app.primary.rows(kVisits);
    if (!sender) {
      (void)nodes.app.meet("ga", in_hours(hour));
    }
    more = killed_at(sender ? nodes.app : nodes.office, step, hour);
    const auto seen = nodes.office.secondary.rows(kVisits);
    CHECK((seen == now || seen == then));
    for (int round = 0; round < 3; ++round) {
      hour += 2;
      const auto sent = nodes.app.meet("ga", in_hours(hour));
      const auto taken = nodes.office.meet("app", in_hours(hour));
      CHECK_MESSAGE(sent["code"] == 0, sent.dump());
      CHECK_MESSAGE(taken["code"] == 0, taken.dump());
    }
    CHECK(nodes.office.secondary.rows(kVisits) == then);
    now = then;
  }
  CHECK(step > 40);  // the library has seen the steps
}

}  // namespace

TEST_CASE("exchange: a sender that is killed at any step loses no change and sends none twice") {
  kill_everywhere(true);
}

TEST_CASE("exchange: a recipient that is killed at any step has a change or has it not") {
  kill_everywhere(false);
}

}  // namespace abgleich::test
