#include "report/text.hpp"

#include "core/visible_text.hpp"
#include "journal/record.hpp"
#include "report/local_time.hpp"
#include "report/run_counts.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace abgleich::report {

namespace {

// SGR attributes
constexpr std::string_view kRed = "31";
constexpr std::string_view kGreen = "32";
constexpr std::string_view kYellow = "33";
constexpr std::string_view kBold = "1";

std::string paint(std::string_view text, std::string_view code, Colour colour) {
  if (colour == Colour::off) {
    return std::string(text);
  }
  return colour_mark(code) + std::string(text) + colour_mark("0");
}

/// A value as a terminal shows it: characters that would break the line or control the terminal are
/// spelled out; long text is cut.
std::string shown(const Value& value) {
  constexpr std::size_t kLongest = 60;
  if (value.is_null()) {
    return "NULL";
  }
  std::string text;
  const bool quoted =
      value.kind() == Kind::text || value.kind() == Kind::json || value.kind() == Kind::other;
  if (value.kind() == Kind::boolean) {
    return value.bytes() == "t" ? "true" : "false";
  }
  const bool raw = value.kind() == Kind::bytes || !is_utf8(value.bytes());
  for (const char c : value.bytes()) {
    const auto byte = static_cast<unsigned char>(c);
    // a cut only before a character, never inside one
    if (text.size() >= kLongest && (byte & 0xc0U) != 0x80U) {
      text += "…";
      break;
    }
    if (raw) {
      text += fmt::format("{:02x}", byte);
    } else {
      text += c;
    }
  }
  if (raw) {
    return "\\x" + text;
  }
  text = visible(text);
  return quoted ? fmt::format("\"{}\"", text) : text;
}

std::string shown(const std::optional<Value>& value) {
  return value ? shown(*value) : std::string("(no row)");
}

std::string key_of(const std::vector<std::pair<std::string, Value>>& key) {
  std::string text;
  for (const auto& [name, value] : key) {
    auto shown_value = shown(value);
    if (value.kind() == Kind::text) {
      shown_value = shown_value.substr(1, shown_value.size() - 2);  // without the quotes
    }
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", visible(name), shown_value);
  }
  return text;
}

struct Mark {
  std::string_view sign;
  std::string_view colour;
};

/// A standing in words, without the word "row" or "rows".
std::string_view words_of(merge::Standing standing) {
  switch (standing) {
    case merge::Standing::agrees:
      return "agree";
    case merge::Standing::owner_secondary:
      return "owned by the secondary";
    case merge::Standing::owner_primary:
      return "owner primary: edited in the secondary";
    case merge::Standing::edited:
      return "edited in the secondary";
    case merge::Standing::secondary_only:
      return "in the secondary only";
    case merge::Standing::deleted:
      return "deleted in the secondary";
    case merge::Standing::quarantined:
      return "held back";
    case merge::Standing::conflict:
      return "in conflict";
    case merge::Standing::pending:
      return "not yet synced";
    case merge::Standing::unexplained:
      return "unexplained";
  }
  return "";
}

std::string_view colour_of(merge::Standing standing) {
  switch (standing) {
    case merge::Standing::unexplained:
    case merge::Standing::conflict:
    case merge::Standing::quarantined:
      return kRed;
    case merge::Standing::pending:
      return kYellow;
    default:
      return kBold;
  }
}

/// "12,867"
std::string with_commas(std::int64_t number) {
  constexpr std::size_t kGroup = 3;
  const auto digits = std::to_string(number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % kGroup == 0) {
      text += ',';
    }
    text += digits[i];
  }
  return text;
}

Mark mark_of(Fate fate) {
  switch (fate) {
    case Fate::insert:
      return {"+", kGreen};
    case Fate::remove:
      return {"-", kRed};
    case Fate::update:
      return {"~", kYellow};
    case Fate::conflict:
    case Fate::quarantine:
      return {"!", kRed};
    case Fate::keep:
      return {"=", kBold};
  }
  return {"?", kBold};
}

