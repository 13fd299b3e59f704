#include "contract/parse_column.hpp"

#include "contract/parse_generalisation.hpp"
#include "contract/toml_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace abgleich::contract {

namespace {

std::string line(std::string_view name, std::string_view rest) {
  return fmt::format("{} = {}", toml_key(name), rest);
}

/// Which class an option goes with; options that are not listed go with every exported column. A
/// token that has an identity is a pseudonym.
struct Fit {
  std::string_view option;
  Class cls;
};
constexpr std::array<Fit, 14> kFits{{{"identity", Class::pseudonym},
                                     {"format", Class::pseudonym},
                                     {"normalise", Class::pseudonym},
                                     {"country", Class::pseudonym},
                                     {"accept_low_entropy", Class::pseudonym},
                                     {"to", Class::generalise},
                                     {"reference", Class::generalise},
                                     {"map", Class::generalise},
                                     {"otherwise", Class::generalise},
                                     {"value", Class::generalise},
                                     {"zone", Class::generalise},
                                     {"accept_record_date", Class::generalise},
                                     {"shift_epoch", Class::generalise},
                                     {"resolves", Class::token}}};

void expect_fitting_options(const Node& options, const Column& column) {
  for (const Member& option : options.members) {
    if (option.name == "class") {
      continue;
    }
    if (option.name == "erase") {
      if (column.exported()) {
        refuse(option.place,
               fmt::format("'erase' does not fit column {}, which is exported",
                           in_quotes(column.name)),
               fmt::format("delete 'erase', or write {}",
                           line(column.name, "{ class = \"withhold\", erase = true }")));
      }
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

/// A reason for those who review the contract; an empty one is refused.
std::string reason_of(const Member& reason, const Column& column) {
  const auto example = fmt::format("{} = \"the reason\"", reason.name);
  auto text = text_of(reason, example);
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    refuse(reason.value.place,
           fmt::format("'{}' of column {} gives no reason", reason.name, in_quotes(column.name)),
           fmt::format("write {}, for those who review the contract", example));
  }
  return text;
}

void parse_common_options(const Node& options, Column& column) {
  if (const Member* because = options.find("because")) {
    column.because = reason_of(*because, column);
  }
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
  if (const Member* on_unusable = options.find("on_unusable")) {
    column.on_unusable =
        static_cast<OnUnusable>(word_of(*on_unusable, kOnUnusables, "rule for unusable values"));
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
  if (const Member* country = options.find("country")) {
    if (column.normaliser != Normaliser::phone) {
      refuse(country->place,
             fmt::format("'country' does not fit column {}: only phone numbers are of a country",
                         in_quotes(column.name)),
             "delete 'country', or write normalise = \"phone\"");
    }
    column.country = country_of(*country);
  }
  if (const Member* accept = options.find("accept_low_entropy")) {
    column.accept_low_entropy = reason_of(*accept, column);
  }
}

/// What a token of somebody else is turned into, if this node knows what.
void parse_token_options(const Node& options, Column& column) {
  if (const Member* unusable = options.find("on_unusable")) {
    refuse(
        unusable->place,
        fmt::format("'on_unusable' does not fit column {}: without its token, nobody knows whose "
                    "the row is",
                    in_quotes(column.name)),
        "delete 'on_unusable'");
  }
  const Member* resolves = options.find("resolves");
  if (resolves == nullptr) {
    return;
  }
  constexpr std::string_view kExample = "resolves = \"TABLE.COLUMN\"";
  const auto& text = text_of(*resolves, kExample);
  const auto point = text.find('.');
  if (point == std::string::npos || point == 0 || point + 1 == text.size()) {
    refuse(
        resolves->value.place,
        fmt::format("{} does not name a column of the primary", in_quotes(text)),
        fmt::format("write {}, as the contract has them by which the tokens were sent", kExample));
  }
  column.resolves = {.table = text.substr(0, point), .column = text.substr(point + 1)};
}

/// A token that has an identity is made of a value of the primary, as a pseudonym is.
void take_own_token(const Node& options, Column& column) {
  if (column.cls != Class::token || options.find("identity") == nullptr) {
    return;
  }
  for (const auto* const other : {"resolves", "format"}) {
    if (const Member* found = options.find(other)) {
      refuse(found->place,
             fmt::format("token {} has 'identity' and '{}'", in_quotes(column.name), other),
             "delete one: with 'identity' it is made here, with 'resolves' it has come back");
    }
  }
  column.cls = Class::pseudonym;
  column.format = Format::token;
}

}  // namespace

std::string country_of(const Member& member) {
  constexpr std::string_view kExample = "country = \"DE\"";
  const std::string& code = text_of(member, kExample);
  if (code.size() != 2 ||
      code.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") != std::string::npos) {
    refuse(member.value.place, fmt::format("{} is not a country code", in_quotes(code)),
           fmt::format("write {}: two capital letters (ISO 3166)", kExample));
  }
  return code;
}

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

  take_own_token(*options, column);
  expect_fitting_options(*options, column);
  if (!column.exported()) {
    const Member* erase = options->find("erase");
    column.erase = erase != nullptr && boolean_of(*erase, "erase = true");
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
    parse_generalisation(*options, column);
  }
  if (column.cls == Class::token) {
    parse_token_options(*options, column);
  }
  return column;
}

}  // namespace abgleich::contract
