#include "sync/mapping/former_names.hpp"

#include "sync/mapping/column_history.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace abgleich::sync {

namespace {

using contract::Formerly;

/// What identities prove of a former name: that the table or column which has the line's name now
/// had that name, that another one had it, or nothing.
enum class Proof : std::uint8_t { yes, no, none };

/// `before`: the identity that was read under the former name. `now`: the identity of the table or
/// column that has the line's name now. `elsewhere`: whether another one of the primary has the
/// identity `before`.
Proof proof_of(const std::string& before, const std::string& now, bool elsewhere) {
  if (before.empty() || now.empty()) {
    return Proof::none;
  }
  if (before == now) {
    return Proof::yes;
  }
  return elsewhere ? Proof::no : Proof::none;
}

/// `both_there`: whether one of the catalogues has both names.
Formerly judge(Proof own, Proof was, bool both_there) {
  if (own == Proof::yes) {
    return Formerly::own_name;
  }
  if (was == Proof::yes) {
    return Formerly::was;
  }
  if (was == Proof::no && own != Proof::no) {
    return Formerly::own_name;
  }
  return both_there || own == Proof::no ? Formerly::either : Formerly::as_told;
}

/// The identity of the column that was read under this name; empty: unknown.
std::string identity_in(const std::vector<Remembered>& columns, const std::string& source) {
  const auto found = std::ranges::find_if(columns, [&](const Remembered& column) {
    return column.state == ColumnState::exported && column.source == source;
  });
  return found == columns.end() ? "" : found->identity;
}

const CatalogTable* table_in(const Catalog* catalog, const std::string& name) {
  return catalog == nullptr ? nullptr : catalog->find_table(name);
}

bool has_both(const CatalogTable* table, const contract::Column& column) {
  return table != nullptr && table->find_column(column.name) != nullptr &&
         table->find_column(column.was) != nullptr;
}

const Catalog& or_empty(const Catalog* catalog) {
  static const Catalog kEmpty;
  return catalog == nullptr ? kEmpty : *catalog;
}

}  // namespace

KnownFormerNames::KnownFormerNames(const contract::Contract& contract, const Catalog* accepted,
                                   const Catalog* live, const std::vector<db::TrackedRow>& tracked,
                                   NamesThen then)
    : accepted_(accepted),
      live_(live),
      tracked_(tracked),
      then_(std::move(then)),
      matches_(contract, or_empty(live), tracked) {}

std::string KnownFormerNames::remembered(const std::string& table) const {
  const auto found = std::ranges::find(tracked_, table, &db::TrackedRow::source);
  return found == tracked_.end() ? "" : table_of(read_column_history(*found));
}

const std::string& KnownFormerNames::recorded(const contract::Table& table) const {
  return table.was.empty() || then_.had(table.name) ? table.name : table.was;
}

contract::FormerName KnownFormerNames::of(const contract::Table& table) const {
  const auto now = table_in(live_, table.name) == nullptr
                       ? ""
                       : identity_of(live_->identity, *live_->find_table(table.name));
  const auto prove = [&](const std::string& name) {
    const auto before = remembered(name);
    const bool elsewhere =
        live_ != nullptr && std::ranges::any_of(live_->tables, [&](const CatalogTable& other) {
          return other.name != table.name && identity_of(live_->identity, other) == before;
        });
    return proof_of(before, now, elsewhere);
  };
  const auto both_in = [&](const Catalog* catalog) {
    return table_in(catalog, table.name) != nullptr && table_in(catalog, table.was) != nullptr;
  };
  const auto* live = table_in(live_, table.name);
  return {
      .formerly = judge(prove(table.name), prove(table.was), both_in(accepted_) || both_in(live_)),
      .both_were_there = then_.had_both(table.name, table.was),
      .moved = live != nullptr && then_.looks_like(table.was, table.name, *live)};
}

contract::FormerName KnownFormerNames::of(const contract::Table& table,
                                          const contract::Column& column) const {
  const auto* row = matches_.of(table);
  const auto history = row == nullptr ? std::vector<Remembered>{} : read_column_history(*row);
  const auto* live = table_in(live_, table.name);
  const auto* found = live == nullptr ? nullptr : live->find_column(column.name);
  const auto now = found == nullptr ? "" : identity_of(live_->identity, *live, *found);
  const auto prove = [&](const std::string& name) {
    const auto before = identity_in(history, name);
    const bool elsewhere =
        live != nullptr && std::ranges::any_of(live->columns, [&](const CatalogColumn& other) {
          return other.name != column.name && identity_of(live_->identity, *live, other) == before;
        });
    return proof_of(before, now, elsewhere);
  };
  const auto* accepted = table_in(accepted_, table.name);
  const auto& then = recorded(table);
  return {.formerly = judge(
              prove(column.name), prove(column.was),
              has_both(accepted == nullptr ? table_in(accepted_, table.was) : accepted, column) ||
                  has_both(live, column)),
          .both_were_there = then_.had_both(then, column.name, column.was),
          .moved = live != nullptr && then_.moved(then, live_->identity, *live, column.name)};
}

bool KnownFormerNames::decides_anew(const contract::Table& table) const {
  const auto* live = table_in(live_, table.name);
  return live != nullptr && table.where &&
         std::ranges::any_of(columns_of(*table.where), [&](const std::string& column) {
           return then_.moved(recorded(table), live_->identity, *live, column);
         });
}

bool asks_for_names(const contract::Contract& contract) {
  return std::ranges::any_of(contract.tables, [](const contract::Table& table) {
    return !table.was.empty() || table.where ||
           std::ranges::any_of(table.columns,
                               [](const contract::Column& column) { return !column.was.empty(); });
  });
}

}  // namespace abgleich::sync