std::string cell_line(const Change& change, const CellChange& cell) {
  switch (change.fate) {
    case Fate::insert:
      return fmt::format("    {}: {}\n", visible(cell.column), shown(cell.primary));
    case Fate::remove:
    case Fate::keep:
      return fmt::format("    {}: {}\n", visible(cell.column), shown(cell.secondary));
    case Fate::update:
      return fmt::format("    {}: {} -> {}\n", visible(cell.column), shown(cell.secondary),
                         shown(cell.primary));
    default:
      return fmt::format("    {}: primary {} | secondary {}\n", visible(cell.column),
                         change.action == journal::ConflictAction::partly && !cell.primary
                             ? "(the next sync reads it)"
                             : shown(cell.primary),
                         shown(cell.secondary));
  }
}

/// The line that says what the run did; empty where an error says it.
std::string what_was_done(const Outcome& outcome) {
  if (outcome.run) {
    const bool rows = std::ranges::any_of(outcome.tables, [](const TableCounts& counts) {
      return counts.inserted + counts.updated + counts.deleted > 0;
    });
    return fmt::format("run {} applied{}\n", *outcome.run,
                       rows ? "" : ": no rows, only the secondary's tables or bookkeeping");
  }
  const bool blocked = !blocked_tables(outcome.drift).empty();
  if (outcome.result != Result::unchanged && !(outcome.result == Result::refused && blocked)) {
    return {};
  }
  // with something open, "up to date" would be misleading
  const bool open = outcome.open_conflicts + outcome.open_quarantined > 0 || blocked;
  return open ? "nothing was written\n" : "nothing to do: the secondary is up to date\n";
}

}  // namespace

std::string open_text(const Outcome& outcome) {
  std::string text;
  const auto conflicts = fmt::format("{} {}", outcome.open_conflicts,
                                     outcome.open_conflicts == 1 ? "conflict" : "conflicts");
  const auto rows = fmt::format("{} {}", outcome.open_quarantined,
                                outcome.open_quarantined == 1 ? "row" : "rows");
  const bool dry = outcome.kind == Run::dry;  // nothing is recorded, so no command can list it
  if (outcome.open_conflicts > 0) {
    text += dry ? fmt::format("sync would leave {} open\n", conflicts)
                : fmt::format("{} open {}; see them: abgleich conflicts\n", outcome.open_conflicts,
                              outcome.open_conflicts == 1 ? "conflict" : "conflicts");
  }
  if (outcome.open_quarantined > 0) {
    text += dry ? fmt::format("sync would hold back {}\n", rows)
                : fmt::format("{} held back; see them: abgleich quarantine\n", rows);
  }
  const auto blocked = blocked_text(outcome.drift);
  return text + (blocked.empty() ? "" : blocked + "look at it: abgleich drift\n");
}

std::vector<std::string> blocked_tables(const std::vector<drift::Event>& events) {
  std::vector<std::string> tables;
  for (const auto& event : events) {
    if (event.verdict == drift::Verdict::block &&
        std::ranges::find(tables, event.table) == tables.end()) {
      tables.push_back(event.table);
    }
  }
  return tables;
}

std::string blocked_text(const std::vector<drift::Event>& events) {
  const auto blocked = blocked_tables(events);
  return blocked.empty() ? std::string()
                         : fmt::format("not synchronised until their drift is decided: {}\n",
                                       visible(fmt::format("{}", fmt::join(blocked, ", "))));
}

std::string age_text(std::int64_t seconds) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  const auto told = [](std::int64_t count, std::string_view unit) {
    return fmt::format("{} {}{} ago", count, unit, count == 1 ? "" : "s");
  };
  // a unit is used from two of it on: "90 minutes ago" says more than "1 hour ago"
  return seconds < 2 * kMinute ? told(seconds, "second")
         : seconds < 2 * kHour ? told(seconds / kMinute, "minute")
         : seconds < 2 * kDay  ? told(seconds / kHour, "hour")
                               : told(seconds / kDay, "day");
}

