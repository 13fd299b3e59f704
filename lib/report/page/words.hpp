// What the pages say, in each of their languages. The compiler checks that no word is missing.
#pragma once

#include "drift/drift.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich::report {

enum class Language : std::uint8_t { en, de };
inline constexpr std::size_t kLanguages = 2;
/// "en", "de"
std::string_view name_of(Language language);

/// A sentence or a part of one; some have places for names and numbers.
enum class Word : std::uint8_t {
  report_title,
  decide_title,
  made,
  confidential,
  words_note,
  language_note,
  contents,
  at_a_glance,
  freshness,
  runs,
  open_conflicts,
  held_rows,
  drift,
  what_leaves,
  hiding,
  none,
  last_run,
  no_run_yet,
  syncing_worked,
  never_worked,
  overdue,
  last_attempt,
  attempt_ended,
  attempt_killed,
  last_day,
  day_counts,
  fresh_share,
  no_changes,
  attempts_trouble,
  paused,
  damaged,
  refused,
  not_known,
  see_status,
  runs_chart,
  runs_scale,
  inserted,
  updated,
  deleted,
  run,
  finished,
  what_kind,
  rows,
  by_whom,
  newest_runs,
  row_counts,
  decided_counts,
  kind_sync,
  kind_resolve,
  kind_revert,
  kind_resume,
  kind_adopt,
  kind_accept,
  kind_rekey,
  kind_rotate,
  kind_repair,
  kind_lay_down,
  conflict_both_updated,
  conflict_updated_and_deleted,
  conflict_deleted_and_updated,
  conflict_both_inserted,
  conflict_constraint,
  constraint,
  in_the_way,
  conflict_id,
  open_since,
  column,
  in_primary,
  in_secondary,
  differs,
  null_value,
  empty_text,
  no_row,
  not_read,
  withheld_value,
  more_bytes,
  more_conflicts,
  first_conflicts,
  rare_conflicts,
  older_conflicts,
  more_held,
  rows_of,
  key_not_known,
  table,
  row,
  why,
  what,
  before_and_now,
  consequence,
  verdict_info,
  verdict_adapt,
  verdict_block,
  nothing,
  by_contract,
  name_in_secondary,
  class_,
  class_plain,
  class_pseudonym,
  class_generalise,
  class_withhold,
  class_token,
  unnamed,
  decided_by,
  accepted_because,
  k_title,
  k_is,
  k_limit,
  k_scale,
  l_title,
  l_is,
  unique_title,
  unique_is,
  no_quasi,
  not_there_yet,
  rare_rows,
  how_to_decide,
  without_script,
  what_then,
  nothing_to_decide,
  take_primary,
  take_primary_delete,
  take_primary_insert,
  take_secondary,
  take_secondary_gone,
  take_secondary_never,
  leave_open,
  primary_impossible,
  primary_later,
  to_address,
  save_file,
  decided_count,
  seconds,
  minutes,
  hours,
  days,
  second,
  ago,
};
inline constexpr std::size_t kWords = static_cast<std::size_t>(Word::ago) + 1;

std::string_view word(Language language, Word which);
/// What a kind of drift is.
std::string_view word(Language language, drift::EventKind kind);

/// The word with its places filled. REQUIRES: it has as many places as there are arguments.
template <class... Arguments>
std::string phrase(Language language, Word which, const Arguments&... arguments) {
  return fmt::format(fmt::runtime(word(language, which)), arguments...);
}

/// "5 minutes", "3 hours".
std::string span_words(Language language, std::int64_t seconds);

}  // namespace abgleich::report
