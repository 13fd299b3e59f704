#include "drift/columns.hpp"

#include "contract/toml_text.hpp"
#include "core/condition_misfit.hpp"
#include "drift/contract_line.hpp"
#include "drift/key_columns.hpp"
#include "drift/other_key.hpp"
#include "drift/places.hpp"
#include "drift/retype.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace abgleich::drift {

namespace {

std::vector<Named> names_of(const contract::Table& table) {
  std::vector<Named> names;
  names.reserve(table.columns.size());
  for (const contract::Column& column : table.columns) {
    names.push_back({column.name, column.was});
  }
  return names;
}

const std::vector<CatalogColumn>& columns_of(const CatalogTable* table) {
  static const std::vector<CatalogColumn> kNone;
  return table == nullptr ? kNone : table->columns;
}

/// A table whose columns have no other identity than their place.
bool known_by_place(const CatalogTable& table) {
  return table.kind == TableKind::table && !table.columns.empty() &&
         !traits(table.columns.front().type.engine).numbers_objects;
}

class Comparison {
 public:
  Comparison(const TablePair& pair, std::vector<Event>& events)
      : pair_(pair),
        events_(events),
        accepted_(columns_of(pair.accepted)),
        live_(pair.live.columns),
        tracer_(accepted_, live_, pair.evidence, names_of(pair.contract)),
        key_(pair.contract.key.begin(), pair.contract.key.end()) {
    for (const contract::Column& column : pair.contract.columns) {
      lines_.emplace(column.name, &column);
    }
    note_foreign_keys();
    if (pair.accepted != nullptr && known_by_place(*pair.accepted) && known_by_place(pair.live)) {
      places_.emplace(*pair.accepted, pair.live);
    }
  }

  void run() {
    for (const contract::Column& column : pair_.contract.columns) {
      follow(column);
    }
    for (const CatalogColumn& column : pair_.live.columns) {
      if (!lines_.contains(column.name)) {
        report_unnamed(column);
      }
    }
    if (pair_.accepted != nullptr) {
      for (const CatalogColumn& column : pair_.accepted->columns) {
        report_unnamed_loss(column);
      }
      compare_keys();
    }
  }

 private:
  using Column = contract::Column;
  using Found = Trace<CatalogColumn>;

  void add(EventKind kind, std::string_view column, std::string was, std::string now,
           Verdict verdict, std::string hint) {
    events_.push_back({kind, pair_.contract.name, std::string{column}, std::move(was),
                       std::move(now), verdict, std::move(hint)});
  }

  /// A withheld column may change in any way: it is not read, unless it decides which rows leave.
  [[nodiscard]] bool is_read(const Column& column) const { return pair_.contract.reads(column); }
  [[nodiscard]] Verdict block_if_read(const Column& column) const {
    return is_read(column) ? Verdict::block : Verdict::info;
  }

  void note_foreign_keys() {
    for (const CatalogTable* table : {pair_.accepted, &pair_.live}) {
      if (table != nullptr) {
        for (const CatalogForeignKey& foreign : table->foreign_keys) {
          foreign_.insert(foreign.columns.begin(), foreign.columns.end());
        }
      }
    }
  }

  /// Where columns have no identity: a name at another place now belongs to another column.
  Found place(const Column& column, const Found& found) {
    if (!places_ || found.trail != Trail::found || found.accepted->name != found.live->name) {
      return found;
    }
    const auto place = places_->of(column.name);
    if (place == Places::Place::kept) {
      return found;
    }
    if (const auto* old = column.was.empty() ? nullptr : accepted_.named(column.was);
        old != nullptr && places_->could_be(*old, *found.live)) {
      return {Trail::found, old, found.live};  // a person has said so, and the place confirms it
    }
    if (place == Places::Place::doubtful) {
      if (is_read(column)) {
        add(EventKind::shifted_column, column.name, {}, {}, Verdict::block,
            fmt::format("a column is gone, and {} may now be the name of that one; only the values "
                        "can tell: abgleich drift",
                        quoted(column.name)));
      }
      return found;
    }
    const auto* elsewhere = places_->now(*found.accepted);
    const auto* origin = places_->before(*found.live);
    return {origin == nullptr && elsewhere == nullptr ? Trail::remade : Trail::impostor,
            found.accepted, found.live, elsewhere, origin};
  }

