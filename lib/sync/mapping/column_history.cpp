#include "sync/mapping/column_history.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "core/shallow_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace abgleich::sync {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> kStates{"exported", "gone", "withdrawn"};

void put(Json& json, const char* name, const std::optional<int>& number) {
  if (number) {
    json[name] = *number;
  }
}

std::optional<int> number(const Json& json, const char* name) {
  return json.contains(name) ? std::optional(json.at(name).get<int>()) : std::nullopt;
}

std::string text(const Json& json, const char* name) {
  return json.contains(name) ? json.at(name).get<std::string>() : std::string();
}

Json json_of(const Remembered& column) {
  const auto& type = column.type;
  Json json{
      {"label", column.label},          {"source", column.source},        {"name", column.name},
      {"family", name_of(type.family)}, {"engine", name_of(type.engine)}, {"native", type.native}};
  put(json, "length", type.length);
  put(json, "precision", type.precision);
  put(json, "scale", type.scale);
  put(json, "bits", type.bits);
  if (!type.labels.empty()) {
    json["labels"] = type.labels;
  }
  if (type.padded) {
    json["padded"] = true;
  }
  json["read_as"] = column.read_as;
  if (!column.how.empty()) {
    json["how"] = column.how;
  }
  if (!column.nullable) {
    json["nullable"] = false;
  }
  if (!column.was.empty()) {
    json["was"] = column.was;
  }
  if (!column.formerly.empty()) {
    json["formerly"] = column.formerly;
  }
  if (!column.identity.empty()) {
    json["identity"] = column.identity;
  }
  if (column.pseudonym) {
    json["pseudonym"] = {{"identity", column.pseudonym->identity},
                         {"normalise", name_of(column.pseudonym->normaliser)},
                         {"format", name_of(column.pseudonym->format)}};
    if (column.pseudonym->form) {
      json["pseudonym"]["form"] = contract::text_of(*column.pseudonym->form);
    }
  }
  if (column.state != ColumnState::exported) {
    json["state"] = name_of(column.state);
  }
  return json;
}

/// Empty where the normaliser, the format or the form is unknown.
std::optional<MadeWith> made_with_from(const Json& json) {
  const auto normaliser = contract::position_of(json.at("normalise").get_ref<const std::string&>(),
                                                contract::kNormalisers);
  const auto format =
      contract::position_of(json.at("format").get_ref<const std::string&>(), contract::kFormats);
  const auto form =
      json.contains("form")
          ? contract::canonical_form_from(json.at("form").get_ref<const std::string&>())
          : std::nullopt;
  if (!normaliser || !format || form.has_value() != json.contains("form")) {
    return std::nullopt;
  }
  // kFormats has no word for `automatic`, which is the first value
  return MadeWith{.identity = json.at("identity"),
                  .normaliser = static_cast<contract::Normaliser>(*normaliser),
                  .format = static_cast<contract::Format>(*format + 1),
                  .form = form};
}

/// Empty where the engine, the state or what the pseudonym is made with is unknown.
std::optional<Remembered> remembered_from(const Json& json) {
  Remembered column{.label = json.at("label"),
                    .source = json.at("source"),
                    .was = text(json, "was"),
                    .name = json.at("name"),
                    .read_as = json.at("read_as"),
                    .nullable = json.value("nullable", true),
                    .how = text(json, "how"),
                    .identity = text(json, "identity")};
  auto& type = column.type;
  type.family = family_from(json.at("family").get<std::string>()).value_or(Family::other);
  const auto engine = engine_from(json.at("engine").get_ref<const std::string&>());
  if (!engine) {
    return std::nullopt;
  }
  type.engine = *engine;
  type.native = json.at("native");
  type.length = number(json, "length");
  type.precision = number(json, "precision");
  type.scale = number(json, "scale");
  type.bits = number(json, "bits");
  type.padded = json.value("padded", false);
  if (json.contains("labels")) {
    type.labels = json.at("labels").get<std::vector<std::string>>();
  }
  if (json.contains("formerly")) {
    column.formerly = json.at("formerly").get<std::vector<std::string>>();
  }
  if (json.contains("pseudonym")) {
    column.pseudonym = made_with_from(json.at("pseudonym"));
    if (!column.pseudonym) {
      return std::nullopt;
    }
  }
  if (json.contains("state")) {
    const auto state = std::ranges::find(kStates, json.at("state").get<std::string>());
    if (state == kStates.end()) {
      return std::nullopt;
    }
    column.state = static_cast<ColumnState>(state - kStates.begin());
  }
  return column;
}

