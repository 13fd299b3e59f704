#include "contract/guess_again.hpp"

#include "contract/edit.hpp"
#include "contract/guessed_lines.hpp"
#include "contract/toml_text.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace abgleich::contract {

namespace {

bool knows(const Catalog* catalog, std::string_view table) {
  return catalog != nullptr && catalog->find_table(table) != nullptr;
}

bool knows(const Catalog* catalog, std::string_view table, std::string_view column) {
  const auto* found = catalog == nullptr ? nullptr : catalog->find_table(table);
  return found != nullptr && found->find_column(column) != nullptr;
}

class Guesser {
 public:
  Guesser(std::string_view text, const Contract& contract, const Catalog& live,
          const Catalog* accepted)
      : contract_(contract),
        live_(live),
        accepted_(accepted),
        keys_(keys_of(contract, live)),
        identities_(live, keys_) {
    again_.text = text;
    for (const auto& table : contract.tables) {
      targets_.take(table.target);
      for (const auto& column : table.columns) {
        const auto guess = identities_.of(table.name, column.name);
        if (guess && column.cls == Class::pseudonym && !column.identity.empty()) {
          identities_.rename(*guess, column.identity);
        }
      }
    }
  }

  GuessedAgain guess() && {
    for (const auto& table : contract_.tables) {
      if (const auto* found = live_.find_table(table.name)) {
        look_at(table, *found);
      } else {
        again_.gone.push_back(table.name);
      }
    }
    for (const auto& table : live_.tables) {
      const bool named =
          contract_.find_table(table.name) != nullptr ||
          std::ranges::find(contract_.tables, table.name, &Table::was) != contract_.tables.end();
      if (!named && !knows(accepted_, table.name)) {
        add(table);
      }
    }
    return std::move(again_);
  }

 private:
  /// The keys of all tables: the contract's own, and for other tables a guess.
  static Identities::Keys keys_of(const Contract& contract, const Catalog& live) {
    auto keys = guessed_keys(live);
    for (const auto& table : contract.tables) {
      keys[table.name] = table.key;
    }
    return keys;
  }

  void look_at(const Table& table, const CatalogTable& found) {
    FreeNames names;
    for (const auto* column : table.exported()) {
      names.take(column->as);
    }
    for (const auto& column : table.columns) {
      if (found.find_column(column.name) == nullptr) {
        again_.gone.push_back(fmt::format("{}.{}", table.name, column.name));
      }
    }
    const auto lines = guessed_lines(found, table.key, identities_, names);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const auto& name = found.columns[i].name;
      const bool named =
          table.find_column(name) != nullptr ||
          std::ranges::find(table.columns, name, &Column::was) != table.columns.end();
      if (!lines[i].key.empty() && !named) {
        add(table, name, lines[i]);
      }
    }
  }

  void add(const Table& table, const std::string& column, const GuessedLine& guess) {
    const auto line = [&](std::string_view value) {
      return fmt::format("{} = {}  # {}\n", guess.key, value, guess.comment);
    };
    const auto insert = [&](const std::string& text) {
      again_.text =
          add_line(again_.text, contract_.file, {.table = table.name, .column = column}, text);
    };
    constexpr std::string_view kWithhold = "\"withhold\"";
    if (knows(accepted_, table.name, column)) {
      insert(line(kWithhold));
    } else {
      try {
        insert(line(guess.value));
      } catch (const Failure&) {  // the guess contradicts what people have written
        insert(line(kWithhold));
      }
    }
    again_.columns.push_back(fmt::format("{}.{}", table.name, column));
  }

  void add(const CatalogTable& table) {
    const auto key = keys_.find(table.name);
    if (!offered(table) || !writable(table.name)) {
      return;
    }
    const auto before = again_.text;
    if (!before.empty() && before.back() != '\n') {
      again_.text += '\n';
    }
    if (key == keys_.end()) {
      const auto comment = left_out(table, identities_);
      again_.text += before.find(comment) == std::string::npos ? comment : std::string();
      return;
    }
    again_.text += section_of(table, key->second, targets_.take(table.name), identities_);
    try {
      (void)parse_contract(again_.text, contract_.file);
      again_.tables.push_back(table.name);
    } catch (const Failure&) {  // its guess contradicts what people have written
      again_.text = before;
      again_.unfit.push_back(table.name);
    }
  }

  const Contract& contract_;
  const Catalog& live_;
  const Catalog* accepted_;
  Identities::Keys keys_;
  Identities identities_;
  FreeNames targets_;
  GuessedAgain again_;
};

}  // namespace

GuessedAgain guess_again(std::string_view text, const Contract& contract, const Catalog& live,
                         const Catalog* accepted) {
  return Guesser(text, contract, live, accepted).guess();
}

}  // namespace abgleich::contract
