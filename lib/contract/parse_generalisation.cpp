#include "contract/parse_generalisation.hpp"

#include "contract/words.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <string>

namespace abgleich::contract {

namespace {

// Nobody is older, so a wider band would say nothing.
constexpr int kWidestAgeBand = 100;
// A longer prefix of a postal code, an ICD code, a district key is not a generalisation.
constexpr int kLongestPrefix = 255;
constexpr int kWidestStep = 1'000'000'000;
// Ten years: a date that is shifted further is of no use.
constexpr int kLongestShift = 3650;

constexpr std::string_view kGeneralisationForms =
    "write to = \"year\", \"month\", \"week\", \"age-band:N\" (years), \"prefix:N\" (characters), "
    "\"round:N\", \"shift:N\" (days), \"map\" or \"const\"";

bool is_date(const std::string& text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') {
    return false;
  }
  const auto number = [&text](std::size_t from, std::size_t length) -> int {
    int value = 0;
    const char* first = text.data() + from;
    const auto [end, error] = std::from_chars(first, first + length, value);
    return error == std::errc() && end == first + length && text[from] != '-' ? value : -1;
  };
  const int year = number(0, 4);
  const int month = number(5, 2);
  const int day = number(8, 2);
  return year >= 1 && month >= 1 && day >= 1 &&
         std::chrono::year_month_day(std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day)))
             .ok();
}

int parse_n(const Member& to, std::string_view word, std::string_view digits, int most) {
  int n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (digits.empty() || digits.front() == '0' || error != std::errc() ||
      end != digits.data() + digits.size() || n < 1 || n > most) {
    refuse(
        to.value.place,
        fmt::format("{} needs a whole number from 1 to {} behind the colon", in_quotes(word), most),
        fmt::format("write to = \"{}:5\"", word));
  }
  return n;
}

/// The largest number after the colon; 0: no number is allowed.
int most_of(Generalisation::To to) {
  switch (to) {
    case Generalisation::To::age_band:
      return kWidestAgeBand;
    case Generalisation::To::prefix:
      return kLongestPrefix;
    case Generalisation::To::round:
      return kWidestStep;
    case Generalisation::To::shift:
      return kLongestShift;
    case Generalisation::To::year:
    case Generalisation::To::month:
    case Generalisation::To::week:
    case Generalisation::To::map:
    case Generalisation::To::constant:
      break;
  }
  return 0;
}

Generalisation parse_to(const Member& to, const Column& column) {
  const std::string_view text = text_of(to, "to = \"year\"");
  const std::size_t colon = text.find(':');
  const std::string_view word = text.substr(0, colon);
  const auto position = position_of(word, kGeneralisations);
  if (!position) {
    refuse(to.value.place,
           fmt::format("unknown generalisation {} of column {}", in_quotes(text),
                       in_quotes(column.name)),
           suggestion(word, kGeneralisations, kGeneralisationForms));
  }
  Generalisation out;
  out.to = static_cast<Generalisation::To>(*position);
  const int most = most_of(out.to);
  const bool counted = most > 0;
  if (counted && colon == std::string_view::npos) {
    refuse(to.value.place, fmt::format("{} is without its number", in_quotes(word)),
           fmt::format("write to = \"{}:5\"", word));
  }
  if (!counted && colon != std::string_view::npos) {
    refuse(to.value.place, fmt::format("{} takes no number", in_quotes(word)),
           fmt::format("write to = \"{}\"", word));
  }
  if (counted) {
    out.n = parse_n(to, word, text.substr(colon + 1), most);
  }
  return out;
}

void parse_reference(const Node& options, Column& column) {
  constexpr std::string_view kExample = "reference = \"2026-01-01\"";
  const Member* reference = options.find("reference");
  const bool needed = column.generalisation.to == Generalisation::To::age_band;
  if (reference == nullptr) {
    if (needed) {
      refuse(
          column.place,
          fmt::format("column {} has an age band without a reference date", in_quotes(column.name)),
          fmt::format("write {}, the day that ages are counted at: never today, or every "
                      "birthday would be a change",
                      kExample));
    }
    return;
  }
  if (!needed) {
    refuse(reference->place,
           fmt::format("'reference' does not fit column {}: only an age band counts from a date",
                       in_quotes(column.name)),
           "delete 'reference', or write to = \"age-band:5\"");
  }
  const std::string& date = text_of(*reference, kExample);
  if (!is_date(date)) {
    refuse(reference->value.place, fmt::format("{} is not a date", in_quotes(date)),
           fmt::format("write {} (year, month, day)", kExample));
  }
  column.generalisation.reference = date;
}

constexpr std::string_view kMapExample = "map = { \"A\" = \"ill\", \"B\" = \"well\" }";

