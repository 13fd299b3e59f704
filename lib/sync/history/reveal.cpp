#include "sync/history/reveal.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "db/primary/source.hpp"
#include "mask/keyring.hpp"
#include "mask/masker.hpp"
#include "mask/reveal.hpp"
#include "state/reveal_log.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace abgleich::sync {

namespace {

using mask::Form;

std::string_view word_of(Form::Kind kind) {
  switch (kind) {
    case Form::Kind::text:
      return "text";
    case Form::Kind::uuid:
      return "uuid";
    case Form::Kind::integer:
      return "integer";
    case Form::Kind::token:
      return "token";
    case Form::Kind::none:
      break;
  }
  return "no";
}

/// Pseudonym columns of one table that are there in the primary.
struct Columns {
  std::vector<const contract::Column*> columns;
  std::vector<const CatalogColumn*> sources;
  std::vector<Type> types;
};

enum class Which : std::uint8_t { key, all };

Columns columns_of(const contract::Table& table, const CatalogTable& there, Which which) {
  Columns found;
  for (const auto& column : table.columns) {
    const auto* source = there.find_column(column.name);
    const bool of_key = std::ranges::find(table.key, column.name) != table.key.end();
    if (column.cls == contract::Class::pseudonym && source != nullptr &&
        (of_key || which == Which::all) && !mask::misfit(column, source->type)) {
      found.columns.push_back(&column);
      found.sources.push_back(source);
      found.types.push_back(source->type);
    }
  }
  return found;
}

[[noreturn]] void refuse(std::string message, std::string hint) {
  throw Failure(Code::usage, std::move(message), std::move(hint));
}

/// Throws Failure where its form alone shows that this is no pseudonym of the key's epoch and of
/// these columns.
void expect_form(const std::string& pseudonym, const Columns& key, const mask::Keyring& keyring) {
  const auto shown = contract::in_quotes(pseudonym);
  const auto form = mask::form_of(pseudonym);
  if (form.kind == Form::Kind::none) {
    refuse(fmt::format("{} is no pseudonym", shown),
           "give it as the secondary has it: p1_ and 26 characters, a uuid or a number");
  }
  const bool names_epoch = form.kind == Form::Kind::text || form.kind == Form::Kind::token;
  if (names_epoch && form.epoch != keyring.epoch()) {
    refuse(fmt::format("{} is of epoch {}, and the key makes pseudonyms of epoch {}", shown,
                       form.epoch, keyring.epoch()),
           form.epoch > keyring.epoch()
               ? "the key file is older than the secondary: restore the newer one"
               : "look the row up in the secondary as it is now: every row has a new pseudonym");
  }
  for (std::size_t i = 0; i < key.columns.size(); ++i) {
    if (mask::form_of(*key.columns[i], key.types[i]) == form.kind) {
      return;
    }
  }
  refuse(fmt::format("{} is a pseudonym of the {} format, and no key column here has it", shown,
                     word_of(form.kind)),
         "look at [tables] and 'format' in the contract");
}

/// A column of any table that has this pseudonym, as "identity 'phone' ('person.phone')".
std::optional<std::string> owner_of(const Pairing& pairing, const Catalog& primary,
                                    db::Source& source, const mask::Keyring& keyring,
                                    const std::string& pseudonym) {
  std::optional<std::string> owner;
  for (const auto& table : pairing.contract.tables) {
    const auto* there = primary.find_table(table.name);
    if (there == nullptr || owner) {
      continue;
    }
    const auto columns = columns_of(table, *there, Which::all);
    if (columns.columns.empty()) {
      continue;
    }
    mask::Reveal look(columns.columns, columns.types, keyring, {pseudonym});
    source.read(table.name, columns.sources, [&](const RawRow& row) {
      look.look(row, [&](const std::string&, std::size_t column, std::string_view) {
        owner = fmt::format("identity '{}' ('{}.{}')", columns.columns[column]->identity,
                            table.name, columns.columns[column]->name);
      });
    });
  }
  return owner;
}

/// The kind of value that a typed text is read as.
Kind kind_of(const contract::CanonicalForm& form) {
  using Of = contract::CanonicalForm::Of;
  const bool moment = form.of == Of::date || form.of == Of::timestamp || form.of == Of::timestamptz;
  return moment ? Kind::timestamp : Kind::text;
}

}  // namespace