std::string table_part(const std::string& identity) {
  return identity.substr(0, identity.rfind('.'));
}

/// Whether these are the identities of two different columns of the same table.
bool another_column(const std::string& was, const std::string& now) {
  return !was.empty() && !now.empty() && was != now && table_part(was) == table_part(now);
}

/// Finds for every wanted column the one of the last run that is the same.
class Matching {
 public:
  Matching(const std::vector<Remembered>& previous, const std::vector<Remembered>& wanted,
           const std::vector<std::string>& key)
      : previous_(previous),
        wanted_(wanted),
        key_(key),
        known_(wanted.size()),
        taken_(previous.size()) {
    // A rename that was accepted is tried before the name alone, because names can be swapped.
    each([this](const Remembered& old, const Remembered& now) {
      return old.source == now.source && old.was == now.was && stays(old, now);
    });
    each([](const Remembered& old, const Remembered& now) {
      return !now.was.empty() && old.source == now.was;
    });
    each([this](const Remembered& old, const Remembered& now) {
      return old.source == now.source && stays(old, now);
    });
  }

  [[nodiscard]] const std::vector<std::optional<std::size_t>>& known() const { return known_; }
  [[nodiscard]] bool taken(std::size_t previous) const { return taken_[previous]; }

 private:
  [[nodiscard]] bool in_key(const Remembered& column) const {
    return std::ranges::find(key_, column.source) != key_.end();
  }

  /// Whether the same name means the same column: not where the column was dropped or replaced in
  /// the meantime. A replaced column of the key counts as the same: such a table is read only if
  /// its rows have shown that.
  [[nodiscard]] bool stays(const Remembered& old, const Remembered& now) const {
    return old.state != ColumnState::gone &&
           (in_key(now) || !another_column(old.identity, now.identity));
  }

  /// Whether the secondary's column can have the new values: not those of another family. A column
  /// of the key stays the same nevertheless.
  [[nodiscard]] bool of_one_kind(const Remembered& old, const Remembered& now) const {
    return old.type.family == now.type.family || in_key(now);
  }

  template <class Same>
  void each(const Same& same) {
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      for (std::size_t k = 0; k < previous_.size() && !known_[i]; ++k) {
        if (!taken_[k] && same(previous_[k], wanted_[i]) && of_one_kind(previous_[k], wanted_[i])) {
          known_[i] = k;
          taken_[k] = true;
        }
      }
    }
  }

  const std::vector<Remembered>& previous_;
  const std::vector<Remembered>& wanted_;
  const std::vector<std::string>& key_;
  std::vector<std::optional<std::size_t>> known_;
  std::vector<bool> taken_;
};

template <class Used>
std::string unused(const std::string& name, std::string_view separator, const Used& used) {
  auto free = name;
  for (int n = 2; used(free); ++n) {
    free = fmt::format("{}{}{}", name, separator, n);
  }
  return free;
}

bool has_label(const std::vector<Remembered>& columns, const std::string& label) {
  return std::ranges::find(columns, label, &Remembered::label) != columns.end();
}

bool has_name(const std::vector<Remembered>& columns, const std::string& name) {
  return std::ranges::find(columns, name, &Remembered::name) != columns.end();
}

}  // namespace

std::string_view name_of(ColumnState state) {
  return kStates.at(static_cast<std::size_t>(state));
}

void damaged_layout(const db::TrackedRow& row) {
  throw Failure(
      Code::integrity,
      fmt::format("the bookkeeping of table '{}' in the secondary is damaged", row.source),
      "restore the secondary from its backup, then run: abgleich adopt --reason TEXT. Nothing was "
      "changed");
}

std::vector<Remembered> read_column_history(const db::TrackedRow& row) {
  std::vector<Remembered> layout;
  const auto json = parse_shallow<Json>(row.columns);
  if (json.is_discarded()) {
    damaged_layout(row);
  }
  try {
    for (const auto& object : json) {
      auto column = remembered_from(object);
      if (!column) {
        damaged_layout(row);
      }
      layout.push_back(std::move(*column));
    }
  } catch (const nlohmann::json::exception&) {
    damaged_layout(row);
  }
  return layout;
}