  void follow(const Column& column) {
    const Found found = place(column, tracer_.trace({column.name, column.was}));
    explained_.insert({found.accepted, found.origin, found.elsewhere});
    switch (found.trail) {
      case Trail::found:
        partners_.emplace(column.name, found.accepted);
        report_unused_was(column, found);
        compare_found(column, *found.accepted, *found.live);
        break;
      case Trail::unaccepted:
        if (column.exported() && pair_.accepted != nullptr) {
          add(EventKind::new_column, column.name, {}, type_text(found.live->type), Verdict::info,
              std::string{kAccept});
        }
        break;
      case Trail::renamed_here:
        if (is_read(column)) {
          report_rename(column, *found.accepted, *found.live);
        }
        break;
      case Trail::impostor:
        report_impostor(column, found);
        break;
      case Trail::remade:
        add(EventKind::replaced_column, column.name, type_text(found.accepted->type),
            type_text(found.live->type), block_if_read(column), remade_hint(column));
        break;
      case Trail::moved:
        report_rename(column, *found.accepted, *found.elsewhere);
        break;
      case Trail::gone:
        report_drop(column, *found.accepted);
        break;
      case Trail::announced:
        add(EventKind::missing_in_primary, column.name, column.was, {}, block_if_read(column),
            fmt::format("the primary still calls it {}: leave its line as it was until the vendor "
                        "has renamed it",
                        quoted(column.was)));
        break;
      case Trail::superseded:
        add(EventKind::missing_in_primary, column.name, {}, {}, block_if_read(column),
            fmt::format("delete the line of {}: by its 'was' another line has taken its place",
                        quoted(column.name)));
        break;
      case Trail::unknown:
        add(EventKind::missing_in_primary, column.name, {}, {}, block_if_read(column),
            fmt::format("correct the name, or delete the line of {} from [tables.{}.columns]",
                        quoted(column.name), contract::toml_key(pair_.contract.name)));
        break;
    }
    if (found.live != nullptr && is_read(column) && !found.live->readable) {
      add(EventKind::rights_lost, column.name, {}, {}, Verdict::block,
          fmt::format("have its owner run: GRANT SELECT ({}) ON {} TO {}. All that is missing: "
                      "abgleich grants --primary",
                      in_sql(column.name), qualified_table(pair_),
                      pair_.reader.empty() ? "the role that reads" : in_sql(pair_.reader)));
    }
  }

  [[nodiscard]] std::string remade_hint(const Column& column) const {
    if (key_.contains(column.name)) {
      return fmt::format(
          "{} is another column than it was, and its rows are identified by it: where its values "
          "are "
          "new, "
          "the vendor has to keep the old ones in a column beside it, which is to be the key in "
          "its "
          "place, with was = {}",
          quoted(column.name), contract::toml_string(column.name));
    }
    return fmt::format(
        "{} is another column than it was: look at what it holds now, then write {}, or, if its "
        "line "
        "in the contract fits that, run: {}",
        quoted(column.name), withhold_line(column.name), kAccept);
  }

  static std::string quoted(std::string_view name) { return fmt::format("'{}'", name); }

  [[nodiscard]] std::string in_sql_list() const {
    std::string list;
    for (const auto& name : pair_.contract.key) {
      list += (list.empty() ? "" : ", ") + in_sql(name);
    }
    return list;
  }

  /// After `drift accept`, a `was` between two accepted names has no effect any more, and would let
  /// the next swap of the two pass unnoticed.
  void report_unused_was(const Column& column, const Found& found) {
    if (!column.was.empty() && found.accepted->name == column.name &&
        accepted_.named(column.was) != nullptr) {
      add(EventKind::unused_was, column.name, column.was, column.name, Verdict::info,
          fmt::format("delete was = {} from the line of {}: both names are accepted columns",
                      contract::toml_string(column.was), quoted(column.name)));
    }
  }

  void compare_found(const Column& column, const CatalogColumn& was, const CatalogColumn& now) {
    if (!is_read(column)) {
      return;
    }
    compare_type(column, was, now);
    if (!column.exported()) {
      return;  // of a column that only decides which rows leave, NULL is a value like others
    }
    if (!was.nullable && now.nullable) {
      const bool key = key_.contains(column.name);
      add(EventKind::nullability_loosened, column.name, "not null", "null",
          key ? Verdict::block : Verdict::adapt,
          key ? fmt::format("a key cannot be NULL: {}{}", not_null_again(pair_, column.name),
                            or_another_key(pair_))
              : std::string{kAccept});
    } else if (was.nullable && !now.nullable) {
      add(EventKind::nullability_tightened, column.name, "null", "not null", Verdict::info,
          std::string{kAccept});
    }
  }

