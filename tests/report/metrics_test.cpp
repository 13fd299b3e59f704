#include "report/metrics.hpp"

#include "support/prometheus_text.hpp"

#include <doctest/doctest.h>

using namespace abgleich;
using abgleich::test::PrometheusText;

namespace {

state::Attempt attempt() {
  return {.number = 1,
          .state = state::Attempt::State::ended,
          .began = 1'764'547'200,
          .ended = 1'764'547'202,
          .milliseconds = 1'734,
          .exit = 10,
          .inserted = 1,
          .updated = 2,
          .deleted = 3,
          .last_success = 1'764'547'202,
          .conflicts = 4,
          .quarantined = 5,
          .drift_info = 6,
          .drift_adapt = 7,
          .drift_block = 8};
}

}  // namespace

TEST_CASE("metrics: what Prometheus reads is what the attempt was") {
  const PrometheusText read(report::metrics_text(attempt(), "kpm", std::chrono::minutes(30)));
  const auto value = [&](const std::string& name, PrometheusText::Labels labels = {}) {
    labels["pairing"] = "kpm";
    return read.value("abgleich_" + name, labels);
  };
  CHECK(value("last_success_timestamp_seconds") == 1'764'547'202);
  CHECK(value("last_attempt_timestamp_seconds") == 1'764'547'202);
  CHECK(value("last_attempt_duration_seconds") == doctest::Approx(1.734));
  CHECK(value("last_attempt_exit_code") == 10);
  CHECK(value("last_attempt_rows", {{"fate", "inserted"}}) == 1);
  CHECK(value("last_attempt_rows", {{"fate", "updated"}}) == 2);
  CHECK(value("last_attempt_rows", {{"fate", "deleted"}}) == 3);
  CHECK(value("open_conflicts") == 4);
  CHECK(value("held_rows") == 5);
  CHECK(value("drift_events", {{"verdict", "info"}}) == 6);
  CHECK(value("drift_events", {{"verdict", "adapt"}}) == 7);
  CHECK(value("drift_events", {{"verdict", "block"}}) == 8);
  CHECK(value("max_age_seconds") == 1800);
  CHECK(read.metrics() == 9);
  CHECK(read.all("pairing") == std::set<std::string>{"kpm"});
}

TEST_CASE("metrics: no last success is none, not one in 1970") {
  auto never = attempt();
  never.last_success = 0;
  const PrometheusText read(report::metrics_text(never, "kpm", std::nullopt));
  CHECK_FALSE(read.has("abgleich_last_success_timestamp_seconds"));
  CHECK_FALSE(read.has("abgleich_max_age_seconds"));
  CHECK(read.has("abgleich_last_attempt_exit_code"));
}

TEST_CASE("metrics: a pairing may be called anything that a file may") {
  for (const std::string name :
       {"a\"b", "a\\b", "a\nb", "Gesundheitsamt Süd", "a}b{c=\"d\"", ","}) {
    const PrometheusText read(report::metrics_text(attempt(), name, std::nullopt));
    CHECK(read.all("pairing") == std::set<std::string>{name});
  }
}
