#include "contract/parse_column.hpp"

#include "contract/toml_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <set>

namespace abgleich::contract {

namespace {

// Nobody is older, and a wider band says nothing.
constexpr int kWidestAgeBand = 100;
// A longer prefix of a postal code, an ICD code, a district key is not a generalisation.
constexpr int kLongestPrefix = 255;

constexpr std::string_view kGeneralisationForms =
    "write to = \"year\", \"month\", \"week\", \"age-band:N\" (years) or \"prefix:N\" (characters)";

std::string line(std::string_view name, std::string_view rest) {
  return fmt::format("{} = {}", toml_key(name), rest);
}

/// Which class an option goes with; options that are not listed go with every exported column.
struct Fit {
  std::string_view option;
  Class cls;
};
constexpr std::array<Fit, 5> kFits{{{"identity", Class::pseudonym},
                                    {"format", Class::pseudonym},
                                    {"normalise", Class::pseudonym},
                                    {"to", Class::generalise},
                                    {"reference", Class::generalise}}};

void expect_fitting_options(const Node& options, const Column& column) {
  for (const Member& option : options.members) {
    if (option.name == "class") {
      continue;
    }
    if (!column.exported()) {
      refuse(option.place,
             fmt::format("{} does not fit column {}, which is withheld", in_quotes(option.name),
                         in_quotes(column.name)),
             fmt::format("write {}: what is not exported has no options",
                         line(column.name, "\"withhold\"")));
    }
    const auto fit = std::ranges::find(kFits, std::string_view(option.name), &Fit::option);
    if (fit != kFits.end() && fit->cls != column.cls) {
      refuse(option.place,
             fmt::format("{} does not fit column {} of class {}", in_quotes(option.name),
                         in_quotes(column.name), name_of(column.cls)),
             fmt::format("delete {}, or write class = \"{}\"", in_quotes(option.name),
                         name_of(fit->cls)));
    }
  }
}

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
  const bool counted =
      out.to == Generalisation::To::age_band || out.to == Generalisation::To::prefix;
  if (counted && colon == std::string_view::npos) {
    refuse(to.value.place, fmt::format("{} is without its number", in_quotes(word)),
           fmt::format("write to = \"{}:5\"", word));
  }
  if (!counted && colon != std::string_view::npos) {
    refuse(to.value.place, fmt::format("{} takes no number", in_quotes(word)),
           fmt::format("write to = \"{}\"", word));
  }
  if (counted) {
    const int most = out.to == Generalisation::To::age_band ? kWidestAgeBand : kLongestPrefix;
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

std::vector<std::string> parse_codes(const Member& codes, const Column& column) {
  std::vector<std::string> out;
  std::set<std::string_view> seen;
  const std::vector<Named> named = texts_of(codes, "codes = [\"A\", \"B\"]");
  for (const Named& code : named) {
    if (!seen.insert(code.name).second) {
      refuse(code.place,
             fmt::format("code {} of column {} is listed twice", in_quotes(code.name),
                         in_quotes(column.name)),
             "delete one of the two");
    }
    out.push_back(code.name);
  }
  if (out.empty()) {
    refuse(codes.value.place, fmt::format("'codes' of column {} is empty", in_quotes(column.name)),
           "list the values that are allowed, or delete 'codes' to allow any");
  }
  return out;
}

Class parse_class(const Member& member, std::string_view what) {
  const auto position = position_of(member.value.text, kClasses);
  if (!position) {
    refuse(member.value.place,
           fmt::format("unknown class {} of {}", in_quotes(member.value.text), what),
           suggestion(member.value.text, kClasses,
                      fmt::format("the classes are {}", listed(kClasses))));
  }
  return static_cast<Class>(*position);
}

void expect_not_reserved(const Column& column, const Place& place) {
  if (reserved(column.as)) {
    refuse(
        place,
        fmt::format("column {} would be called {} in the secondary, like the bookkeeping",
                    in_quotes(column.name), in_quotes(column.as)),
        fmt::format("write as = \"…\" with a name that does not begin with '{}'", kReservedPrefix));
  }
}

void parse_common_options(const Node& options, Column& column) {
  if (const Member* as = options.find("as")) {
    column.as = name_of(*as, "as = \"name in the secondary\"");
    expect_not_reserved(column, as->value.place);
  }
  if (const Member* owner = options.find("owner")) {
    column.owner = static_cast<Owner>(word_of(*owner, kOwners, "owner"));
  }
  if (const Member* codes = options.find("codes")) {
    column.codes = parse_codes(*codes, column);
  }
  if (const Member* was = options.find("was")) {
    column.was = name_of(*was, "was = \"old name in the primary\"");
    if (column.was == column.name) {
      refuse(was->value.place,
             fmt::format("'was' of column {} is its name", in_quotes(column.name)),
             "write the old name, or delete 'was'");
    }
  }
}

void parse_pseudonym_options(const Node& options, Column& column) {
  const Member* identity = options.find("identity");
  if (identity == nullptr) {
    refuse(column.place, fmt::format("pseudonym {} has no identity", in_quotes(column.name)),
           fmt::format("write {}, where 'person' is whose identity the value is: the table that "
                       "it is the key of, or that it points to",
                       line(column.name, "{ class = \"pseudonym\", identity = \"person\" }")));
  }
  column.identity = name_of(*identity, "identity = \"person\"");
  if (const Member* format = options.find("format")) {
    column.format = static_cast<Format>(word_of(*format, kFormats, "format") + 1);
  }
  if (const Member* normalise = options.find("normalise")) {
    column.normaliser = static_cast<Normaliser>(word_of(*normalise, kNormalisers, "normaliser"));
  }
}

void parse_generalise_options(const Node& options, Column& column) {
  const Member* to = options.find("to");
  if (to == nullptr) {
    refuse(column.place,
           fmt::format("column {} is to be generalised, but not to what", in_quotes(column.name)),
           std::string(kGeneralisationForms));
  }
  column.generalisation = parse_to(*to, column);
  parse_reference(options, column);
}

}  // namespace

Column parse_column(const Member& member, std::string_view table) {
  const std::string what =
      fmt::format("column {} of table {}", in_quotes(member.name), in_quotes(table));
  expect_name(member.name, member.place,
              fmt::format("a column name in table {}", in_quotes(table)));
  Column column;
  column.name = member.name;
  column.as = member.name;
  column.place = member.place;

  static const Node kNoOptions;
  const Node* options = &kNoOptions;
  if (member.value.kind == Node::Kind::text) {
    column.cls = parse_class(member, what);
  } else {
    const std::string example = fmt::format("{} or {}", line(member.name, "\"plain\""),
                                            line(member.name, "{ class = \"plain\" }"));
    if (member.value.kind != Node::Kind::table) {
      refuse(member.value.place, fmt::format("{} must be a class or a table", what),
             fmt::format("write {}", example));
    }
    options = &member.value;
    expect_only(*options, kColumnKeys, what);
    const Member* cls = options->find("class");
    if (cls == nullptr) {
      refuse(member.place, fmt::format("{} has no class", what),
             fmt::format("the classes are {}: write {}", listed(kClasses), example));
    }
    static_cast<void>(text_of(*cls, "class = \"plain\""));
    column.cls = parse_class(*cls, what);
  }

  expect_fitting_options(*options, column);
  if (!column.exported()) {
    return column;
  }
  if (options->find("as") == nullptr) {
    expect_not_reserved(column, member.place);
  }
  parse_common_options(*options, column);
  if (column.cls == Class::pseudonym) {
    parse_pseudonym_options(*options, column);
  }
  if (column.cls == Class::generalise) {
    parse_generalise_options(*options, column);
  }
  return column;
}

}  // namespace abgleich::contract