  void compare_type(const Column& column, const CatalogColumn& was, const CatalogColumn& now) {
    switch (compare_types(was.type, now.type)) {
      case Retype::none:
        break;
      case Retype::widened:
        add(EventKind::type_widened, column.name, type_text(was.type), type_text(now.type),
            Verdict::adapt, std::string{kAccept});
        break;
      case Retype::changed:
        add(EventKind::type_changed, column.name, type_text(was.type), type_text(now.type),
            Verdict::block, retype_hint(column));
        break;
    }
    const std::vector<std::string> labels = new_labels(was.type, now.type);
    if (labels.empty()) {
      return;
    }
    const bool listed = std::ranges::all_of(labels, [&](const std::string& label) {
      return column.codes.empty() || std::ranges::find(column.codes, label) != column.codes.end();
    });
    add(EventKind::new_enum_label, column.name, {}, fmt::format("{}", fmt::join(labels, ", ")),
        Verdict::info,
        listed ? std::string{kAccept}
               : fmt::format("rows with it are quarantined: add it to the codes of {}, or leave it",
                             quoted(column.name)));
  }

  [[nodiscard]] std::string retype_hint(const Column& column) const {
    const auto& where = pair_.contract.where;
    if (where && pair_.contract.decides(column.name) && misfit_of(*where, pair_.live)) {
      return fmt::format("{} decides by it: {}, then run: {}",
                         pair_.contract.choice_by(column.name), where_anew(pair_.contract),
                         kAccept);
    }
    return column.exported()
               ? fmt::format(
                     "the values may have another form now: look at them, then write {} "
                     "or run: {}",
                     withhold_line(column.name), kAccept)
               : fmt::format(
                     "{} decides by it, and its values may have another form now: "
                     "look at them, then run: {}",
                     pair_.contract.choice_by(column.name), kAccept);
  }

  void report_rename(const Column& column, const CatalogColumn& was, const CatalogColumn& now) {
    add(EventKind::renamed_column, column.name, was.name, now.name, block_if_read(column),
        line_in_place(column, now.name, was.name));
    if (is_read(column)) {
      compare_type(column, was, now);  // so that a person sees all of it before accepting
    }
  }

  /// The line, and what else in the table's sections has to change with it.
  [[nodiscard]] std::string line_in_place(const Column& column, std::string_view name,
                                          std::string_view was) const {
    return contract_line(column, name, was) +
           (is_read(column) ? elsewhere_in_table(pair_.contract, pair_.live, column.name, name)
                            : std::string());
  }

  void report_impostor(const Column& column, const Found& found) {
    std::string hint;
    if (found.elsewhere != nullptr && found.elsewhere->name == column.was) {
      hint =
          fmt::format("{} is still there and {} is another column: delete was = {}",
                      quoted(column.was), quoted(column.name), contract::toml_string(column.was));
    } else if (found.elsewhere != nullptr) {
      hint = line_in_place(column, found.elsewhere->name, found.accepted->name);
    } else {
      const auto line = lines_.find(found.origin->name);
      hint = line != lines_.end() ? contract_line(*line->second, column.name, found.origin->name)
                                  : withhold_line(column.name);
    }
    add(EventKind::replaced_column, column.name, found.origin != nullptr ? found.origin->name : "",
        found.elsewhere != nullptr ? found.elsewhere->name : "", block_if_read(column),
        std::move(hint));
  }

  void report_drop(const Column& column, const CatalogColumn& was) {
    const auto need = needed_for(column, was);
    const bool block = is_read(column) && need.has_value();
    std::string hint;
    if (!is_read(column)) {
      hint = fmt::format("delete the line of {} from the contract, then run: {}",
                         quoted(column.name), kAccept);
    } else {
      const auto otherwise =
          key_.contains(column.name) ? without_key_column(pair_, column.name)
          : pair_.contract.decides(column.name)
              ? fmt::format(
                    "let {} decide without it, delete its line and "
                    "run: {}",
                    pair_.contract.choice_by(column.name), kAccept)
              : fmt::format("delete its line from the contract and run: {}", kAccept);
      hint = fmt::format(
          "{}; if it was renamed, {}; otherwise {}",
          block ? fmt::format("it is {}", *need) : std::string{"the secondary keeps its values"},
          rename_to_try(column, was), otherwise);
    }
    const Verdict verdict = !is_read(column) ? Verdict::info
                            : block          ? Verdict::block
                                             : Verdict::adapt;
    add(EventKind::dropped_column, column.name, type_text(was.type), {}, verdict, std::move(hint));
  }

  /// New columns that could hold what this one held, and that no line of the contract names.
  [[nodiscard]] std::vector<const CatalogColumn*> candidates(const CatalogColumn& was) const {
    const bool by_identity = pair_.evidence == Evidence::identities;
    std::vector<const CatalogColumn*> found;
    for (const CatalogColumn& column : pair_.live.columns) {
      if (!lines_.contains(column.name) && accepted_.named(column.name) == nullptr &&
          !(by_identity && accepted_.same_as(column) != nullptr) &&
          compare_types(was.type, column.type) != Retype::changed) {
        found.push_back(&column);
      }
    }
    return found;
  }

