#include "drift/contract_line.hpp"

#include "contract/tokens.hpp"
#include "contract/toml_text.hpp"
#include "contract/words.hpp"
#include "core/condition_misfit.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace abgleich::drift {

namespace {

using contract::Generalisation;
using contract::toml_key;
using contract::toml_string;

void append_text(std::string& line, std::string_view key, std::string_view value) {
  line += fmt::format(", {} = {}", key, toml_string(value));
}

/// As the contract writes it: "year", "age-band:5".
std::string text(const Generalisation& generalisation) {
  const auto word = contract::kGeneralisations.at(static_cast<std::size_t>(generalisation.to));
  switch (generalisation.to) {
    case Generalisation::To::age_band:
    case Generalisation::To::prefix:
    case Generalisation::To::round:
    case Generalisation::To::shift:
      return fmt::format("{}:{}", word, generalisation.n);
    default:
      return std::string(word);
  }
}

void append_pseudonym(std::string& line, const contract::Column& column) {
  append_text(line, "identity", column.identity);
  if (column.format != contract::Format::automatic && !contract::is_issued(column)) {
    append_text(line, "format", name_of(column.format));
  }
  if (column.normaliser != contract::Normaliser::none) {
    append_text(line, "normalise", name_of(column.normaliser));
  }
  if (!column.country.empty()) {
    append_text(line, "country", column.country);
  }
  if (!column.accept_low_entropy.empty()) {
    append_text(line, "accept_low_entropy", column.accept_low_entropy);
  }
}

void append_generalisation(std::string& line, const Generalisation& generalisation) {
  append_text(line, "to", text(generalisation));
  if (!generalisation.reference.empty()) {
    append_text(line, "reference", generalisation.reference);
  }
  if (!generalisation.map.empty()) {
    std::string pairs;
    for (const auto& [from, to] : generalisation.map) {
      pairs += fmt::format("{}{} = {}", pairs.empty() ? "" : ", ", toml_key(from), toml_string(to));
    }
    line += fmt::format(", map = {{ {} }}", pairs);
  }
  if (generalisation.otherwise) {
    append_text(line, "otherwise", *generalisation.otherwise);
  }
  if (generalisation.to == Generalisation::To::constant) {
    append_text(line, "value", generalisation.value);
  }
  if (!generalisation.zone.empty()) {
    append_text(line, "zone", generalisation.zone);
  }
  if (generalisation.shift_epoch != 1) {
    line += fmt::format(", shift_epoch = {}", generalisation.shift_epoch);
  }
}

}  // namespace

std::string contract_line(const contract::Column& column, std::string_view name,
                          std::string_view was) {
  if (!column.exported()) {
    return column.erase
               ? fmt::format("{} = {{ class = \"withhold\", erase = true }}", toml_key(name))
               : withhold_line(name);
  }
  const auto cls = contract::is_issued(column) ? contract::Class::token : column.cls;
  std::string line = fmt::format("{} = {{ class = {}", toml_key(name), toml_string(name_of(cls)));
  if (column.cls == contract::Class::pseudonym) {
    append_pseudonym(line, column);
  } else if (column.cls == contract::Class::generalise) {
    append_generalisation(line, column.generalisation);
  }
  if (column.resolves) {
    append_text(line, "resolves",
                fmt::format("{}.{}", column.resolves->table, column.resolves->column));
  }
  if (!column.accept_record_date.empty()) {
    append_text(line, "accept_record_date", column.accept_record_date);
  }
  if (!column.because.empty()) {
    append_text(line, "because", column.because);
  }
  if (!column.as.empty() && column.as != column.name) {
    append_text(line, "as", column.as);
  }
  if (column.owner != contract::Owner::both) {
    append_text(line, "owner", name_of(column.owner));
  }
  if (!column.codes.empty()) {
    line += fmt::format(", codes = {}", contract::toml_list(column.codes));
  }
  if (column.on_unusable != contract::OnUnusable::hold) {
    append_text(line, "on_unusable",
                contract::kOnUnusables.at(static_cast<std::size_t>(column.on_unusable)));
  }
  append_text(line, "was", was);
  return line + " }";
}

std::string elsewhere_in_table(const contract::Table& table, const CatalogTable& live,
                               std::string_view was, std::string_view now) {
  const auto has = [&](const std::vector<std::string>& names) {
    return std::ranges::find(names, was) != names.end();
  };
  std::vector<std::string_view> places;
  if (has(table.key)) {
    places.emplace_back("key");
  }
  if (std::ranges::any_of(table.together, has)) {
    places.emplace_back("together");
  }
  if (has(table.fixed)) {
    places.emplace_back("fixed");
  }
  if (table.subject == was && !(table.key.size() == 1 && table.key.front() == was)) {
    places.emplace_back("subject");
  }
  if (has(table.quasi_identifiers)) {
    places.emplace_back("quasi_identifiers");
  }
  if (has(table.sensitive)) {
    places.emplace_back("sensitive");
  }
  const bool decides = table.decides(was);
  const bool fits = decides && !misfit_of(renamed(*table.where, was, now), live);
  if (fits) {
    const auto choice = table.choice_by(was);
    places.push_back(choice.substr(1, choice.size() - 2));
  }
  auto text = places.empty() ? std::string()
                             : fmt::format(", and in {} of [tables.{}] write {} in place of {}",
                                           fmt::join(places, ", "), toml_key(table.name),
                                           toml_string(now), toml_string(was));
  if (fits && table.route == was) {
    text += ", and so in 'takes' of [peers.…]";
  }
  return decides && !fits ? fmt::format("{}, and {}", text, where_anew(table)) : text;
}

std::string where_anew(const contract::Table& table) {
  return fmt::format("write {} of [tables.{}] for what its columns are now", table.choice(),
                     toml_key(table.name));
}

std::string withhold_line(std::string_view name) {
  return fmt::format("{} = \"withhold\"", toml_key(name));
}

std::string add_command(std::string_view table, std::string_view column) {
  return fmt::format("abgleich contract add {} --class withhold",
                     contract::in_shell(fmt::format("{}.{}", table, column)));
}

}  // namespace abgleich::drift
