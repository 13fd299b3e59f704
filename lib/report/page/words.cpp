#include "report/page/words.hpp"

#include <algorithm>
#include <array>

namespace abgleich::report {

namespace {

struct Said {
  Word which;
  std::array<std::string_view, kLanguages> in;  // in the order of Language
};

constexpr std::array<Said, kWords> kSaid{{
    {Word::report_title, {"Report on the pairing {}", "Bericht über das Datenbankpaar {}"}},
    {Word::decide_title, {"Conflicts of the pairing {}", "Konflikte des Datenbankpaars {}"}},
    {Word::made, {"Made on {}.", "Erstellt am {}."}},
    {Word::confidential,
     {"This page contains data of the secondary database. Keep it where that may be kept.",
      "Diese Seite enthält Daten der Zweitdatenbank. Bewahren Sie sie nur dort auf, wo diese "
      "liegen dürfen."}},
    {Word::words_note,
     {"Primary: the database that is only read. Secondary: the database that is kept in step, and "
      "that people edit.",
      "Primärdatenbank: die Datenbank, die nur gelesen wird. Zweitdatenbank: die Datenbank, die "
      "auf dem neuesten Stand gehalten wird und in der Menschen arbeiten."}},
    {Word::language_note,
     {"What the program itself has recorded is shown in its own words.",
      "Was das Programm selbst festgehalten hat, steht hier in seinen eigenen, englischen "
      "Worten."}},
    {Word::contents, {"Contents", "Inhalt"}},
    {Word::at_a_glance, {"At a glance", "Auf einen Blick"}},
    {Word::freshness,
     {"Is the secondary up to date?", "Ist die Zweitdatenbank auf dem neuesten Stand?"}},
    {Word::runs, {"Runs", "Läufe"}},
    {Word::open_conflicts, {"Open conflicts", "Offene Konflikte"}},
    {Word::held_rows, {"Rows that are held back", "Zurückgehaltene Zeilen"}},
    {Word::drift,
     {"Changes of the primary's schema (drift)",
      "Änderungen am Schema der Primärdatenbank (drift)"}},
    {Word::what_leaves,
     {"What leaves the primary, and how", "Was die Primärdatenbank verlässt, und in welcher Form"}},
    {Word::hiding, {"How well people are hidden", "Wie gut Personen verborgen sind"}},
    {Word::none, {"None.", "Keine."}},
    {Word::last_run, {"Last run", "Letzter Lauf"}},
    {Word::no_run_yet, {"There was no run yet.", "Es gab noch keinen Lauf."}},
    {Word::syncing_worked, {"Syncing last worked", "Zuletzt gelungener Lauf"}},
    {Word::never_worked, {"never, as far as is recorded", "nie, soweit es festgehalten ist"}},
    {Word::overdue,
     {"That is overdue: at most {} are allowed.",
      "Das ist überfällig: Erlaubt sind höchstens {}."}},
    {Word::last_attempt, {"Last attempt", "Letzter Versuch"}},
    {Word::attempt_ended, {"{}, exit code {}", "{}, Exit-Status {}"}},
    {Word::attempt_killed, {"{}; it never ended", "{}; er ist nie zu Ende gegangen"}},
    {Word::last_day, {"Attempts within the last day", "Versuche innerhalb des letzten Tages"}},
    {Word::day_counts, {"{} of {} worked", "{} von {} sind gelungen"}},
    {Word::fresh_share,
     {"At least {} % of {} changed rows of the last day were there within {}; all of them within "
      "at most {}.",
      "Mindestens {} % von {} geänderten Zeilen des letzten Tages waren innerhalb von {} da, alle "
      "innerhalb von höchstens {}."}},
    {Word::no_changes,
     {"There is nothing to measure yet: no changes have come within the last day, or only a first "
      "load has.",
      "Es gibt noch nichts zu messen: Innerhalb des letzten Tages sind keine Änderungen gekommen, "
      "oder nur die erste Füllung."}},
    {Word::attempts_trouble,
     {"The record of attempts is not complete.",
      "Die Aufzeichnung der Versuche ist nicht vollständig."}},
    {Word::paused, {"Paused", "Angehalten"}},
    {Word::damaged,
     {"The bookkeeping was found damaged, and no run writes.",
      "Die Buchführung ist beschädigt, und kein Lauf schreibt."}},
    {Word::refused, {"No run goes on from here", "So geht kein Lauf weiter"}},
    {Word::not_known, {"Not known: {}", "Nicht bekannt: {}"}},
    {Word::see_status,
     {"exit code {}; whoever looks after the pairing sees why: abgleich status",
      "Exit-Status {}; wer das Datenbankpaar betreut, sieht den Grund: abgleich status"}},
    {Word::runs_chart,
     {"Rows that each run has brought; the newest run is on the right",
      "Zeilen, die jeder Lauf gebracht hat; der neueste Lauf steht rechts"}},
    {Word::runs_scale,
     {"The highest bar stands for {} rows. From {} to {}.",
      "Der höchste Balken steht für {} Zeilen. Von {} bis {}."}},
    {Word::inserted, {"inserted", "eingefügt"}},
    {Word::updated, {"updated", "geändert"}},
    {Word::deleted, {"deleted", "gelöscht"}},
    {Word::run, {"Run", "Lauf"}},
    {Word::finished, {"Finished", "Beendet"}},
    {Word::what_kind, {"What it was", "Was es war"}},
    {Word::rows, {"Rows", "Zeilen"}},
    {Word::by_whom, {"By whom, why", "Wer, warum"}},
    {Word::newest_runs, {"The newest runs, at most {}:", "Die neuesten Läufe, höchstens {}:"}},
    {Word::row_counts,
     {"{} inserted, {} updated, {} deleted", "{} eingefügt, {} geändert, {} gelöscht"}},
    {Word::decided_counts, {"conflicts decided: {}", "entschiedene Konflikte: {}"}},
    {Word::kind_sync, {"sync", "Abgleich"}},
    {Word::kind_resolve, {"conflicts decided", "Konflikte entschieden"}},
    {Word::kind_revert, {"a run taken back", "einen Lauf zurückgenommen"}},
    {Word::kind_resume, {"resumed", "fortgesetzt"}},
    {Word::kind_adopt, {"databases accepted as they are", "Datenbanken angenommen, wie sie sind"}},
    {Word::kind_accept, {"decided that more leaves", "entschieden, dass mehr weitergegeben wird"}},
    {Word::kind_rekey, {"another key for a table", "ein anderer Schlüssel für eine Tabelle"}},
    {Word::kind_rotate, {"a new key for pseudonyms", "ein neuer Schlüssel für Pseudonyme"}},
    {Word::kind_repair, {"the base repaired", "den gemeinsamen Stand repariert"}},
    {Word::kind_lay_down, {"rows laid down anew", "Zeilen neu abgelegt"}},
    {Word::conflict_both_updated,
     {"Both sides have changed the row.", "Beide Seiten haben die Zeile geändert."}},
    {Word::conflict_updated_and_deleted,
     {"The primary has changed the row, the secondary has deleted it.",
      "Die Primärdatenbank hat die Zeile geändert, die Zweitdatenbank hat sie gelöscht."}},
    {Word::conflict_deleted_and_updated,
     {"The primary has deleted the row, the secondary has changed it.",
      "Die Primärdatenbank hat die Zeile gelöscht, die Zweitdatenbank hat sie geändert."}},
    {Word::conflict_both_inserted,
     {"Both sides have inserted a row with this key.",
      "Beide Seiten haben eine Zeile mit diesem Schlüssel eingefügt."}},
    {Word::conflict_constraint,
     {"A rule of the secondary refuses what the primary has.",
      "Eine Regel der Zweitdatenbank lehnt ab, was die Primärdatenbank hat."}},
    {Word::constraint, {"The rule: {}.", "Die Regel: {}."}},
    {Word::in_the_way, {"The row in the way:", "Die Zeile im Weg:"}},
    {Word::conflict_id, {"conflict {}", "Konflikt {}"}},
    {Word::open_since, {"Open since {}.", "Offen seit {}."}},
    {Word::column, {"Column", "Spalte"}},
    {Word::in_primary, {"Primary", "Primärdatenbank"}},
    {Word::in_secondary, {"Secondary", "Zweitdatenbank"}},
    {Word::differs, {"differs", "verschieden"}},
    {Word::null_value, {"no value (NULL)", "kein Wert (NULL)"}},
    {Word::empty_text, {"empty text", "leerer Text"}},
    {Word::no_row, {"no such row", "keine solche Zeile"}},
    {Word::not_read, {"the next run reads it", "der nächste Lauf liest es"}},
    {Word::withheld_value,
     {"not shown: the contract does not let it leave",
      "nicht gezeigt: nach dem Vertrag wird es nicht weitergegeben"}},
    {Word::more_bytes, {"… and {} more bytes", "… und {} weitere Bytes"}},
    {Word::more_conflicts,
     {"Not on this page: {} more, which abgleich conflicts lists.",
      "Nicht auf dieser Seite: {} weitere; abgleich conflicts zeigt sie."}},
    {Word::first_conflicts,
     {"On this page are the first {} of {} open conflicts. When these are decided, the next page "
      "has the next ones.",
      "Auf dieser Seite stehen die ersten {} von {} offenen Konflikten. Sind diese entschieden, "
      "zeigt die nächste Seite die nächsten."}},
    {Word::rare_conflicts,
     {"Not on this page, because too few people are like these: conflicts about rows that are to "
      "be withdrawn, {} in number. Whoever looks after the pairing decides them: abgleich "
      "conflicts.",
      "Nicht auf dieser Seite, weil zu wenige Personen so sind wie diese: Konflikte über Zeilen, "
      "die zurückgezogen werden sollen, {} an der Zahl. Wer das Datenbankpaar betreut, "
      "entscheidet sie: abgleich conflicts."}},
    {Word::older_conflicts,
     {"Not on this page, because the contract has changed since they were found: conflicts, {} in "
      "number. Ask for a new page after the next run.",
      "Nicht auf dieser Seite, weil der Vertrag seitdem geändert ist: Konflikte, {} an der Zahl. "
      "Bitten Sie nach dem nächsten Lauf um eine neue Seite."}},
    {Word::more_held, {"Not on this page: {} more.", "Nicht auf dieser Seite: {} weitere."}},
    {Word::rows_of, {"{} rows, not named here", "{} Zeilen, hier nicht genannt"}},
    {Word::key_not_known, {"one row, not named here", "eine Zeile, hier nicht genannt"}},
    {Word::table, {"Table", "Tabelle"}},
    {Word::row, {"Row", "Zeile"}},
    {Word::why, {"Why", "Warum"}},
    {Word::what, {"What", "Was"}},
    {Word::before_and_now, {"Before, and now", "Vorher, und jetzt"}},
    {Word::consequence, {"What follows", "Was daraus folgt"}},
    {Word::verdict_info, {"nothing, it is only reported", "nichts, es wird nur gemeldet"}},
    {Word::verdict_adapt, {"runs adapt to it", "die Läufe stellen sich darauf ein"}},
    {Word::verdict_block,
     {"the table is not synchronised until somebody decides",
      "die Tabelle wird nicht abgeglichen, bis jemand entscheidet"}},
    {Word::nothing, {"nothing", "nichts"}},
    {Word::by_contract,
     {"By the contract as it is now. The key for pseudonyms is of epoch {}.",
      "Nach dem Vertrag, wie er jetzt ist. Der Schlüssel für Pseudonyme hat die Epoche {}."}},
    {Word::name_in_secondary, {"Name in the secondary", "Name in der Zweitdatenbank"}},
    {Word::class_, {"Class", "Klasse"}},
    {Word::class_plain, {"plain: as it is", "plain: unverändert"}},
    {Word::class_pseudonym,
     {"pseudonym: a pseudonym in its place", "pseudonym: an seiner Stelle ein Pseudonym"}},
    {Word::class_generalise, {"generalise: less exact", "generalise: weniger genau"}},
    {Word::class_withhold, {"withhold: never leaves", "withhold: wird nie weitergegeben"}},
    {Word::class_token,
     {"token: a token of another office, passed on or turned back",
      "token: ein Token einer anderen Stelle, weitergereicht oder aufgelöst"}},
    {Word::unnamed,
     {"{} more columns are never read, because the contract does not name them.",
      "{} weitere Spalten werden nie gelesen, weil der Vertrag sie nicht nennt."}},
    {Word::decided_by,
     {"Which rows leave is decided by: {}.",
      "Welche Zeilen weitergegeben werden, entscheiden: {}."}},
    {Word::accepted_because, {"few values, accepted: {}", "wenige Werte, angenommen: {}"}},
    {Word::k_title,
     {"k-anonymity of {}: how many people share each combination of {}",
      "k-Anonymität von {}: wie viele Personen jede Kombination von {} teilen"}},
    {Word::k_is,
     {"k = {}: so many people, or more, share each combination. Combinations: {}.",
      "k = {}: So viele Personen oder mehr teilen jede Kombination. Kombinationen: {}."}},
    {Word::k_limit,
     {"The line marks min_k = {}. Rows below it: {}.",
      "Der Strich zeigt min_k = {}. Zeilen darunter: {}."}},
    {Word::k_scale, {"The whole width stands for {}.", "Die ganze Breite steht für {}."}},
    {Word::l_title,
     {"l-diversity: how many different values of {} each combination has",
      "l-Diversität: wie viele verschiedene Werte von {} jede Kombination hat"}},
    {Word::l_is,
     {"l = {}: each combination has so many values, or more.",
      "l = {}: Jede Kombination hat so viele Werte oder mehr."}},
    {Word::unique_title,
     {"People of {} who are the only ones with their values in: {}",
      "Personen in {}, die als einzige ihre Werte haben in: {}"}},
    {Word::unique_is, {"{} of {}", "{} von {}"}},
    {Word::no_quasi,
     {"{}: no quasi-identifiers are declared, so nothing can be said of k and l.",
      "{}: Es sind keine Quasi-Identifikatoren angegeben, also lässt sich zu k und l nichts "
      "sagen."}},
    {Word::not_there_yet,
     {"{}: the secondary has no rows of it yet.",
      "{}: Die Zweitdatenbank hat davon noch keine Zeilen."}},
    {Word::rare_rows,
     {"Rows held back by min_k = {}: {}. Of these still in the secondary: {}.",
      "Wegen min_k = {} zurückgehaltene Zeilen: {}. Davon noch in der Zweitdatenbank: {}."}},
    {Word::how_to_decide,
     {"Compare both values, ask whoever knows, and choose a side for each conflict. What you leave "
      "open stays as it is in the secondary.",
      "Vergleichen Sie beide Werte, fragen Sie, wer es weiß, und wählen Sie für jeden Konflikt "
      "eine Seite. Was Sie offen lassen, bleibt so, wie es in der Zweitdatenbank steht."}},
    {Word::without_script,
     {"This browser runs no script for this page. So the button below puts your choices into the "
      "address of the page: copy the address and paste it into an empty text file.",
      "Dieser Browser führt für diese Seite kein Skript aus. Darum schreibt der Knopf am Ende Ihre "
      "Auswahl in die Adresse der Seite: Kopieren Sie die Adresse, und fügen Sie sie in eine "
      "leere Textdatei ein."}},
    {Word::what_then,
     {"Give the file to whoever looks after the pairing, who runs: abgleich resolve --from FILE. "
      "What has changed by then is refused line by line, and the rest is applied.",
      "Geben Sie die Datei der Person, die das Datenbankpaar betreut. Diese ruft auf: abgleich "
      "resolve --from DATEI. Was sich bis dahin geändert hat, wird Zeile für Zeile abgelehnt, "
      "alles andere ausgeführt."}},
    {Word::nothing_to_decide,
     {"No conflict is open: there is nothing to decide.",
      "Es ist kein Konflikt offen: Es gibt nichts zu entscheiden."}},
    {Word::take_primary, {"Take the primary's values", "Die Werte der Primärdatenbank nehmen"}},
    {Word::take_primary_delete,
     {"Delete the row, as the primary did", "Die Zeile löschen, wie die Primärdatenbank"}},
    {Word::take_primary_insert,
     {"Insert the row again, as the primary has it",
      "Die Zeile wieder einfügen, wie die Primärdatenbank sie hat"}},
    {Word::take_secondary, {"Keep what the secondary has", "Behalten, was die Zweitdatenbank hat"}},
    {Word::take_secondary_gone, {"Leave the row deleted", "Die Zeile gelöscht lassen"}},
    {Word::take_secondary_never, {"Leave the row out", "Die Zeile nicht aufnehmen"}},
    {Word::leave_open, {"Leave it open", "Offen lassen"}},
    {Word::primary_impossible,
     {"The primary's side cannot be taken here: correct the data in one of the databases, or have "
      "another value entered: abgleich resolve --set.",
      "Die Seite der Primärdatenbank lässt sich hier nicht nehmen: Berichtigen Sie die Daten in "
      "einer der Datenbanken, oder lassen Sie einen anderen Wert eintragen: abgleich resolve "
      "--set."}},
    {Word::primary_later,
     {"Only the next run reads the primary's side of it as a whole. Ask for a new page after that.",
      "Erst der nächste Lauf liest die Seite der Primärdatenbank vollständig. Bitten Sie danach um "
      "eine neue Seite."}},
    {Word::to_address, {"Put the choices into the address", "Auswahl in die Adresse schreiben"}},
    {Word::save_file, {"Save the decisions as a file", "Entscheidungen als Datei speichern"}},
    {Word::decided_count, {"{} of {} decided", "{} von {} entschieden"}},
    {Word::seconds, {"{} seconds", "{} Sekunden"}},
    {Word::minutes, {"{} minutes", "{} Minuten"}},
    {Word::hours, {"{} hours", "{} Stunden"}},
    {Word::days, {"{} days", "{} Tage"}},
    {Word::second, {"1 second", "1 Sekunde"}},
    {Word::ago, {"{}, {} ago", "{}, Alter: {}"}},
}};

struct Drifted {
  drift::EventKind kind;
  std::array<std::string_view, kLanguages> in;
};

constexpr std::size_t kKinds = static_cast<std::size_t>(drift::EventKind::unused_was) + 1;
constexpr std::array<Drifted, kKinds> kDrifted{{
    {drift::EventKind::dropped_column, {"a column was dropped", "eine Spalte wurde gelöscht"}},
    {drift::EventKind::dropped_foreign_key,
     {"a foreign key was dropped", "ein Fremdschlüssel wurde gelöscht"}},
    {drift::EventKind::dropped_table, {"a table was dropped", "eine Tabelle wurde gelöscht"}},
    {drift::EventKind::key_changed, {"the key has changed", "der Schlüssel ist ein anderer"}},
    {drift::EventKind::missing_in_primary,
     {"the contract names what the primary does not have",
      "der Vertrag nennt, was die Primärdatenbank nicht hat"}},
    {drift::EventKind::new_column, {"a new column", "eine neue Spalte"}},
    {drift::EventKind::new_enum_label,
     {"a new value of an enumeration", "ein neuer Wert einer Aufzählung"}},
    {drift::EventKind::new_table, {"a new table", "eine neue Tabelle"}},
    {drift::EventKind::not_in_contract,
     {"the contract does not name it", "der Vertrag nennt es nicht"}},
    {drift::EventKind::nullability_loosened,
     {"it may have no value (NULL) now", "es darf jetzt ohne Wert (NULL) sein"}},
    {drift::EventKind::nullability_tightened,
     {"it must have a value now", "es muss jetzt einen Wert haben"}},
    {drift::EventKind::renamed_column, {"a column has another name", "eine Spalte heißt anders"}},
    {drift::EventKind::renamed_table, {"a table has another name", "eine Tabelle heißt anders"}},
    {drift::EventKind::replaced_column,
     {"the name belongs to another column now", "der Name gehört jetzt einer anderen Spalte"}},
    {drift::EventKind::replaced_table,
     {"the name belongs to another table now", "der Name gehört jetzt einer anderen Tabelle"}},
    {drift::EventKind::rights_lost,
     {"the right to read it was lost", "das Recht, es zu lesen, fehlt jetzt"}},
    {drift::EventKind::row_security_enabled,
     {"row security hides rows", "eine Zeilensicherheit verbirgt Zeilen"}},
    {drift::EventKind::secondary_column_dropped,
     {"a column was dropped in the secondary", "in der Zweitdatenbank wurde eine Spalte gelöscht"}},
    {drift::EventKind::secondary_column_not_null,
     {"a column of the secondary must have a value now",
      "in der Zweitdatenbank muss eine Spalte jetzt einen Wert haben"}},
    {drift::EventKind::secondary_column_renamed,
     {"a column was renamed in the secondary",
      "in der Zweitdatenbank wurde eine Spalte umbenannt"}},
    {drift::EventKind::secondary_column_retyped,
     {"a column of the secondary has another type",
      "in der Zweitdatenbank hat eine Spalte einen anderen Typ"}},
    {drift::EventKind::secondary_table_inherited,
     {"another table of the secondary inherits from it",
      "in der Zweitdatenbank erbt eine andere Tabelle davon"}},
    {drift::EventKind::shifted_column,
     {"a column stands in another place", "eine Spalte steht an anderer Stelle"}},
    {drift::EventKind::type_changed, {"the type has changed", "der Typ ist ein anderer"}},
    {drift::EventKind::type_widened,
     {"the type holds more than before", "der Typ fasst mehr als zuvor"}},
    {drift::EventKind::unused_was,
     {"a name that the contract calls former is not needed",
      "ein früherer Name im Vertrag wird nicht gebraucht"}},
}};

constexpr bool whole(const std::array<std::string_view, kLanguages>& in) {
  return std::ranges::none_of(in, &std::string_view::empty);
}

/// Every word is in its place, in every language.
constexpr bool complete() {
  for (std::size_t i = 0; i < kWords; ++i) {
    if (static_cast<std::size_t>(kSaid[i].which) != i || !whole(kSaid[i].in)) {
      return false;
    }
  }
  for (std::size_t i = 0; i < kKinds; ++i) {
    if (static_cast<std::size_t>(kDrifted[i].kind) != i || !whole(kDrifted[i].in)) {
      return false;
    }
  }
  return true;
}
static_assert(complete());

}  // namespace

std::string_view name_of(Language language) {
  return language == Language::de ? "de" : "en";
}

std::string_view word(Language language, Word which) {
  return kSaid.at(static_cast<std::size_t>(which)).in.at(static_cast<std::size_t>(language));
}

std::string_view word(Language language, drift::EventKind kind) {
  return kDrifted.at(static_cast<std::size_t>(kind)).in.at(static_cast<std::size_t>(language));
}

std::string span_words(Language language, std::int64_t seconds) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  if (seconds == 1) {
    return std::string(word(language, Word::second));
  }
  // a unit is used from two of it on, as in `age_text`
  return seconds < 2 * kMinute ? phrase(language, Word::seconds, seconds)
         : seconds < 2 * kHour ? phrase(language, Word::minutes, seconds / kMinute)
         : seconds < 2 * kDay  ? phrase(language, Word::hours, seconds / kHour)
                               : phrase(language, Word::days, seconds / kDay);
}

}  // namespace abgleich::report
