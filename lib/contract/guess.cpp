#include "contract/guess.hpp"

#include "contract/column_names.hpp"
#include "contract/init_text.hpp"
#include "contract/words.hpp"

#include <fmt/format.h>

#include <optional>

namespace abgleich::contract {

namespace {

using To = Generalisation::To;

bool of_the_contracts_own(const Column& column) {
  return !column.codes.empty() ||
         (column.cls == Class::generalise &&
          (column.generalisation.to == To::constant || column.generalisation.to == To::map));
}

/// Whether the column leaves as init proposes it for birth dates, or coarser.
bool coarse_birth(const Column& column) {
  const auto to = column.generalisation.to;
  return column.cls == Class::generalise && sounds_like_birth(column.name) &&
         (to == To::year || to == To::month || to == To::age_band);
}

std::string how(const Column& column) {
  return column.cls == Class::plain
             ? std::string("leaves plain")
             : fmt::format("leaves generalised ({})",
                           kGeneralisations.at(static_cast<std::size_t>(column.generalisation.to)));
}

std::optional<std::string> why_not(const Table& table, const Column& column,
                                   const Identities& identities) {
  if ((column.cls != Class::plain && column.cls != Class::generalise) || !column.because.empty()) {
    return std::nullopt;
  }
  if (identities.of(table.name, column.name)) {
    return fmt::format(
        "{}, and is (part of) a key or refers to one: init makes a pseudonym of it, since whoever "
        "has the primary's keys finds the row there",
        how(column));
  }
  if (sounds_personal(column.name) && !of_the_contracts_own(column) && !coarse_birth(column)) {
    return fmt::format("{}, and its name sounds personal: init keeps it back", how(column));
  }
  return std::nullopt;
}

}  // namespace

std::string how_to_settle(const Column& column) {
  return fmt::format(
      "look at its values and at line {} of the contract; if it may leave so, add because = \"the "
      "reason\"",
      column.place.line);
}

std::vector<Doubt> doubtful_columns(const Contract& contract, const Catalog& primary) {
  const auto identities = guessed_identities(primary);
  std::vector<Doubt> doubts;
  for (const auto& table : contract.tables) {
    for (const auto* column : table.exported()) {
      if (auto why = why_not(table, *column, identities)) {
        doubts.push_back({.table = table.name,
                          .column = column->name,
                          .why = *std::move(why),
                          .hint = how_to_settle(*column)});
      }
    }
  }
  return doubts;
}

}  // namespace abgleich::contract