std::string text_of(const Change& change, Colour colour) {
  const auto mark = mark_of(change.fate);
  auto head = fmt::format("{} {} {}", mark.sign, visible(change.table), key_of(change.key));
  if (change.fate == Fate::conflict) {
    head += fmt::format("  conflict {} ({}{}{})", visible(change.id), visible(change.kind),
                        change.reason.empty() ? "" : ": ", visible(change.reason));
  } else if (change.fate == Fate::quarantine) {
    head += fmt::format("  held back: {}", visible(change.reason));
  } else if (change.fate == Fate::keep) {
    head += "  gone from the primary; kept here by the contract";
  } else if (!change.reason.empty()) {
    head += "  " + visible(change.reason);
  }
  auto text = paint(head, mark.colour, colour) + "\n";
  for (const auto& cell : change.cells) {
    text += cell_line(change, cell);
  }
  return text;
}

std::string one_line(const Change& change) {
  std::string text;
  for (const auto& cell : change.cells) {
    text += fmt::format("{}{}: primary {} | secondary {}", text.empty() ? "" : "; ",
                        visible(cell.column), shown(cell.primary), shown(cell.secondary));
  }
  return text;
}

namespace {

/// Which constraint it is, which row is in the way, and what would settle it.
std::string why_text(const Change& change) {
  if (change.obstacle.empty()) {
    return {};
  }
  auto text = fmt::format("    constraint: {}{}\n", change.obstacle,
                          change.constraint.empty() ? "" : fmt::format(" '{}'", change.constraint));
  if (!change.blocking_table.empty()) {
    const bool missing =
        change.obstacle == "foreign_key" && change.action != journal::ConflictAction::remove;
    text += fmt::format("    {}: {} {}\n", missing ? "missing" : "in the way",
                        change.blocking_table, key_of(change.blocking_key));
  }
  return text + fmt::format("    settled: {}\n", settled_by(change));
}

}  // namespace

std::string conflict_text(const Change& change, Colour colour) {
  if (change.action == journal::ConflictAction::partly) {
    return text_of(change, colour) +
           fmt::format(
               "    decide: abgleich resolve {0} --take secondary\n"
               "        or: abgleich resume --reason TEXT, abgleich sync, then look again\n",
               change.id);
  }
  auto text = text_of(change, colour) + why_text(change);
  if (!change.since.empty()) {
    text += fmt::format("    open since: {}\n", with_local(change.since));
  }
  if (change.kind == journal::kConstraint) {
    return text + fmt::format("    decide: abgleich resolve {} --take secondary\n", change.id) +
           (change.action == journal::ConflictAction::remove || change.obstacle == "waits"
                ? std::string()
                : fmt::format("        or: abgleich resolve {} --set COLUMN=VALUE\n", change.id));
  }
  return text + fmt::format(
                    "    decide: abgleich resolve {0} --take primary\n"
                    "        or: abgleich resolve {0} --take secondary\n",
                    change.id);
}

std::string text_of(const drift::Event& event, Colour colour) {
  const auto where =
      visible(event.column.empty() ? event.table : fmt::format("{}.{}", event.table, event.column));
  std::string change;
  if (!event.was.empty() || !event.now.empty()) {
    change = fmt::format(": {} -> {}", event.was.empty() ? "(nothing)" : visible(event.was),
                         event.now.empty() ? "(nothing)" : visible(event.now));
  }
  const auto code = event.verdict == drift::Verdict::block   ? kRed
                    : event.verdict == drift::Verdict::adapt ? kYellow
                                                             : kBold;
  auto text = fmt::format("{} {} {}{}\n", paint(drift::name_of(event.verdict), code, colour),
                          name_of(event.kind), where, change);
  if (!event.hint.empty()) {
    text += fmt::format("    hint: {}\n", visible(event.hint));
  }
  return text;
}

namespace {

/// The name of a count, as in the closing lines of `sync`.
std::string_view words_of(std::string_view count) {
  return count == "conflicts" ? "in conflict" : count == "quarantined" ? "held back" : count;
}

}  // namespace

