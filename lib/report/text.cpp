#include "report/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string_view>

namespace abgleich::report {

namespace {

constexpr std::string_view kRed = "\033[31m";
constexpr std::string_view kGreen = "\033[32m";
constexpr std::string_view kYellow = "\033[33m";
constexpr std::string_view kBold = "\033[1m";

std::string paint(std::string_view text, std::string_view code, Colour colour) {
  if (colour == Colour::off) {
    return std::string(text);
  }
  return fmt::format("{}{}\033[0m", code, text);
}

/// What a terminal shows of a value: control characters escaped, so that a value can neither break
/// the line nor send a command to the terminal; long text cut.
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
  for (const char c : value.bytes()) {
    const auto byte = static_cast<unsigned char>(c);
    // a cut only before a character, never inside one
    if (text.size() >= kLongest && (byte & 0xc0U) != 0x80U) {
      text += "…";
      break;
    }
    if (value.kind() == Kind::bytes) {
      text += fmt::format("{:02x}", byte);
    } else if (byte < 0x20 || byte == 0x7f) {
      text += fmt::format("\\x{:02x}", byte);
    } else {
      text += c;
    }
  }
  if (value.kind() == Kind::bytes) {
    return "\\x" + text;
  }
  return quoted ? fmt::format("\"{}\"", text) : text;
}

std::string shown(const std::optional<Value>& value) {
  return value ? shown(*value) : std::string("(no row)");
}

std::string key_of(const Change& change) {
  std::string text;
  for (const auto& [name, value] : change.key) {
    auto shown_value = shown(value);
    if (value.kind() == Kind::text) {
      shown_value = shown_value.substr(1, shown_value.size() - 2);  // without the quotes
    }
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, shown_value);
  }
  return text;
}

struct Mark {
  std::string_view sign;
  std::string_view colour;
};

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
      return fmt::format("    {}: {}\n", cell.column, shown(cell.primary));
    case Fate::remove:
    case Fate::keep:
      return fmt::format("    {}: {}\n", cell.column, shown(cell.secondary));
    case Fate::update:
      return fmt::format("    {}: {} -> {}\n", cell.column, shown(cell.secondary),
                         shown(cell.primary));
    default:
      return fmt::format(
          "    {}: primary {} | secondary {}\n", cell.column,
          change.partly && !cell.primary ? "(the next sync reads it)" : shown(cell.primary),
          shown(cell.secondary));
  }
}

}  // namespace

std::string text_of(const Change& change, Colour colour) {
  const auto mark = mark_of(change.fate);
  auto head = fmt::format("{} {} {}", mark.sign, change.table, key_of(change));
  if (change.fate == Fate::conflict) {
    head += fmt::format("  conflict {} ({})", change.id, change.kind);
  } else if (change.fate == Fate::quarantine) {
    head += fmt::format("  held back: {}", change.reason);
  } else if (!change.reason.empty()) {
    head += "  " + change.reason;
  }
  auto text = paint(head, mark.colour, colour) + "\n";
  for (const auto& cell : change.cells) {
    text += cell_line(change, cell);
  }
  return text;
}

std::string conflict_text(const Change& change, Colour colour) {
  if (change.partly) {
    return text_of(change, colour) +
           fmt::format(
               "    decide: abgleich resolve {0} --take secondary\n"
               "        or: abgleich resume --reason TEXT, abgleich sync, then look again\n",
               change.id);
  }
  return text_of(change, colour) + fmt::format(
                                       "    decide: abgleich resolve {0} --take primary\n"
                                       "        or: abgleich resolve {0} --take secondary\n",
                                       change.id);
}

std::string text_of(const drift::Event& event, Colour colour) {
  const auto where =
      event.column.empty() ? event.table : fmt::format("{}.{}", event.table, event.column);
  std::string change;
  if (!event.was.empty() || !event.now.empty()) {
    change = fmt::format(": {} -> {}", event.was.empty() ? "(nothing)" : event.was,
                         event.now.empty() ? "(nothing)" : event.now);
  }
  const auto code = event.verdict == drift::Verdict::block   ? kRed
                    : event.verdict == drift::Verdict::adapt ? kYellow
                                                             : kBold;
  auto text = fmt::format("{} {} {}{}\n", paint(drift::name_of(event.verdict), code, colour),
                          event.kind, where, change);
  if (!event.hint.empty()) {
    text += fmt::format("    hint: {}\n", event.hint);
  }
  return text;
}

std::string text_of(const db::RunRow& run) {
  auto text = fmt::format("{}  {}  {}  {}", run.id, run.finished, run.kind, run.operator_);
  if (run.reason) {
    text += fmt::format("  \"{}\"", *run.reason);
  }
  text += "\n";
  const auto counts = nlohmann::ordered_json::parse(run.counts, nullptr, false);
  for (const auto& [table, numbers] : counts.items()) {
    std::string line;
    for (const auto& [name, number] : numbers.items()) {
      if (number.is_number_integer() && number.get<std::int64_t>() != 0) {
        line += fmt::format("{}{} {}", line.empty() ? "" : ", ", number.get<std::int64_t>(), name);
      }
    }
    if (!line.empty()) {
      text += fmt::format("    {}: {}\n", table, line);
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
    text += fmt::format("{}: {}{} inserted, {} updated, {} deleted, {} unchanged", counts.table,
                        would, counts.inserted, counts.updated, counts.deleted, counts.unchanged);
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
  if (outcome.result == Result::unchanged) {
    text += "nothing to do: the secondary is up to date\n";
  }
  if (outcome.run) {
    text += fmt::format("run {} applied\n", *outcome.run);
  }
  if (outcome.open_conflicts > 0) {
    text += fmt::format("{} open {}; see them: abgleich conflicts\n", outcome.open_conflicts,
                        outcome.open_conflicts == 1 ? "conflict" : "conflicts");
  }
  if (outcome.open_quarantined > 0) {
    text += fmt::format("{} {} held back; see them: abgleich quarantine\n",
                        outcome.open_quarantined, outcome.open_quarantined == 1 ? "row" : "rows");
  }
  return text;
}

std::string text_of(const Error& error, Colour colour) {
  auto text = fmt::format("{} {}\n", paint("error:", kRed, colour), error.message);
  if (!error.hint.empty()) {
    text += fmt::format("{} {}\n", paint("hint:", kBold, colour), error.hint);
  }
  return text;
}

}  // namespace abgleich::report
