#include "drift/drift.hpp"

#include "contract/toml_text.hpp"
#include "drift/columns.hpp"
#include "drift/foreign_keys.hpp"
#include "drift/retype.hpp"
#include "drift/trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace abgleich::drift {

namespace {

constexpr std::array<std::string_view, 3> kVerdicts{"info", "adapt", "block"};

std::string header(std::string_view table) {
  return fmt::format("[tables.{}]", contract::toml_key(table));
}

class CatalogComparison {
 public:
  CatalogComparison(const contract::Contract& contract, const Catalog& accepted,
                    const Catalog& live, std::string_view reader)
      : contract_(contract),
        accepted_catalog_(accepted),
        live_catalog_(live),
        reader_(reader),
        evidence_(accepted.identity.same_database(live.identity) ? Evidence::identities
                                                                 : Evidence::names),
        accepted_(accepted.tables),
        live_(live.tables),
        tracer_(accepted_, live_, evidence_, names()) {
    for (const contract::Table& table : contract.tables) {
      named_.insert(table.name);
    }
    for (const Named& named : names()) {
      note_references(named);
    }
  }

  std::vector<Event> run() {
    for (const contract::Table& table : contract_.tables) {
      follow(table);
    }
    for (const CatalogTable& table : live_catalog_.tables) {
      if (!named_.contains(table.name)) {
        report_unnamed(table);
      }
    }
    compare_foreign_keys(contract_, accepted_catalog_, live_catalog_, events_);
    std::ranges::sort(events_, {}, [](const Event& event) {
      return std::tie(event.table, event.column, event.kind, event.was, event.now);
    });
    return std::move(events_);
  }

 private:
  [[nodiscard]] std::vector<Named> names() const {
    std::vector<Named> names;
    for (const contract::Table& table : contract_.tables) {
      names.push_back({table.name, table.was});
    }
    return names;
  }

  /// Which columns the foreign keys of the contract's tables point to, by accepted names.
  void note_references(const Named& named) {
    for (const std::string_view name : {named.name, named.was}) {
      if (const CatalogTable* table = accepted_.named(name)) {
        for (const CatalogForeignKey& foreign : table->foreign_keys) {
          referenced_[foreign.table].insert(foreign.referenced.begin(), foreign.referenced.end());
        }
      }
    }
  }

  void add(EventKind kind, std::string_view table, std::string_view was, std::string_view now,
           Verdict verdict, std::string hint) {
    events_.push_back({kind,
                       std::string{table},
                       {},
                       std::string{was},
                       std::string{now},
                       verdict,
                       std::move(hint)});
  }

  void follow(const contract::Table& table) {
    const Trace<CatalogTable> found = tracer_.trace({table.name, table.was});
    explained_.insert(found.elsewhere);
    explained_.insert(found.accepted);
    switch (found.trail) {
      case Trail::found:
        if (!table.was.empty() && found.accepted->name == table.name &&
            accepted_.named(table.was) != nullptr) {
          add(EventKind::unused_was, table.name, table.was, table.name, Verdict::info,
              fmt::format("delete was = {} from {}: both names are accepted tables",
                          contract::toml_string(table.was), header(table.name)));
        }
        compare_found(table, found.accepted, *found.live);
        return;
      case Trail::remade:
        // Vendors rebuild tables (copy, drop, rename). Then columns have new numbers, and can be
        // compared only by name.
        add(EventKind::replaced_table, table.name, {}, {}, Verdict::info, std::string{kAccept});
        compare_found(table, found.accepted, *found.live);
        return;
      case Trail::unaccepted:
        add(EventKind::new_table, table.name, {}, {}, Verdict::info, std::string{kAccept});
        compare_found(table, nullptr, *found.live);
        return;
      case Trail::renamed_here:
        add(EventKind::renamed_table, table.name, found.accepted->name, table.name, Verdict::block,
            fmt::format("add to {}: was = {}", header(table.name),
                        contract::toml_string(found.accepted->name)));
        return;
      case Trail::impostor:
        report_impostor(table, found);
        return;
      case Trail::moved:
        add(EventKind::renamed_table, table.name, found.accepted->name, found.elsewhere->name,
            Verdict::block, rename_hint(table.name, found.elsewhere->name, found.accepted->name));
        return;
      case Trail::gone:
        add(EventKind::dropped_table, table.name, {}, {}, Verdict::block,
            fmt::format("the secondary keeps its rows; if the table was renamed, {}; otherwise "
                        "delete it from the contract",
                        rename_to_try(table, *found.accepted)));
        return;
      case Trail::announced:
        add(EventKind::missing_in_primary, table.name, table.was, {}, Verdict::block,
            fmt::format("the primary still calls it '{}': leave the contract as it was until the "
                        "vendor has renamed it",
                        table.was));
        return;
      case Trail::superseded:
        add(EventKind::missing_in_primary, table.name, {}, {}, Verdict::block,
            fmt::format("delete {}: by its 'was' another table of the contract has taken its place",
                        header(table.name)));
        return;
      case Trail::unknown:
        add(EventKind::missing_in_primary, table.name, {}, {}, Verdict::block,
            fmt::format("correct the name, or delete {} from the contract", header(table.name)));
        return;
    }
  }