void reveal(const Pairing& given, const std::string& table_name,
            const std::vector<std::string>& pseudonyms, const std::string& reason,
            const std::function<void(const Revealed&)>& found) {
  const auto keyring = read_keyring(given.config);
  if (given.contract.find_table(table_name) == nullptr) {
    refuse(fmt::format("the contract has no table {}", contract::in_quotes(table_name)),
           "see the tables: abgleich status");
  }
  db::Source source(given.config.primary, filters_of(given.contract));
  const auto& primary = source.catalog();
  const auto pairing = settle_identities(given, primary);
  const auto* table = pairing.contract.find_table(table_name);
  const auto* there = primary.find_table(table->name);
  if (there == nullptr) {
    refuse(fmt::format("the primary has no table '{}'", table->name), "look at it: abgleich drift");
  }
  const auto key = columns_of(*table, *there, Which::key);
  if (key.columns.empty()) {
    refuse(
        fmt::format("the key of '{}' is no pseudonym, so there is nothing to reveal", table->name),
        "look the row up by its key");
  }
  for (const auto& pseudonym : pseudonyms) {
    expect_form(pseudonym, key, keyring);
  }
  state::log_asked(
      pairing.config.state_directory,
      {.command = "reveal", .subject = table->name, .pseudonyms = pseudonyms, .reason = reason});
  const std::set<std::string> wanted(pseudonyms.begin(), pseudonyms.end());
  std::set<std::pair<std::string, std::string>> told;  // pseudonym, column
  std::set<std::string> known;
  mask::Reveal look(key.columns, key.types, keyring, wanted);
  source.read(table->name, key.sources, [&](const RawRow& row) {
    look.look(row, [&](const std::string& pseudonym, std::size_t column, std::string_view value) {
      known.insert(pseudonym);
      if (told.emplace(pseudonym, key.columns[column]->name).second) {
        found({.pseudonym = pseudonym, .column = key.columns[column]->name, .value = value});
      }
    });
  });
  for (const auto& pseudonym : pseudonyms) {
    if (known.contains(pseudonym)) {
      continue;
    }
    if (const auto owner = owner_of(pairing, primary, source, keyring, pseudonym)) {
      refuse(fmt::format("'{}' is no key of '{}', but of {}", pseudonym, table->name, *owner),
             "name the table whose key it is");
    }
    refuse(
        fmt::format("'{}' belongs to no row of '{}': it was made with another key, or the "
                    "primary no longer has the row",
                    pseudonym, table->name),
        "compare the keys: abgleich keys check; and look when the row was deleted: abgleich log");
  }
}

std::vector<Token> token(const Pairing& given, const std::string& identity,
                         const std::string& value, const std::string& reason) {
  const auto keyring = read_keyring(given.config);
  // the column types decide the formats: those of the accepted catalogue, else the live ones
  std::optional<Catalog> catalog = given.accepted;
  if (!catalog) {
    db::Source source(given.config.primary, filters_of(given.contract));
    catalog = source.catalog();
  }
  const auto pairing = settle_identities(given, *catalog);
  std::set<std::string_view> identities;
  std::map<std::tuple<contract::Format, contract::Normaliser, std::string, std::string>, Token>
      tokens;
  for (const auto& table : pairing.contract.tables) {
    const auto* there = catalog->find_table(table.name);
    for (const auto& column : table.columns) {
      if (column.cls != contract::Class::pseudonym) {
        continue;
      }
      identities.insert(column.identity);
      const auto* source = there == nullptr ? nullptr : there->find_column(column.name);
      auto recipe = mask::recipe_of(column, source == nullptr ? text_type() : source->type);
      recipe.form.refers = true;  // what was typed is read as a value of the identity
      const std::tuple which(recipe.format, recipe.normaliser, std::string(recipe.country),
                             contract::text_of(recipe.form));
      if (column.identity != identity || tokens.contains(which)) {
        continue;
      }
      mask::Pseudonymiser pseudonymiser(keyring, recipe);
      Value pseudonym;
      if (const auto why = pseudonymiser.make({kind_of(recipe.form), value}, pseudonym)) {
        refuse(fmt::format("the value has no pseudonym of identity {}: it is {}",
                           contract::in_quotes(identity), mask::text_of(*why)),
               "look at 'normalise' and 'format' of the identity's columns in the contract");
      }
      tokens.emplace(which, Token{.pseudonym = pseudonym.bytes(),
                                  .format = std::string(name_of(recipe.format)),
                                  .normaliser = std::string(name_of(recipe.normaliser))});
    }
  }
  if (tokens.empty()) {
    refuse(fmt::format("the contract has no identity {}", contract::in_quotes(identity)),
           identities.empty() ? std::string("it has none: no column of it is a pseudonym")
                              : fmt::format("it has {}", fmt::join(identities, ", ")));
  }
  std::vector<Token> all;
  state::Asked asked{.command = "token", .subject = identity, .pseudonyms = {}, .reason = reason};
  for (auto& [which, one] : tokens) {
    if (std::ranges::find(asked.pseudonyms, one.pseudonym) != asked.pseudonyms.end()) {
      continue;  // another recipe gives this value the same pseudonym
    }
    asked.pseudonyms.push_back(one.pseudonym);
    all.push_back(std::move(one));
  }
  state::log_asked(pairing.config.state_directory, asked);
  return all;
}

}  // namespace abgleich::sync
