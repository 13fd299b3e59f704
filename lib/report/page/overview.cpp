#include "report/page/overview.hpp"

#include "core/clock.hpp"
#include "report/local_time.hpp"
#include "report/page/chart.hpp"
#include "report/page/conflict_table.hpp"
#include "report/page/frame.hpp"
#include "report/page/html.hpp"
#include "report/page/privacy_sections.hpp"
#include "report/page/table_head.hpp"
#include "report/run_counts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace abgleich::report {

namespace {

constexpr std::size_t kListedRuns = 20;

struct Section {
  std::string_view id;
  Word title;
};

constexpr std::array<Section, 8> kSections{{{"glance", Word::at_a_glance},
                                            {"freshness", Word::freshness},
                                            {"runs", Word::runs},
                                            {"conflicts", Word::open_conflicts},
                                            {"held", Word::held_rows},
                                            {"drift", Word::drift},
                                            {"leaves", Word::what_leaves},
                                            {"hiding", Word::hiding}}};

constexpr std::array<std::pair<std::string_view, Word>, 10> kRunKinds{
    {{"sync", Word::kind_sync},
     {"resolve", Word::kind_resolve},
     {"revert", Word::kind_revert},
     {"resume", Word::kind_resume},
     {"adopt", Word::kind_adopt},
     {"accept", Word::kind_accept},
     {"rekey", Word::kind_rekey},
     {"rotate", Word::kind_rotate},
     {"repair", Word::kind_repair},
     {"lay-down", Word::kind_lay_down}}};

/// Writes the sections of one page.
class OverviewWriter {
 public:
  OverviewWriter(Html& html, const Overview& overview, Language language)
      : html_(html), overview_(overview), language_(language) {}

  void write() {
    contents();
    for (const auto& [id, title] : kSections) {
      const auto section = html_.open("section", {{"id", std::string(id)}});
      html_.leaf("h2", word(language_, title));
      write(title);
    }
  }

 private:
  void write(Word title) {
    switch (title) {
      case Word::at_a_glance:
        return glance();
      case Word::freshness:
        return freshness();
      case Word::runs:
        return runs();
      case Word::open_conflicts:
        return conflicts();
      case Word::held_rows:
        return held();
      case Word::drift:
        return drift();
      case Word::what_leaves:
        return what_leaves();
      default:
        return hiding();
    }
  }

  void contents() {
    const auto nav =
        html_.open("nav", {{"aria-label", std::string(word(language_, Word::contents))}});
    const auto list = html_.open("ul");
    for (const auto& [id, title] : kSections) {
      const auto item = html_.open("li");
      html_.leaf("a", word(language_, title), {{"href", fmt::format("#{}", id)}});
    }
  }

  void pair(Word name, std::string_view text) {
    html_.leaf("dt", word(language_, name));
    html_.leaf("dd", text);
  }
  void paragraph(std::string_view text) { html_.leaf("p", text); }

  // Messages name hosts, users and files, which are no affair of those who get a page.
  [[nodiscard]] std::string see_status(const Error& error) const {
    return phrase(language_, Word::see_status, static_cast<int>(error.code));
  }
  [[nodiscard]] std::string not_known(const Error& error) const {
    return phrase(language_, Word::not_known, see_status(error));
  }

  [[nodiscard]] std::string moment(std::int64_t at) const {
    return moment_words(language_, utc_of(at), std::max<std::int64_t>(0, overview_.pulse.now - at));
  }

  void glance() {
    if (overview_.damaged) {
      paragraph(word(language_, Word::damaged));
    }
    const auto list = html_.open("dl");
    pair(Word::last_run, overview_.runs.empty()
                             ? std::string(word(language_, Word::no_run_yet))
                             : fmt::format("{}: {}", overview_.runs.front().id,
                                           moment_words(language_, overview_.runs.front().finished,
                                                        overview_.run_age)));
    pair(Word::open_conflicts,
         std::to_string(static_cast<std::int64_t>(overview_.conflicts.size()) +
                        overview_.more_conflicts + overview_.rare_conflicts +
                        overview_.older_conflicts));
    pair(Word::held_rows, std::to_string(overview_.held_rows));
    pair(Word::drift, overview_.drift_unknown ? not_known(*overview_.drift_unknown)
                                              : std::to_string(overview_.drift.size()));
    if (overview_.paused) {
      pair(Word::paused, *overview_.paused);
    }
    if (overview_.refused) {
      pair(Word::refused, see_status(*overview_.refused));
    }
  }