  /// Lines to try. Where columns have identities, a rename would be proven, and the only question
  /// is whether the vendor has copied the column. Then one candidate is worth naming, several are
  /// not.
  [[nodiscard]] std::string rename_to_try(const Column& column, const CatalogColumn& was) const {
    constexpr std::size_t kMost = 3;
    const auto found = candidates(was);
    if (found.empty() || (pair_.evidence == Evidence::identities && found.size() > 1)) {
      return fmt::format("write the new name with was = {}", contract::toml_string(was.name));
    }
    std::string lines;
    for (std::size_t i = 0; i < std::min(found.size(), kMost); ++i) {
      lines += (i == 0 ? "" : ", or ") + line_in_place(column, found[i]->name, was.name);
    }
    if (found.size() > kMost) {
      lines += fmt::format(", or another of the {} new columns of its type", found.size());
    }
    return fmt::format(
        "look at what the new column holds, then try in its place: {}, and see what the values "
        "say: abgleich drift",
        lines);
  }

  /// Why rows make no sense without the column; empty: they do.
  [[nodiscard]] std::optional<std::string> needed_for(const Column& column,
                                                      const CatalogColumn& was) const {
    if (key_.contains(column.name)) {
      return "part of the key";
    }
    if (pair_.contract.decides(column.name)) {
      return fmt::format("what {} decides by", pair_.contract.choice_by(column.name));
    }
    if (column.cls == contract::Class::pseudonym) {
      return "what a pseudonym is made of";
    }
    if (foreign_.contains(was.name) || pair_.referenced.contains(was.name)) {
      return "part of a foreign key";
    }
    return std::nullopt;
  }

  /// A live column without a line in the contract: it is not read, whatever it is.
  void report_unnamed(const CatalogColumn& column) {
    if (explained_.contains(&column)) {
      return;  // a rename, reported under the name that the contract has
    }
    const bool by_identity = pair_.evidence == Evidence::identities;
    const CatalogColumn* origin =
        by_identity ? accepted_.same_as(column) : unexplained(accepted_.named(column.name));
    const std::string hint = add_command(pair_.contract.name, column.name);
    if (pair_.accepted == nullptr || (origin != nullptr && origin->name == column.name)) {
      add(EventKind::not_in_contract, column.name, {}, type_text(column.type), Verdict::info, hint);
    } else if (origin != nullptr) {
      add(EventKind::renamed_column, column.name, origin->name, column.name, Verdict::info, hint);
    } else {
      add(EventKind::new_column, column.name, {}, type_text(column.type), Verdict::info, hint);
    }
    if (origin != nullptr) {
      explained_.insert(origin);
    }
  }

  [[nodiscard]] const CatalogColumn* unexplained(const CatalogColumn* column) const {
    return column != nullptr && explained_.contains(column) ? nullptr : column;
  }

  /// An accepted column that had no line in the contract either and is gone.
  void report_unnamed_loss(const CatalogColumn& column) {
    if (!explained_.contains(&column) && !lines_.contains(column.name)) {
      add(EventKind::dropped_column, column.name, type_text(column.type), {}, Verdict::info,
          std::string{kAccept});
    }
  }

  void compare_keys() {
    std::vector<KeyColumn> columns;
    for (const std::string& name : pair_.contract.key) {
      const auto partner = partners_.find(name);
      if (partner == partners_.end()) {
        return;  // its loss is an event already
      }
      columns.push_back({partner->second, live_.named(name)});
    }
    const CatalogKey* lost = lost_key(*pair_.accepted, pair_.live, columns);
    if (lost == nullptr) {
      return;
    }
    const auto& now = pair_.live.primary_key;
    add(EventKind::key_changed, {}, fmt::format("{}", fmt::join(lost->columns, ", ")),
        now ? fmt::format("{}", fmt::join(now->columns, ", ")) : std::string{}, Verdict::block,
        fmt::format(
            "nothing keeps {0} unique any more, and rows are known by it: have the primary's "
            "administrator make it unique again: CREATE UNIQUE INDEX ON {1} ({2})",
            fmt::join(pair_.contract.key, ", "), qualified_table(pair_), in_sql_list()));
  }

  const TablePair& pair_;
  std::vector<Event>& events_;
  Index<CatalogColumn> accepted_;
  Index<CatalogColumn> live_;
  Tracer<CatalogColumn> tracer_;
  std::optional<Places> places_;
  std::unordered_set<std::string_view> key_;
  std::unordered_set<std::string_view> foreign_;
  std::unordered_map<std::string_view, const Column*> lines_;            // by name
  std::unordered_map<std::string_view, const CatalogColumn*> partners_;  // accepted, by name
  std::unordered_set<const CatalogColumn*> explained_;  // of both: covered by an event or a line
};

}  // namespace

void compare_columns(const TablePair& pair, std::vector<Event>& events) {
  Comparison{pair, events}.run();
}

}  // namespace abgleich::drift
