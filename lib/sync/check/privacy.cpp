#include "sync/check/privacy.hpp"

#include "contract/words.hpp"
#include "db/secondary/anonymity_measures.hpp"
#include "db/secondary/target.hpp"
#include "journal/quarantine_cause.hpp"
#include "mask/keyring.hpp"
#include "mask/masker.hpp"
#include "sync/detect/k_anonymity.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/recover.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace abgleich::sync {

namespace {

std::string how(const contract::Column& column, const CatalogColumn* source) {
  using To = contract::Generalisation::To;
  switch (column.cls) {
    case contract::Class::plain:
    case contract::Class::withhold:
      return "";
    case contract::Class::token:
      return column.resolves
                 ? fmt::format("becomes {}.{}", column.resolves->table, column.resolves->column)
                 : std::string();
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
  if (table.where) {
    out.decided_by = columns_of(*table.where);
  }
  if (!table.subject.empty()) {
    out.subject = table.find_column(table.subject)->as;
  }
  out.quasi_identifiers = names_in_secondary(table, table.quasi_identifiers);
  out.sensitive = names_in_secondary(table, table.sensitive);
  return out;
}

/// Whether the value leaves as it is, or generalised: somebody who knows the person may recognise
/// it.
bool unhidden(const contract::Column& column) {
  return column.cls == contract::Class::plain || column.cls == contract::Class::generalise;
}

/// The columns that could tell who somebody is, without those that only identify the row.
std::vector<const contract::Column*> telling(const contract::Table& table) {
  std::vector<const contract::Column*> columns;
  for (const auto& column : table.columns) {
    if (unhidden(column) && column.name != table.subject &&
        std::ranges::find(table.key, column.name) == table.key.end()) {
      columns.push_back(&column);
    }
  }
  return columns;
}

/// Whether the rows are about subjects: the key or the subject column is a pseudonym.
bool is_about_subjects(const contract::Table& table) {
  return std::ranges::any_of(table.columns, [&](const contract::Column& column) {
    return column.cls == contract::Class::pseudonym &&
           (column.name == table.subject ||
            std::ranges::find(table.key, column.name) != table.key.end());
  });
}

/// The tables that this one points to, by foreign keys of the accepted catalogue or by the identity
/// that a column shares with a key of one column.
std::vector<std::pair<const contract::Table*, db::UniquenessQuestion::Join>> joins_of(
    const contract::Contract& contract, const contract::Table& table,
    const CatalogTable* accepted) {
  std::vector<std::pair<const contract::Table*, db::UniquenessQuestion::Join>> joins;
  const auto join = [&](const contract::Table& other, const std::vector<std::string>& from,
                        const std::vector<std::string>& to) {
    db::UniquenessQuestion::Join one{.table = other.target, .on = {}, .columns = {}};
    for (std::size_t i = 0; i < from.size() && i < to.size(); ++i) {
      const auto* left = table.find_column(from[i]);
      const auto* right = other.find_column(to[i]);
      if (left == nullptr || right == nullptr || !left->exported() || !right->exported()) {
        return;
      }
      one.on.emplace_back(left->as, right->as);
    }
    const bool known =
        std::ranges::any_of(joins, [&](const auto& before) { return before.second.on == one.on; });
    for (const auto* column : telling(other)) {
      one.columns.push_back(column->as);
    }
    if (!known && !one.on.empty() && !one.columns.empty()) {
      joins.emplace_back(&other, std::move(one));
    }
  };
  for (const auto& other : contract.tables) {
    if (&other == &table) {
      continue;
    }
    for (std::size_t i = 0; accepted != nullptr && i < accepted->foreign_keys.size(); ++i) {
      const auto& key = accepted->foreign_keys[i];
      if (key.table == other.name) {
        join(other, key.columns, key.referenced);
      }
    }
    const auto* key = other.key.size() == 1 ? other.find_column(other.key.front()) : nullptr;
    for (const auto& column : table.columns) {
      if (key != nullptr && key->cls == contract::Class::pseudonym &&
          column.cls == contract::Class::pseudonym && column.identity == key->identity &&
          std::ranges::find(table.key, column.name) == table.key.end()) {
        join(other, {column.name}, other.key);
      }
    }
  }
  return joins;
}

void measure_uniqueness(db::Target& target, const contract::Contract& contract,
                        const contract::Table& table, const CatalogTable* accepted,
                        report::PrivacyTable& shown) {
  if (!is_about_subjects(table)) {
    return;
  }
  db::UniquenessQuestion question{
      .table = shown.target,
      .subject = shown.subject.empty() ? std::nullopt : std::optional(shown.subject),
      .columns = {},
      .joins = {}};
  std::vector<std::string> candidates;
  std::vector<std::string> names;
  for (const auto* column : telling(table)) {
    question.columns.push_back(column->as);
    shown.unhidden.push_back(column->as);
    if (column->owner != contract::Owner::secondary &&
        std::ranges::find(table.sensitive, column->name) == table.sensitive.end()) {
      candidates.push_back(column->as);
      names.push_back(column->name);
    }
  }
  for (auto& [other, join] : joins_of(contract, table, accepted)) {
    for (const auto& column : join.columns) {
      shown.unhidden.push_back(other->target + "." + column);
    }
    question.joins.push_back(std::move(join));
  }
  if (!shown.unhidden.empty()) {
    shown.uniqueness = db::measure_uniqueness(target, question);
  }
  if (table.quasi_identifiers.empty()) {
    const auto values = db::count_values(target, shown.target, candidates);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (values[i] > 1) {  // one value tells nothing
        shown.proposed.push_back(names[i]);
      }
    }
  }
}

}  // namespace

report::Privacy privacy(const Pairing& given) {
  report::Privacy privacy{.contract = given.config.contract.filename().string(),
                          .epoch = read_keyring(given.config).epoch(),
                          .min_k = given.config.min_k};
  db::Target target(given.config.secondary, db::Mode::dry);
  target.load_catalog();
  const auto pairing =
      settle_identities(given, given.accepted ? *given.accepted : Catalog{}, known_tables(target));
  for (const auto& table : pairing.contract.tables) {
    const auto* accepted = pairing.accepted ? pairing.accepted->find_table(table.name) : nullptr;
    auto shown = table_of(table, accepted);
    if (!shown.quasi_identifiers.empty()) {
      shown.anonymity = db::measure_anonymity(
          target, {.table = shown.target,
                   .subject = shown.subject.empty() ? std::nullopt : std::optional(shown.subject),
                   .quasi_identifiers = shown.quasi_identifiers,
                   .sensitive = shown.sensitive,
                   .min_k = privacy.min_k});
    }
    measure_uniqueness(target, pairing.contract, table, accepted, shown);
    privacy.tables.push_back(std::move(shown));
  }
  (void)open_to_look(pairing, target);
  if (target.books().exist()) {
    target.books().quarantines([&](const db::QuarantineRow& row) {
      privacy.rare += journal::is_rarity(row.reason) ? row.rows : 0;
      privacy.still_there += journal::is_still_there(row.reason) ? row.rows : 0;
    });
  }
  return privacy;
}

}  // namespace abgleich::sync