  void last_attempt() {
    const auto& beat = overview_.pulse.beat;
    const bool open_is_last = beat.at_work && !overview_.pulse.at_work &&
                              (!beat.newest || beat.at_work->number > beat.newest->number);
    const auto& last = open_is_last ? beat.at_work : beat.newest;
    if (!last) {
      return;
    }
    const bool ended = last->state == state::Attempt::State::ended;
    pair(Word::last_attempt,
         ended ? phrase(language_, Word::attempt_ended, moment(last->ended), last->exit)
               : phrase(language_, Word::attempt_killed, moment(last->began)));
  }

  void freshness() {
    const auto& beat = overview_.pulse.beat;
    const auto& patience = overview_.pulse.patience;
    {
      const auto list = html_.open("dl");
      pair(Word::syncing_worked, beat.last_success
                                     ? moment(*beat.last_success)
                                     : std::string(word(language_, Word::never_worked)));
      last_attempt();
      pair(Word::last_day, phrase(language_, Word::day_counts, beat.successes, beat.attempts));
    }
    if (beat.overdue && patience.max_age) {
      paragraph(phrase(language_, Word::overdue, span_words(language_, patience.max_age->count())));
    }
    if (!overview_.pulse.trouble.empty()) {
      paragraph(word(language_, Word::attempts_trouble));
    }
    const auto& fresh = beat.freshness;
    if (fresh.changes == 0) {
      paragraph(word(language_, Word::no_changes));
      return;
    }
    constexpr std::int64_t kWhole = 100;
    const auto says =
        phrase(language_, Word::fresh_share, fresh.in_time * kWhole / fresh.changes, fresh.changes,
               span_words(language_, patience.within.count()), span_words(language_, fresh.worst));
    paragraph(says);
    draw_level(html_, {.value = fresh.in_time, .whole = fresh.changes}, says);
  }

  [[nodiscard]] std::string counts(const RunEntry& run) const {
    return run.decided > 0
               ? phrase(language_, Word::decided_counts, run.decided)
               : phrase(language_, Word::row_counts, run.inserted, run.updated, run.deleted);
  }

  void runs() {
    if (overview_.runs.empty()) {
      paragraph(word(language_, Word::no_run_yet));
      return;
    }
    runs_chart();
    const auto listed = std::min(kListedRuns, overview_.runs.size());
    paragraph(phrase(language_, Word::newest_runs, listed));
    const auto table = html_.open("table");
    write_table_head(html_, language_,
                     {Word::run, Word::finished, Word::what_kind, Word::rows, Word::by_whom});
    const auto body = html_.open("tbody");
    for (std::size_t i = 0; i < listed; ++i) {
      const auto& run = overview_.runs[i];
      const auto row = html_.open("tr");
      html_.leaf("td", run.id);
      html_.leaf("td", with_local(run.finished));
      html_.leaf("td", kind_words(run.kind));
      html_.leaf("td", counts(run));
      html_.leaf("td", run.operator_ + (run.reason.empty() ? "" : ": " + run.reason));
    }
  }

  [[nodiscard]] std::string kind_words(const std::string& kind) const {
    const auto* found = std::ranges::find(kRunKinds, std::string_view(kind),
                                          &std::pair<std::string_view, Word>::first);
    return found == kRunKinds.end() ? kind : std::string(word(language_, found->second));
  }

  void runs_chart() {
    std::vector<Bar> bars;
    std::int64_t highest = 0;
    for (auto run = overview_.runs.rbegin(); run != overview_.runs.rend(); ++run) {
      bars.push_back({.title = fmt::format("{}, {}: {}", run->id, run->finished, counts(*run)),
                      .parts = {run->inserted, run->updated, run->deleted}});
      highest = std::max(highest, run->inserted + run->updated + run->deleted);
    }
    paragraph(word(language_, Word::runs_chart));
    draw_bars(html_, bars, word(language_, Word::runs_chart));
    const auto legend = html_.open("p", {{"class", "shades"}});
    constexpr std::array<std::pair<std::string_view, Word>, kShades> kLegend{
        {{"dark", Word::inserted}, {"middle", Word::updated}, {"light", Word::deleted}}};
    for (const auto& [shade, says] : kLegend) {
      const auto entry = html_.open("span");
      draw_shade(html_, shade);
      html_.text(word(language_, says));
    }
    html_.text(phrase(language_, Word::runs_scale, highest,
                      with_local(overview_.runs.back().finished),
                      with_local(overview_.runs.front().finished)));
  }

