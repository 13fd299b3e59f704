#include "sync/privacy.hpp"

#include "contract/words.hpp"
#include "db/target.hpp"
#include "mask/keyring.hpp"
#include "mask/masker.hpp"
#include "sync/rarity.hpp"

#include <fmt/format.h>

namespace abgleich::sync {

namespace {

std::string how(const contract::Column& column, const CatalogColumn* source) {
  using To = contract::Generalisation::To;
  switch (column.cls) {
    case contract::Class::plain:
    case contract::Class::withhold:
      return "";
    case contract::Class::pseudonym: {
      const auto recipe = mask::recipe_of(column, source == nullptr ? text_type() : source->type);
      auto text = fmt::format("identity {}, {}", column.identity, name_of(recipe.format));
      if (column.normaliser != contract::Normaliser::none) {
        text += fmt::format(", normalised as {}", name_of(column.normaliser));
      }
      return text;
    }
    case contract::Class::generalise:
      break;
  }
  const auto& generalisation = column.generalisation;
  const auto word = contract::kGeneralisations.at(static_cast<std::size_t>(generalisation.to));
  switch (generalisation.to) {
    case To::age_band:
      return fmt::format("{}:{} at {}", word, generalisation.n, generalisation.reference);
    case To::prefix:
    case To::round:
    case To::shift:
      return fmt::format("{}:{}", word, generalisation.n);
    default:
      return std::string(word);
  }
}

std::vector<std::string> names_in_secondary(const contract::Table& table,
                                            const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const auto& name : columns) {
    names.push_back(table.find_column(name)->as);
  }
  return names;
}

report::PrivacyTable table_of(const contract::Table& table, const CatalogTable* accepted) {
  report::PrivacyTable out{.name = table.name, .target = table.target};
  for (const auto& column : table.columns) {
    const auto* source = accepted == nullptr ? nullptr : accepted->find_column(column.name);
    out.columns.push_back({.name = column.name,
                           .as = column.exported() ? column.as : "",
                           .cls = column.cls,
                           .how = how(column, source),
                           .reason = column.accept_low_entropy});
  }
  if (accepted != nullptr) {
    for (const auto& column : accepted->columns) {
      out.unnamed += table.find_column(column.name) == nullptr ? 1 : 0;
    }
  }
  if (!table.subject.empty()) {
    out.subject = table.find_column(table.subject)->as;
  }
  out.quasi_identifiers = names_in_secondary(table, table.quasi_identifiers);
  out.sensitive = names_in_secondary(table, table.sensitive);
  return out;
}

}  // namespace

report::Privacy privacy(const Pairing& pairing) {
  report::Privacy privacy{.contract = pairing.config.contract.filename().string(),
                          .epoch = mask::Keyring::read(pairing.config.key_file).epoch(),
                          .min_k = pairing.config.min_k};
  db::Target target(pairing.config.secondary, db::Mode::dry);
  target.load_catalog();
  for (const auto& table : pairing.contract.tables) {
    auto shown =
        table_of(table, pairing.accepted ? pairing.accepted->find_table(table.name) : nullptr);
    if (!shown.quasi_identifiers.empty()) {
      shown.anonymity = target.anonymity(
          {.table = shown.target,
           .subject = shown.subject.empty() ? std::nullopt : std::optional(shown.subject),
           .quasi_identifiers = shown.quasi_identifiers,
           .sensitive = shown.sensitive,
           .min_k = privacy.min_k});
    }
    privacy.tables.push_back(std::move(shown));
  }
  if (target.books().exist()) {
    target.books().quarantines([&](const db::QuarantineRow& row) {
      privacy.rare += is_rarity(row.reason) ? row.rows : 0;
    });
  }
  return privacy;
}

}  // namespace abgleich::sync