  /// Whether the candidate is a new table with all columns that are read of this one.
  [[nodiscard]] bool could_be(const CatalogTable& candidate, const contract::Table& table,
                              const CatalogTable& was) const {
    const bool known = named_.contains(candidate.name) ||
                       accepted_.named(candidate.name) != nullptr ||
                       (evidence_ == Evidence::identities && accepted_.same_as(candidate));
    return !known && std::ranges::all_of(table.columns, [&](const contract::Column& column) {
      const auto* before = was.find_column(column.name);
      const auto* now = candidate.find_column(column.name);
      return !table.reads(column) || before == nullptr ||
             (now != nullptr && compare_types(before->type, now->type) != Retype::changed);
    });
  }

  [[nodiscard]] std::string rename_to_try(const contract::Table& table,
                                          const CatalogTable& was) const {
    const auto candidate = std::ranges::find_if(
        live_catalog_.tables, [&](const CatalogTable& one) { return could_be(one, table, was); });
    return candidate == live_catalog_.tables.end()
               ? fmt::format("give {} the new name and was = {}", header(table.name),
                             contract::toml_string(was.name))
               : rename_hint(table.name, candidate->name, was.name) +
                     ", and see what the values say: abgleich drift";
  }

  static std::string rename_hint(std::string_view name, std::string_view now,
                                 std::string_view was) {
    return fmt::format("in the contract call {} {} and add to it: was = {}", header(name),
                       header(now), contract::toml_string(was));
  }

  void report_impostor(const contract::Table& table, const Trace<CatalogTable>& found) {
    std::string hint;
    if (found.elsewhere != nullptr && found.elsewhere->name == table.was) {
      hint = fmt::format("'{}' is still there and '{}' is another table: delete was = {}",
                         table.was, table.name, contract::toml_string(table.was));
    } else if (found.elsewhere != nullptr) {
      hint = rename_hint(table.name, found.elsewhere->name, found.accepted->name);
    } else {
      hint = fmt::format(
          "'{}' has the name now: delete {} from the contract, or call it another "
          "table's",
          found.origin->name, header(table.name));
    }
    add(EventKind::replaced_table, table.name, found.origin != nullptr ? found.origin->name : "",
        found.elsewhere != nullptr ? found.elsewhere->name : "", Verdict::block, std::move(hint));
  }

  void compare_found(const contract::Table& table, const CatalogTable* accepted,
                     const CatalogTable& live) {
    if (live.row_security) {
      add(EventKind::row_security_enabled, table.name, {}, {}, Verdict::block,
          reader_.empty()
              ? "rows may be hidden from this role, and would look deleted; give the role that "
                "reads the "
                "primary BYPASSRLS"
              : fmt::format(
                    "rows may be hidden from this role, and would look deleted; as the primary's "
                    "administrator, run: ALTER ROLE {} BYPASSRLS",
                    in_sql(reader_)));
    }
    const bool same = evidence_ == Evidence::identities && accepted != nullptr &&
                      accepted->identity != 0 && accepted->identity == live.identity;
    static const std::unordered_set<std::string_view> kNone;
    const auto referenced =
        accepted == nullptr ? referenced_.end() : referenced_.find(accepted->name);
    compare_columns({.contract = table,
                     .accepted = accepted,
                     .live = live,
                     .evidence = same ? Evidence::identities : Evidence::names,
                     .schema = live_catalog_.schema,
                     .reader = reader_,
                     .referenced = referenced == referenced_.end() ? kNone : referenced->second},
                    events_);
  }