  void conflicts() {
    if (overview_.rare_conflicts > 0) {
      paragraph(phrase(language_, Word::rare_conflicts, overview_.rare_conflicts));
    }
    if (overview_.older_conflicts > 0) {
      paragraph(phrase(language_, Word::older_conflicts, overview_.older_conflicts));
    }
    if (overview_.conflicts.empty() && overview_.rare_conflicts + overview_.older_conflicts == 0) {
      paragraph(word(language_, Word::none));
    }
    for (const auto& conflict : overview_.conflicts) {
      const auto article = html_.open("article");
      {
        const auto heading = html_.open("h3");
        write_conflict_name(html_, language_, conflict);
      }
      write_conflict(html_, language_, conflict);
    }
    if (overview_.more_conflicts > 0) {
      paragraph(phrase(language_, Word::more_conflicts, overview_.more_conflicts));
    }
  }

  void held_key(const HeldRow& held) {
    const auto data = html_.open("td");
    if (held.rows > 1) {
      html_.text(phrase(language_, Word::rows_of, held.rows));
    } else if (held.key.empty()) {
      html_.text(word(language_, Word::key_not_known));
    } else {
      write_key(html_, language_, held.key);
    }
  }

  void held() {
    if (overview_.held_rows == 0) {
      paragraph(word(language_, Word::none));
      return;
    }
    {
      const auto table = html_.open("table");
      write_table_head(html_, language_, {Word::table, Word::row, Word::why});
      const auto body = html_.open("tbody");
      for (const auto& held : overview_.held) {
        const auto row = html_.open("tr");
        html_.leaf("td", held.table);
        held_key(held);
        html_.leaf("td", held.reason);
      }
    }
    if (overview_.more_held > 0) {
      paragraph(phrase(language_, Word::more_held, overview_.more_held));
    }
  }

  [[nodiscard]] std::string_view or_nothing(const std::string& text) const {
    return text.empty() ? word(language_, Word::nothing) : std::string_view(text);
  }

  void drift() {
    if (overview_.drift_unknown) {
      paragraph(not_known(*overview_.drift_unknown));
      return;
    }
    if (overview_.drift.empty()) {
      paragraph(word(language_, Word::none));
      return;
    }
    const auto table = html_.open("table");
    write_table_head(html_, language_,
                     {Word::column, Word::what, Word::before_and_now, Word::consequence});
    const auto body = html_.open("tbody");
    for (const auto& event : overview_.drift) {
      const auto row = html_.open("tr");
      html_.leaf("td", event.column.empty() ? event.table : event.table + "." + event.column);
      html_.leaf("td", word(language_, event.kind));
      html_.leaf("td", event.was.empty() && event.now.empty()
                           ? std::string()
                           : fmt::format("{} → {}", or_nothing(event.was), or_nothing(event.now)));
      html_.leaf("td",
                 word(language_, event.verdict == drift::Verdict::block   ? Word::verdict_block
                                 : event.verdict == drift::Verdict::adapt ? Word::verdict_adapt
                                                                          : Word::verdict_info));
    }
  }

  /// Whether it is known what leaves; says why not.
  bool privacy_is_known() {
    if (overview_.privacy_unknown) {
      paragraph(not_known(*overview_.privacy_unknown));
    }
    return overview_.privacy.has_value();
  }
  void what_leaves() {
    if (privacy_is_known()) {
      write_what_leaves(html_, language_, *overview_.privacy);
    }
  }
  void hiding() {
    if (privacy_is_known()) {
      write_hiding(html_, language_, *overview_.privacy);
    }
  }

  Html& html_;
  const Overview& overview_;
  Language language_;
};

}  // namespace

RunEntry run_entry(const db::RunRow& run) {
  RunEntry entry{.id = run.id,
                 .kind = run.kind,
                 .finished = run.finished,
                 .operator_ = run.operator_,
                 .reason = run.reason.value_or("")};
  const auto counts = counts_of(run);
  const auto count = [](const auto& numbers, const char* name) {
    const auto found = numbers.find(name);
    return found != numbers.end() && found->is_number_integer()
               ? found->template get<std::int64_t>()
               : std::int64_t{0};
  };
  for (const auto& numbers : counts) {
    entry.inserted += count(numbers, "inserted");
    entry.updated += count(numbers, "updated");
    entry.deleted += count(numbers, "deleted");
    entry.decided += count(numbers, "resolved");
  }
  return entry;
}

std::string overview_page(const Overview& overview, Language language) {
  return page_of({.language = language,
                  .title = phrase(language, Word::report_title, overview.pairing),
                  .made = overview.made,
                  .script = std::nullopt},
                 [&](Html& html) { OverviewWriter(html, overview, language).write(); });
}

}  // namespace abgleich::report
