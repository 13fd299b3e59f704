#include "sync/mapping/names_then.hpp"

#include "core/error.hpp"
#include "core/shallow_json.hpp"
#include "sync/mapping/column_history.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace abgleich::sync {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kTablesFact = "primary_tables";
constexpr const char* kAllTables = "all";
constexpr const char* kColumnsFact = "primary_columns";

NamesBySeal names_from(const Json& json) {
  NamesBySeal names;
  for (const auto& [name, one] : json.items()) {
    auto& then = names[name];
    then.place = one.value("place", std::int64_t{0});
    then.since = one.at("since");
    if (one.contains("until")) {
      then.until = one.at("until");
    }
  }
  return names;
}

Json json_of(const NamesBySeal& names) {
  auto json = Json::object();
  for (const auto& [name, then] : names) {
    auto& one = json[name];
    if (then.place != 0) {
      one["place"] = then.place;
    }
    one["since"] = then.since;
    if (then.until) {
      one["until"] = *then.until;
    }
  }
  return json;
}

/// Gives a fact's JSON to `take`. Throws Failure{integrity} where it is damaged.
template <class Take>
void read_fact(const db::FactRow& fact, const Take& take) {
  try {
    take(parse_shallow<Json>(fact.value));
  } catch (const nlohmann::json::exception&) {
    throw Failure(Code::integrity, "what the bookkeeping says of the primary's names is damaged",
                  "see what is damaged: abgleich verify; restore the secondary from its backup, "
                  "then run: abgleich adopt --reason TEXT. Nothing was changed");
  }
}

/// The known names, brought up to date: `now` are those that the run numbered `epoch` has seen.
NamesBySeal followed(NamesBySeal known, const NamesBySeal& now, std::int64_t epoch) {
  for (auto& [name, then] : known) {
    if (!then.until && !now.contains(name)) {
      then.until = epoch - 1;
    }
  }
  for (const auto& [name, seen] : now) {
    auto& then = known[name];
    const bool new_here = then.since == 0 || then.until;
    then = {.place = seen.place, .since = new_here ? epoch : then.since, .until = {}};
  }
  return known;
}

NamesBySeal columns_of(const CatalogTable& table, const contract::Seal& seal) {
  NamesBySeal names;
  for (const auto& column : table.columns) {
    names[seal(column.name)].place = column.identity;
  }
  return names;
}

bool is_there(const NamesBySeal& names, const std::string& name) {
  const auto found = names.find(name);
  return found != names.end() && !found->second.until;
}

bool at_once(const NamesBySeal& names, const std::string& one, const std::string& other) {
  const auto first = names.find(one);
  const auto second = names.find(other);
  const auto ends_before = [](const NameThen& then, const NameThen& later) {
    return then.until && *then.until < later.since;
  };
  return first != names.end() && second != names.end() &&
         !ends_before(first->second, second->second) && !ends_before(second->second, first->second);
}

/// The position of the name among the names that both have.
std::ptrdiff_t rank_of(const std::string& name, const NamesBySeal& names,
                       const NamesBySeal& others) {
  return std::ranges::count_if(names, [&](const auto& one) {
    return !one.second.until && is_there(others, one.first) &&
           one.second.place < names.at(name).place;
  });
}

/// Facts of one kind, read once and written where they have changed.
class Facts {
 public:
  Facts(db::Books& books, const char* kind, std::int64_t epoch)
      : books_(books), kind_(kind), epoch_(epoch) {
    for (auto& fact : books.facts(kind)) {
      known_.emplace(std::move(fact.name), std::move(fact.value));
    }
  }

  void put(const std::string& name, const Json& json) {
    const auto found = known_.find(name);
    if (auto text = json.dump(); found == known_.end() || found->second != text) {
      books_.put_fact({.kind = kind_, .name = name, .value = std::move(text), .epoch = epoch_});
    }
  }