std::string text_of(const db::RunRow& run) {
  auto text = fmt::format("{}  {}  {}  {}", visible(run.id), visible(with_local(run.finished)),
                          visible(run.kind), visible(run.operator_));
  if (run.reason) {
    text += fmt::format("  \"{}\"", visible(*run.reason));
  }
  text += "\n";
  const auto counts = counts_of(run);
  for (const auto& [table, numbers] : counts.items()) {
    std::string line;
    for (const auto& [name, number] : numbers.items()) {
      if (number.is_number_integer() && number.get<std::int64_t>() != 0 && name != "unchanged") {
        line += fmt::format("{}{} {}", line.empty() ? "" : ", ", number.get<std::int64_t>(),
                            words_of(name));
      }
    }
    if (!line.empty()) {
      text += fmt::format("    {}: {}\n", visible(table), visible(line));
    }
  }
  return text;
}

std::string text_of(const Outcome& outcome, Colour colour) {
  std::string text;
  const std::string_view would = outcome.kind == Run::dry ? "would be " : "";
  for (const auto& counts : outcome.tables) {
    const auto changed = counts.inserted + counts.updated + counts.deleted;
    if (changed + counts.conflicts + counts.quarantined == 0) {
      continue;
    }
    text += fmt::format("{}: {}{} inserted, {} updated, {} deleted, {} unchanged",
                        visible(counts.table), would, counts.inserted, counts.updated,
                        counts.deleted, counts.unchanged);
    if (counts.conflicts > 0) {
      text += ", " + paint(fmt::format("{} in conflict", counts.conflicts), kRed, colour);
    }
    if (counts.quarantined > 0) {
      text += ", " + paint(fmt::format("{} held back", counts.quarantined), kRed, colour);
    }
    if (counts.overridden > 0) {
      text += fmt::format(", {} edits overridden by the contract", counts.overridden);
    }
    text += "\n";
  }
  return text + what_was_done(outcome) + open_text(outcome);
}

std::string text_of(const Difference& difference, Colour colour) {
  auto head = fmt::format("! {} {}  {}", visible(difference.table), key_of(difference.key),
                          words_of(difference.standing));
  if (!difference.reason.empty()) {
    head += ": " + visible(difference.reason);
  }
  auto text = paint(head, colour_of(difference.standing), colour) + "\n";
  for (const auto& cell : difference.cells) {
    text += fmt::format("    {}: primary {} | secondary {}", visible(cell.column),
                        shown(cell.primary), shown(cell.secondary));
    if (cell.standing != difference.standing) {
      text += fmt::format("  ({})", words_of(cell.standing));
    }
    text += "\n";
  }
  return text;
}

std::string text_of(const Verification& verification, Colour colour) {
  std::string text;
  for (const auto& table : verification.tables) {
    const auto agree = table.of(merge::Standing::agrees);
    text += fmt::format("{}: {} {}", visible(table.table), with_commas(agree),
                        agree == 1 ? "row agrees" : "rows agree");
    for (std::size_t i = 1; i < merge::kStandings; ++i) {
      const auto standing = static_cast<merge::Standing>(i);
      const auto rows = table.of(standing);
      if (rows > 0 || standing == merge::Standing::unexplained) {
        const auto part = fmt::format("{} {}", with_commas(rows), words_of(standing));
        text += "; " + (rows > 0 ? paint(part, colour_of(standing), colour) : part);
      }
    }
    text += "\n";
  }
  for (const auto& damage : verification.damage) {
    const auto where =
        damage.table.empty() ? std::string() : fmt::format("table '{}': ", visible(damage.table));
    text += fmt::format("{} {}{}\n    hint: {}\n", paint("damaged:", kRed, colour), where,
                        visible(damage.what), visible(damage.hint));
  }
  return text;
}

std::string text_of(const Error& error, Colour colour) {
  auto text = fmt::format("{} {}\n", paint("error:", kRed, colour), visible(error.message));
  if (!error.hint.empty()) {
    text += fmt::format("{} {}\n", paint("hint:", kBold, colour), visible(error.hint));
  }
  return text;
}

}  // namespace abgleich::report
