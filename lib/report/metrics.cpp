#include "report/metrics.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace abgleich::report {

namespace {

/// A label's value, as the format has it between quotes.
std::string label_text(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') {
      text += '\\';
    }
    text += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return text;
}

class Metrics {
 public:
  explicit Metrics(std::string_view pairing)
      : pairing_(fmt::format("pairing=\"{}\"", label_text(pairing))) {}

  /// Begins a metric. All of them are gauges, since nothing is counted over several attempts.
  void begin(std::string_view name, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
  }
  void add(std::int64_t value) { text_ += fmt::format("{}{{{}}} {}\n", name_, pairing_, value); }
  void add(double value) { text_ += fmt::format("{}{{{}}} {:.3f}\n", name_, pairing_, value); }
  void add(std::string_view label, std::string_view word, std::int64_t value) {
    text_ += fmt::format("{}{{{},{}=\"{}\"}} {}\n", name_, pairing_, label, word, value);
  }

  [[nodiscard]] std::string text() && { return std::move(text_); }

 private:
  std::string pairing_;
  std::string name_;
  std::string text_;
};

}  // namespace

std::string metrics_text(const state::Attempt& attempt, std::string_view pairing,
                         const std::optional<std::chrono::seconds>& max_age) {
  constexpr double kMilliseconds = 1000;
  Metrics metrics(pairing);
  if (attempt.last_success > 0) {
    metrics.begin("abgleich_last_success_timestamp_seconds",
                  "When a sync last succeeded (exit code 0, 10 or 11), Unix time.");
    metrics.add(attempt.last_success);
  }
  metrics.begin("abgleich_last_attempt_timestamp_seconds", "When the last sync ended, Unix time.");
  metrics.add(attempt.ended);
  metrics.begin("abgleich_last_attempt_duration_seconds", "How long the last sync took.");
  metrics.add(static_cast<double>(attempt.milliseconds) / kMilliseconds);
  metrics.begin("abgleich_last_attempt_exit_code", "The exit code of the last sync.");
  metrics.add(std::int64_t{attempt.exit});
  metrics.begin("abgleich_last_attempt_rows",
                "Rows that the last sync wrote to the secondary, by what became of them.");
  metrics.add("fate", "inserted", attempt.inserted);
  metrics.add("fate", "updated", attempt.updated);
  metrics.add("fate", "deleted", attempt.deleted);
  metrics.begin("abgleich_open_conflicts", "Conflicts that wait for a decision, as last known.");
  metrics.add(attempt.conflicts);
  metrics.begin("abgleich_held_rows", "Rows that are held back, as last known.");
  metrics.add(attempt.quarantined);
  metrics.begin("abgleich_drift_events",
                "Differences between schema, accepted catalogue and contract, as last known.");
  metrics.add("verdict", "info", attempt.drift_info);
  metrics.add("verdict", "adapt", attempt.drift_adapt);
  metrics.add("verdict", "block", attempt.drift_block);
  if (max_age) {
    metrics.begin("abgleich_max_age_seconds",
                  "Without a success for longer than this, syncing is overdue.");
    metrics.add(std::int64_t{max_age->count()});
  }
  return std::move(metrics).text();
}

}  // namespace abgleich::report
