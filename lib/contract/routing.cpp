#include "contract/routing.hpp"

#include "contract/document.hpp"
#include "contract/toml_text.hpp"
#include "contract/words.hpp"
#include "core/token.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <set>
#include <span>
#include <string_view>
#include <utility>

namespace abgleich::contract {

namespace {

using Kind = Condition::Kind;
using Test = Condition::Test;

/// What fits both; empty: nothing. Of two beginnings, one of which begins the other, that is the
/// longer one.
std::optional<TakenValue> common(const TakenValue& one, const TakenValue& other) {
  const auto holds = [](const TakenValue& wide, const TakenValue& narrow) {
    return wide.begins ? narrow.value.kind == Literal::Kind::text &&
                             narrow.value.text.starts_with(wide.value.text)
                       : !narrow.begins && wide.value == narrow.value;
  };
  return holds(one, other)   ? std::optional(other)
         : holds(other, one) ? std::optional(one)
                             : std::nullopt;
}

/// What of `own` others take as well, so that it goes to nobody: nothing where the table is shared.
std::vector<TakenValue> disputed(const std::vector<TakenValue>& own, std::span<const Takes> others,
                                 const Table& table) {
  std::vector<TakenValue> all;
  if (table.shared) {
    return all;
  }
  for (const auto& takes : others) {
    const auto found = takes.find(table.route);
    if (found == takes.end()) {
      continue;
    }
    for (const auto& value : own) {
      for (const auto& other : found->second) {
        if (auto both = common(value, other)) {
          all.push_back(std::move(*both));
        }
      }
    }
  }
  return all;
}

/// A LIKE pattern for every text that begins so.
std::string pattern_of(std::string_view beginning) {
  std::string pattern;
  for (const char c : beginning) {
    if (c == '%' || c == '_' || c == '\\') {
      pattern += '\\';
    }
    pattern += c;
  }
  return pattern + '%';
}

/// Whether the column has one of the values. REQUIRES: there is one.
Condition has_one_of(const std::string& column, const std::vector<TakenValue>& values) {
  Condition whole{.column = column, .test = Test::among, .by_bytes = true};
  std::vector<Condition> parts;
  for (const auto& value : values) {
    if (value.begins) {
      parts.push_back(
          {.column = column,
           .test = Test::like,
           .values = {{.kind = Literal::Kind::text, .text = pattern_of(value.value.text)}},
           .by_bytes = true});
    } else if (std::ranges::find(whole.values, value.value) == whole.values.end()) {
      whole.values.push_back(value.value);
    }
  }
  if (!whole.values.empty()) {
    parts.insert(parts.begin(), std::move(whole));
  }
  return joined(Kind::any, std::move(parts));
}

/// Whether the value is one of `own` and none of `both`.
Condition has_one_alone(const std::string& column, const std::vector<TakenValue>& own,
                        const std::vector<TakenValue>& both) {
  std::vector<Condition> parts{has_one_of(column, own)};
  if (!both.empty()) {
    parts.push_back({.kind = Kind::negated, .parts = {has_one_of(column, both)}});
  }
  return joined(Kind::all, std::move(parts));
}

/// Whether the table is routed by a token, which says itself whose it is.
bool is_routed_by_token(const Table& table) {
  const auto* column = table.find_column(table.route);
  return column != nullptr && column->cls == Class::token;
}

/// Whether the column has a token of one of these issuers. REQUIRES: there is one.
Condition has_token_of(const std::string& column, const std::vector<std::string>& issuers) {
  std::vector<Condition> parts;
  for (const auto& issuer : issuers) {
    parts.push_back({.column = column,
                     .test = Test::like,
                     .values = {{.kind = Literal::Kind::text, .text = pattern_of_tokens(issuer)}},
                     .by_bytes = true});
  }
  return joined(Kind::any, std::move(parts));
}

/// What a contract becomes by way of its tables' routes.
class Router {
 public:
  using Own = std::function<std::optional<Condition>(const Table&)>;

  /// `own`: the condition of a table with `route`; empty: no row fulfils it.
  Router(const Contract& contract, Own own) : contract_(contract), own_(std::move(own)) {}

  /// The rows of a routed table that go, by its `where` too; empty: none.
  [[nodiscard]] std::optional<Condition> going(const Table& table) const {
    auto way = table.follows.empty() ? own_(table) : following(table);
    if (!way) {
      return std::nullopt;
    }
    std::vector<Condition> parts;
    if (table.where) {
      parts.push_back(*table.where);
    }
    parts.push_back(std::move(*way));
    return joined(Kind::all, std::move(parts));
  }