  /// Forgets those that are not `kept`.
  template <class Kept>
  void forget_others(const Kept& kept) {
    for (const auto& [name, text] : known_) {
      if (!kept(name)) {
        books_.forget_fact(kind_, name);
      }
    }
  }

 private:
  db::Books& books_;
  const char* kind_;
  std::int64_t epoch_;
  std::map<std::string, std::string> known_;
};

}  // namespace

NamesThen NamesThen::read(db::Books& books, contract::Seal seal) {
  NamesThen names;
  names.seal_ = std::move(seal);
  if (!books.exist()) {
    return names;
  }
  for (const auto& fact : books.facts(kTablesFact)) {
    read_fact(fact, [&](const Json& json) { names.tables_ = names_from(json); });
  }
  for (const auto& fact : books.facts(kColumnsFact)) {
    read_fact(fact, [&](const Json& json) {
      names.columns_[fact.name] = {.table = json.at("table"),
                                   .names = names_from(json.at("columns"))};
    });
  }
  return names;
}

const NamesThen::Columns* NamesThen::of(const std::string& table) const {
  const auto found = columns_.find(table);
  return found == columns_.end() ? nullptr : &found->second;
}

const NamesBySeal& NamesThen::columns(const std::string& table) const {
  static const NamesBySeal kNone;
  const auto* found = of(table);
  return found == nullptr ? kNone : found->names;
}

bool NamesThen::had(const std::string& table) const {
  return is_there(tables_, seal_(table));
}

bool NamesThen::had_both(const std::string& one, const std::string& other) const {
  return at_once(tables_, seal_(one), seal_(other));
}

bool NamesThen::had_both(const std::string& table, const std::string& one,
                         const std::string& other) const {
  const auto* columns = of(table);
  return columns != nullptr && at_once(columns->names, seal_(one), seal_(other));
}

bool NamesThen::moved(const std::string& table, const DatabaseIdentity& database,
                      const CatalogTable& live, const std::string& column) const {
  const auto* then = of(table);
  const auto name = seal_(column);
  if (then == nullptr || !is_there(then->names, name) || live.find_column(column) == nullptr ||
      then->table != identity_of(database, live)) {
    return false;  // not known
  }
  const auto now = columns_of(live, seal_);
  return then->table.empty() ? rank_of(name, then->names, now) != rank_of(name, now, then->names)
                             : then->names.at(name).place != now.at(name).place;
}

bool NamesThen::has_columns_of(const std::string& table, const CatalogTable& live) const {
  const auto* then = of(table);
  return then != nullptr &&
         std::ranges::count_if(then->names, [](const auto& one) { return !one.second.until; }) ==
             std::ssize(live.columns) &&
         std::ranges::all_of(live.columns, [&](const CatalogColumn& column) {
           return is_there(then->names, seal_(column.name));
         });
}

bool NamesThen::looks_like(const std::string& was, const std::string& table,
                           const CatalogTable& live) const {
  return has_columns_of(was, live) && !has_columns_of(table, live);
}

void record_names(db::Books& books, const contract::Seal& seal, const contract::Contract& contract,
                  const Catalog& live, std::int64_t epoch) {
  const auto before = NamesThen::read(books, seal);
  NamesBySeal tables;
  for (const auto& table : live.tables) {
    tables.emplace(seal(table.name), NameThen{});
  }
  Facts(books, kTablesFact, epoch)
      .put(kAllTables, json_of(followed(before.tables(), tables, epoch)));
  Facts columns(books, kColumnsFact, epoch);
  for (const auto& table : contract.tables) {
    const auto* now = live.find_table(table.name);
    if (now == nullptr) {
      continue;
    }
    const auto& known = before.columns(before.knows(table.name) ? table.name : table.was);
    columns.put(table.name, {{"table", identity_of(live.identity, *now)},
                             {"columns", json_of(followed(known, columns_of(*now, seal), epoch))}});
  }
  columns.forget_others(
      [&](const std::string& name) { return contract.find_table(name) != nullptr; });
}

}  // namespace abgleich::sync
