#include "drift/accept.hpp"

#include "core/condition_misfit.hpp"
#include "drift/contract_line.hpp"
#include "drift/drift.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace abgleich::drift {

namespace {

constexpr std::array<EventKind, 5> kColumnLosses{
    EventKind::dropped_column, EventKind::renamed_column, EventKind::replaced_column,
    EventKind::missing_in_primary, EventKind::nullability_loosened};
constexpr std::array<EventKind, 3> kTableLosses{EventKind::dropped_table, EventKind::renamed_table,
                                                EventKind::replaced_table};

template <std::size_t N>
bool among(const std::array<EventKind, N>& kinds, EventKind kind) {
  return std::ranges::find(kinds, kind) != kinds.end();
}

bool chosen(const std::vector<std::string>& tables, const std::string& table) {
  return tables.empty() || std::ranges::find(tables, table) != tables.end();
}

/// What the event means for the key of an exported table; empty: nothing.
std::string loss_of_key(const contract::Table& table, const Event& event) {
  if (event.column.empty() && among(kTableLosses, event.kind)) {
    return fmt::format("the key of table '{}' would be gone with it ({})", table.name,
                       name_of(event.kind));
  }
  if (event.kind == EventKind::key_changed) {
    return fmt::format("nothing would keep the key of table '{}' unique ({})", table.name,
                       fmt::join(table.key, ", "));
  }
  if (among(kColumnLosses, event.kind) &&
      std::ranges::find(table.key, event.column) != table.key.end()) {
    return fmt::format("'{}.{}' is part of an exported key ({})", table.name, event.column,
                       name_of(event.kind));
  }
  return {};
}

void replace(Catalog& catalog, std::string_view name, const CatalogTable* by) {
  const auto found = std::ranges::find(catalog.tables, name, &CatalogTable::name);
  if (found != catalog.tables.end()) {
    catalog.tables.erase(found);
  }
  if (by != nullptr) {
    catalog.tables.push_back(*by);
    std::ranges::sort(catalog.tables, {}, &CatalogTable::name);
  }
}

bool known_and_different(const std::string& one, const std::string& other) {
  return !one.empty() && !other.empty() && one != other;
}

/// Whether they are different databases: restored, copied, or not related at all.
bool another_database(const DatabaseIdentity& one, const DatabaseIdentity& other) {
  return one.engine != other.engine || known_and_different(one.system, other.system) ||
         known_and_different(one.database, other.database);
}

}  // namespace

std::optional<Error> refusal(const contract::Contract& contract, const std::vector<Event>& events,
                             const std::vector<std::string>& tables) {
  for (const auto& event : events) {
    const auto* table = contract.find_table(event.table);
    if (table == nullptr || event.verdict != Verdict::block || !chosen(tables, event.table)) {
      continue;
    }
    if (const auto loss = loss_of_key(*table, event); !loss.empty()) {
      return Error{.code = Code::drift_decision,
                   .message = "not accepted: " + loss,
                   .hint = event.hint + ". Nothing was changed"};
    }
  }
  return std::nullopt;
}

std::optional<Error> refusal_of_loss(const contract::Contract& contract,
                                     const std::vector<Event>& events, const Catalog& accepted,
                                     const Catalog& live) {
  for (const auto& loss : compare(contract, accepted, live)) {
    if (loss.kind != EventKind::missing_in_primary || loss.verdict != Verdict::block) {
      continue;
    }
    const auto before = std::ranges::find_if(events, [&](const Event& event) {
      return event.table == loss.table && event.column == loss.column &&
             event.kind != EventKind::new_column;
    });
    if (before == events.end() || before->kind == loss.kind) {
      continue;
    }
    const auto name =
        loss.column.empty() ? loss.table : fmt::format("{}.{}", loss.table, loss.column);
    return Error{.code = Code::drift_decision,
                 .message = fmt::format("not accepted: '{}' is gone in the primary ({}), and its "
                                        "line in the contract would block table '{}' from then on",
                                        name, name_of(before->kind), loss.table),
                 .hint = before->hint + ". Nothing was changed"};
  }
  return std::nullopt;
}

std::optional<Error> refusal_of_where(const contract::Contract& contract, const Catalog& accepted,
                                      const Catalog& live) {
  for (const auto& table : contract.tables) {
    const auto* now = live.find_table(table.name);
    const auto* before = accepted.find_table(table.name);
    before = before == nullptr ? accepted.find_table(table.was) : before;
    if (!table.where || now == nullptr || before == nullptr || misfit_of(*table.where, *before)) {
      continue;
    }
    if (const auto why = misfit_of(*table.where, *now)) {
      return Error{.code = Code::drift_decision,
                   .message = fmt::format("not accepted: table '{}' could not be asked its {} any "
                                          "more: {}",
                                          table.name, table.choice(), *why),
                   .hint = fmt::format("{}, then run: abgleich drift accept. Nothing was changed",
                                       where_anew(table))};
    }
  }
  return std::nullopt;
}

Catalog accept_tables(const contract::Contract& contract, const Catalog& accepted,
                      const Catalog& live, const std::vector<std::string>& tables) {
  if (another_database(accepted.identity, live.identity)) {
    throw Failure(Code::drift_decision,
                  "the primary is another database than the accepted one (restored, or replaced)",
                  "accept it whole: abgleich drift accept. Nothing was changed");
  }
  Catalog result = accepted;
  for (const auto& name : tables) {
    const auto* table = contract.find_table(name);
    const std::string was = table == nullptr ? "" : table->was;
    const auto* now = live.find_table(name);
    if (now == nullptr && accepted.find_table(name) == nullptr) {
      throw Failure(Code::usage, fmt::format("there is no table '{}' in the primary", name),
                    "see what has changed: abgleich drift. Nothing was changed");
    }
    replace(result, name, now);
    if (!was.empty() && live.find_table(was) == nullptr) {
      replace(result, was, nullptr);
    }
  }
  return result;
}

void expect_same_database(const Catalog& accepted, const Catalog& from_file,
                          const std::filesystem::path& file) {
  const auto refuse = [&](const std::string& what) {
    throw Failure(Code::configuration,
                  fmt::format("'{}' is the catalogue of another database: {}", file.string(), what),
                  "take one of this pairing's primary: abgleich drift snapshot FILE (after a "
                  "restore of the primary, first: abgleich drift accept)");
  };
  if (from_file.identity.engine != accepted.identity.engine) {
    refuse(fmt::format("its engine is {}, and {} is accepted", name_of(from_file.identity.engine),
                       name_of(accepted.identity.engine)));
  }
  if (from_file.schema != accepted.schema) {
    refuse(
        fmt::format("its schema is '{}', and '{}' is accepted", from_file.schema, accepted.schema));
  }
  if (another_database(accepted.identity, from_file.identity)) {
    refuse(fmt::format("its number is {}/{}, and {}/{} is accepted", from_file.identity.system,
                       from_file.identity.database, accepted.identity.system,
                       accepted.identity.database));
  }
}

}  // namespace abgleich::drift