  /// A live table that the contract does not name.
  void report_unnamed(const CatalogTable& table) {
    if (explained_.contains(&table)) {
      return;
    }
    const CatalogTable* origin =
        evidence_ == Evidence::identities ? accepted_.same_as(table) : nullptr;
    if (origin != nullptr) {
      if (origin->name != table.name) {
        add(EventKind::renamed_table, table.name, origin->name, table.name, Verdict::info,
            std::string{kAccept});
      }
      return;
    }
    const CatalogTable* accepted = accepted_.named(table.name);
    const bool known = accepted != nullptr && !explained_.contains(accepted);
    // The rows of a partition belong to its parent.
    if (!known && table.kind != TableKind::partition) {
      add(EventKind::new_table, table.name, {}, {}, Verdict::info, std::string{kAccept});
    }
  }

  const contract::Contract& contract_;
  const Catalog& accepted_catalog_;
  const Catalog& live_catalog_;
  std::string_view reader_;
  Evidence evidence_;
  Index<CatalogTable> accepted_;
  Index<CatalogTable> live_;
  Tracer<CatalogTable> tracer_;
  std::unordered_set<std::string_view> named_;
  std::unordered_map<std::string_view, std::unordered_set<std::string_view>> referenced_;
  std::unordered_set<const CatalogTable*> explained_;  // of both: covered by the contract
  std::vector<Event> events_;
};

}  // namespace

std::string_view name_of(EventKind kind) {
  switch (kind) {
    case EventKind::dropped_column:
      return "dropped_column";
    case EventKind::dropped_foreign_key:
      return "dropped_foreign_key";
    case EventKind::dropped_table:
      return "dropped_table";
    case EventKind::key_changed:
      return "key_changed";
    case EventKind::missing_in_primary:
      return "missing_in_primary";
    case EventKind::new_column:
      return "new_column";
    case EventKind::new_enum_label:
      return "new_enum_label";
    case EventKind::new_table:
      return "new_table";
    case EventKind::not_in_contract:
      return "not_in_contract";
    case EventKind::nullability_loosened:
      return "nullability_loosened";
    case EventKind::nullability_tightened:
      return "nullability_tightened";
    case EventKind::renamed_column:
      return "renamed_column";
    case EventKind::renamed_table:
      return "renamed_table";
    case EventKind::replaced_column:
      return "replaced_column";
    case EventKind::replaced_table:
      return "replaced_table";
    case EventKind::rights_lost:
      return "rights_lost";
    case EventKind::row_security_enabled:
      return "row_security_enabled";
    case EventKind::secondary_column_dropped:
      return "secondary_column_dropped";
    case EventKind::secondary_column_not_null:
      return "secondary_column_not_null";
    case EventKind::secondary_column_renamed:
      return "secondary_column_renamed";
    case EventKind::secondary_column_retyped:
      return "secondary_column_retyped";
    case EventKind::secondary_table_inherited:
      return "secondary_table_inherited";
    case EventKind::shifted_column:
      return "shifted_column";
    case EventKind::type_changed:
      return "type_changed";
    case EventKind::type_widened:
      return "type_widened";
    case EventKind::unused_was:
      return "unused_was";
  }
  return {};
}

std::string_view name_of(Verdict verdict) {
  return kVerdicts.at(static_cast<std::size_t>(verdict));
}

std::vector<Event> compare(const contract::Contract& contract, const Catalog& accepted,
                           const Catalog& live, std::string_view reader) {
  return CatalogComparison{contract, accepted, live, reader}.run();
}

bool blocks(const std::vector<Event>& events, std::string_view table) {
  return std::ranges::any_of(events, [&](const Event& event) {
    return event.verdict == Verdict::block && event.table == table;
  });
}

bool is_blocked(const std::vector<Event>& events, const contract::Contract& contract,
                const contract::Table& table) {
  return blocks(events, table.name) ||
         std::ranges::any_of(table.follows, [&](const contract::Follows& followed) {
           return is_blocked(events, contract, *contract.find_table(followed.table));
         });
}

}  // namespace abgleich::drift