void parse_map(const Member& map, Column& column) {
  const Node& pairs = table_of(map, kMapExample);
  if (pairs.members.empty()) {
    refuse(map.value.place, fmt::format("'map' of column {} is empty", in_quotes(column.name)),
           fmt::format("write {}", kMapExample));
  }
  for (const Member& pair : pairs.members) {
    column.generalisation.map.emplace(pair.name, text_of(pair, kMapExample));
  }
}

/// Options that belong to one word of `to`: refused with other words, required with theirs (except
/// `otherwise`).
void parse_options_of_to(const Node& options, Column& column) {
  using To = Generalisation::To;
  const To to = column.generalisation.to;
  struct Option {
    std::string_view name;
    To to;
    std::string_view example;
  };
  constexpr std::array<Option, 3> kOptions{{{"map", To::map, kMapExample},
                                            {"otherwise", To::map, "otherwise = \"other\""},
                                            {"value", To::constant, "value = \"hidden\""}}};
  for (const Option& option : kOptions) {
    const Member* member = options.find(option.name);
    if (member != nullptr && to != option.to) {
      const std::string_view word = kGeneralisations.at(static_cast<std::size_t>(option.to));
      refuse(member->place,
             fmt::format("{} does not fit column {}: it goes with to = \"{}\"",
                         in_quotes(option.name), in_quotes(column.name), word),
             fmt::format("delete {}, or write to = \"{}\"", in_quotes(option.name), word));
    }
    if (member == nullptr && to == option.to && option.name != "otherwise") {
      refuse(column.place,
             fmt::format("column {} is without its {}", in_quotes(column.name),
                         in_quotes(option.name)),
             fmt::format("write {}", option.example));
    }
  }
  if (const Member* map = options.find("map")) {
    parse_map(*map, column);
  }
  if (const Member* otherwise = options.find("otherwise")) {
    column.generalisation.otherwise = text_of(*otherwise, "otherwise = \"other\"");
  }
  if (const Member* value = options.find("value")) {
    column.generalisation.value = text_of(*value, "value = \"hidden\"");
  }
}

/// The time zone in which a moment has its day; allowed only where a day is read.
void parse_zone(const Node& options, Column& column) {
  using To = Generalisation::To;
  const Member* zone = options.find("zone");
  if (zone == nullptr) {
    return;
  }
  const To to = column.generalisation.to;
  if (to != To::year && to != To::month && to != To::week && to != To::age_band) {
    refuse(zone->place,
           fmt::format("'zone' does not fit column {}: only year, month, week and age-band read "
                       "the day of a moment",
                       in_quotes(column.name)),
           "delete 'zone'");
  }
  column.generalisation.zone = text_of(*zone, "zone = \"Europe/Berlin\"");
}

void expect_shifted(const Column& column, const Member& option, std::string_view name) {
  if (column.generalisation.to != Generalisation::To::shift) {
    refuse(option.place,
           fmt::format("'{}' does not fit column {}, which is not shifted", name,
                       in_quotes(column.name)),
           fmt::format("delete '{}', or write to = \"shift:14\"", name));
  }
}

void parse_shift_epoch(const Node& options, Column& column) {
  constexpr std::int64_t kMost = 1'000'000;
  const Member* epoch = options.find("shift_epoch");
  if (epoch == nullptr) {
    return;
  }
  expect_shifted(column, *epoch, "shift_epoch");
  if (epoch->value.kind != Node::Kind::integer || epoch->value.integer < 1 ||
      epoch->value.integer > kMost) {
    refuse(epoch->value.place, "'shift_epoch' must be the number of an epoch of the key",
           "write shift_epoch = 2, or see the key's last epoch: abgleich keys check");
  }
  column.generalisation.shift_epoch = static_cast<int>(epoch->value.integer);
}

void parse_record_date(const Node& options, Column& column) {
  constexpr std::string_view kExample = "accept_record_date = \"the reason\"";
  const Member* accept = options.find("accept_record_date");
  if (accept == nullptr) {
    return;
  }
  expect_shifted(column, *accept, "accept_record_date");
  column.accept_record_date = text_of(*accept, kExample);
  if (column.accept_record_date.find_first_not_of(" \t\r\n") == std::string::npos) {
    refuse(accept->value.place,
           fmt::format("'accept_record_date' of column {} gives no reason", in_quotes(column.name)),
           fmt::format("write {}, for those who review the contract", kExample));
  }
}

}  // namespace

void parse_generalisation(const Node& options, Column& column) {
  const Member* to = options.find("to");
  if (to == nullptr) {
    refuse(column.place,
           fmt::format("column {} is to be generalised, but not to what", in_quotes(column.name)),
           std::string(kGeneralisationForms));
  }
  column.generalisation = parse_to(*to, column);
  parse_reference(options, column);
  parse_options_of_to(options, column);
  parse_zone(options, column);
  parse_record_date(options, column);
  parse_shift_epoch(options, column);
}

}  // namespace abgleich::contract