std::string column_history_text(const std::vector<Remembered>& columns) {
  Json json = Json::array();
  for (const auto& column : columns) {
    json.push_back(json_of(column));
  }
  return json.dump();
}

std::string reading_of(const Type& type) {
  return type.labels.empty() ? type.native
                             : fmt::format("{} ({})", type.native, Json(type.labels).dump());
}

std::string identity_of(const DatabaseIdentity& database, const CatalogTable& table) {
  return database.system.empty() || table.identity == 0
             ? std::string()
             : fmt::format("{}/{}/{}", database.system, database.database, table.identity);
}

std::string table_of(const std::vector<Remembered>& columns) {
  for (const auto& column : columns) {
    if (column.state == ColumnState::exported && !column.identity.empty()) {
      return table_part(column.identity);
    }
  }
  return {};
}

std::string identity_of(const DatabaseIdentity& database, const CatalogTable& table,
                        const CatalogColumn& column) {
  const auto of_table = identity_of(database, table);
  return of_table.empty() ? of_table : fmt::format("{}.{}", of_table, column.identity);
}

std::string ColumnHistory::renamed_from(std::size_t column) const {
  const auto& formerly = columns[column].formerly;
  if (formerly.empty()) {
    return {};
  }
  const auto old = std::ranges::find(previous, columns[column].label, &Remembered::label);
  return old != previous.end() && old->name == formerly.back() && old->name != columns[column].name
             ? old->name
             : std::string();
}

namespace {

/// Shortens a name so that PostgreSQL does not cut off "_gone" and a number behind it.
std::string with_room(std::string_view name) {
  constexpr std::size_t kMost = 63 - 8;
  auto size = std::min(name.size(), kMost);
  while (size > 0 && size < name.size() &&
         (static_cast<unsigned char>(name[size]) & 0xc0U) == 0x80U) {
    --size;
  }
  return std::string(name.substr(0, size));
}

}  // namespace

ColumnHistory next_column_history(std::vector<Remembered> previous, std::vector<Remembered> wanted,
                                  const contract::Table& table, const CatalogTable& live) {
  const Matching matching(previous, wanted, table.key);
  ColumnHistory layout{.columns = std::move(wanted), .known = matching.known()};
  auto& columns = layout.columns;
  const auto exported = columns.size();
  const auto rename = [](Remembered& column, std::string name) {
    if (column.name != name) {
      column.formerly.push_back(std::exchange(column.name, std::move(name)));
    }
  };
  for (std::size_t i = 0; i < exported; ++i) {
    auto& column = columns[i];
    if (layout.known[i]) {
      const auto& old = previous[*layout.known[i]];
      column.label = old.label;
      auto name = std::exchange(column.name, old.name);
      column.formerly = old.formerly;
      rename(column, std::move(name));
    } else {
      column.label = unused(column.source, "#", [&](const std::string& label) {
        return has_label(previous, label) ||
               std::ranges::any_of(columns.begin(), columns.begin() + static_cast<long>(i),
                                   [&](const auto& other) { return other.label == label; });
      });
    }
  }
  for (std::size_t k = 0; k < previous.size(); ++k) {
    if (matching.taken(k)) {
      continue;
    }
    auto kept = previous[k];
    const auto* line = table.find_column(kept.source);
    if (line != nullptr && line->erase) {
      layout.erased.push_back(std::move(kept));
      continue;
    }
    const bool there = live.find_column(kept.source) != nullptr;
    if (kept.state != ColumnState::gone) {
      kept.state = there && (line == nullptr || !line->exported()) ? ColumnState::withdrawn
                                                                   : ColumnState::gone;
    }
    // Another column has the name from now on: the column with the kept values gets another name.
    rename(kept, has_name(columns, kept.name) ? unused(with_room(kept.name) + "_gone", "_",
                                                       [&](const std::string& name) {
                                                         return has_name(columns, name) ||
                                                                has_name(previous, name);
                                                       })
                                              : kept.name);
    columns.push_back(std::move(kept));
  }
  layout.previous = std::move(previous);
  return layout;
}

}  // namespace abgleich::sync