  /// Whether the row goes with one that it follows, whatever its own `where` says.
  [[nodiscard]] std::optional<Condition> following(const Table& table) const {
    std::vector<Condition> parts;
    for (const auto& followed : table.follows) {
      const auto& parent = *contract_.find_table(followed.table);
      if (auto goes = going(parent)) {
        parts.push_back({.kind = Kind::within,
                         .parts = {std::move(*goes)},
                         .column = followed.by,
                         .table = parent.name,
                         .key = parent.key.front()});
      }
    }
    return parts.empty() ? std::nullopt : std::optional(joined(Kind::any, std::move(parts)));
  }

 private:
  const Contract& contract_;
  Own own_;
};

}  // namespace

Contract routed(Contract contract, const Routes& routes) {
  std::set<std::string_view> used;
  const Router router(contract, [&](const Table& table) {
    if (is_routed_by_token(table)) {
      return std::optional(has_token_of(table.route, {routes.issuer}));
    }
    const auto own = routes.own.find(table.route);
    if (own == routes.own.end()) {
      refuse(
          routes.place,
          fmt::format("{} does not say which rows of table {} the peer gets: they are routed by {}",
                      routes.header, in_quotes(table.name), in_quotes(table.route)),
          fmt::format("write takes = {{ {} = [\"VALUE\", \"BEGINNING*\"] }} below {}",
                      toml_key(table.route),
                      routes.header.find('*') == std::string::npos
                          ? "it"
                          : "a section [peers.NAME] of each of these peers"));
    }
    used.insert(own->first);
    return std::optional(
        has_one_alone(table.route, own->second, disputed(own->second, routes.others, table)));
  });
  std::vector<std::optional<Condition>> conditions;
  for (const auto& table : contract.tables) {
    conditions.push_back(table.is_routed() ? router.going(table) : table.where);
  }
  for (const auto& [column, values] : routes.own) {
    if (!used.contains(column)) {
      refuse(routes.place,
             fmt::format("{} takes rows by {}, and no table of its contract is routed by that",
                         routes.header, in_quotes(column)),
             fmt::format("write route = {} into a table of '{}', or delete it from 'takes'",
                         toml_string(column), contract.file.string()));
    }
  }
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    contract.tables[i].where = std::move(conditions[i]);
  }
  return contract;
}

void expect_not_routed(const Contract& contract) {
  for (const auto& table : contract.tables) {
    if (table.is_routed()) {
      refuse(table.where_place,
             fmt::format("table {} has {}, which only a contract has that peers get",
                         in_quotes(table.name), table.route.empty() ? "'follows'" : "'route'"),
             "delete it, or name the contract as 'sends' of a section [peers.…] and nowhere else");
    }
  }
}

namespace {

/// What all peers take of one table.
struct Taken {
  Taken(const std::vector<Takes>& all, const Table& table) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto own = all[i].find(table.route);
      if (own != all[i].end()) {
        by_any.insert(by_any.end(), own->second.begin(), own->second.end());
        const auto both = disputed(own->second, std::span(all).subspan(i + 1), table);
        by_many.insert(by_many.end(), both.begin(), both.end());
      }
    }
  }

  std::vector<TakenValue> by_any;
  std::vector<TakenValue> by_many;
};

}  // namespace

std::vector<RoutedRows> routed_rows(const Contract& contract, const Takers& all) {
  const Router router(contract, [&](const Table& table) {
    if (is_routed_by_token(table)) {
      return all.issuers.empty() ? std::nullopt
                                 : std::optional(has_token_of(table.route, all.issuers));
    }
    const Taken taken(all.takes, table);
    return taken.by_any.empty()
               ? std::nullopt
               : std::optional(has_one_alone(table.route, taken.by_any, taken.by_many));
  });
  std::vector<RoutedRows> found;
  for (const auto& table : contract.tables) {
    if (!table.is_routed()) {
      continue;
    }
    RoutedRows rows{.table = table.name,
                    .column = table.follows.empty() ? table.route : table.follows.front().by,
                    .all = table.where,
                    .going = router.going(table)};
    if (const Taken taken(all.takes, table); !taken.by_many.empty()) {
      rows.disputed = has_one_of(table.route, taken.by_many);
      if (table.where) {
        rows.disputed = joined(Kind::all, {*table.where, std::move(*rows.disputed)});
      }
    }
    found.push_back(std::move(rows));
  }
  return found;
}

}  // namespace abgleich::contract
