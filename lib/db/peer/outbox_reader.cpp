#include "db/peer/outbox_reader.hpp"

#include "core/endpoint.hpp"
#include "core/error.hpp"
#include "core/shallow_json.hpp"
#include "db/bookkeeping/books.hpp"
#include "db/engine/cell_values.hpp"
#include "db/engine/clauses.hpp"
#include "db/engine/engine.hpp"
#include "db/peer/storable_value.hpp"
#include "db/sqlite/declared_type.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <span>
#include <utility>

namespace abgleich::db {

namespace {

using Json = nlohmann::json;

/// The fact that says what leaves of a table, by its name in the primary
/// (schemas/stored-formats.md).
constexpr std::string_view kLeavingFact = "leaves";
/// What the journal has in place of a key, for a table that was filled at once.
constexpr std::string_view kAllRows = "{}";
/// The kinds of runs that change keys of rows, or the numbers of tables, without a word in the
/// journal about each row.
constexpr std::string_view kUntoldKinds = "'rotate', 'rekey', 'repair'";

[[noreturn]] void refuse_outbox(const std::filesystem::path& file, std::string_view what) {
  throw Failure(
      Code::integrity,
      fmt::format("what goes to a peer cannot be read from '{}': {}", file.string(), what),
      "somebody else has changed that file: undo that, or restore it from its backup. "
      "Nothing was sent");
}

Endpoint endpoint_of_outbox(const std::filesystem::path& file) {
  auto endpoint = endpoint_of_file(Role::secondary, file);
  endpoint.statement_timeout = {};  // a query is read for as long as its rows are written
  return endpoint;
}

/// A column as the bookkeeping remembers it.
struct RememberedColumn {
  std::string source;  // in the primary
  std::string name;    // in the secondary
};

std::string text_in(const Json& json, const char* name, const std::filesystem::path& file) {
  if (!json.is_object() || !json.contains(name) || !json.at(name).is_string()) {
    refuse_outbox(file, "the bookkeeping has a table whose columns are not readable");
  }
  return json.at(name).get<std::string>();
}

/// The columns that leave.
std::vector<RememberedColumn> leaving_columns(const TrackedRow& row,
                                              const std::filesystem::path& file) {
  std::vector<RememberedColumn> columns;
  const auto json = parse_shallow<Json>(row.columns);
  if (!json.is_array()) {
    refuse_outbox(file, "the bookkeeping has a table whose columns are not readable");
  }
  for (const auto& one : json) {
    auto column = RememberedColumn{.source = text_in(one, "source", file),
                                   .name = text_in(one, "name", file)};
    if (!one.contains("state")) {
      columns.push_back(std::move(column));
    }
  }
  return columns;
}

/// The names in the primary of the key's columns.
std::vector<std::string> key_names(const TrackedRow& row, const std::filesystem::path& file) {
  const auto json = parse_shallow<Json>(row.key_columns);
  if (!json.is_array() || json.empty() ||
      !std::all_of(json.begin(), json.end(), [](const Json& name) { return name.is_string(); })) {
    refuse_outbox(file, fmt::format("the bookkeeping does not know the key of '{}'", row.target));
  }
  return json.get<std::vector<std::string>>();
}

/// A declared type as it can be sent: another one that stores values in the same way where it has
/// characters that may not be sent.
std::string type_to_send(const Type& type) {
  if (is_peer_type(type.native)) {
    return type.native;
  }
  switch (sqlite::affinity_of(type.native)) {
    case sqlite::Affinity::blob:
      return "";
    case sqlite::Affinity::text:
      return "TEXT";
    case sqlite::Affinity::numeric:
      return "NUMERIC";
    case sqlite::Affinity::integer:
      return "INT";  // not INTEGER: a key of that type would take no texts
    case sqlite::Affinity::real:
      return "REAL";
  }
  return "";
}

}  // namespace

OutboxReader::OutboxReader(const std::filesystem::path& file)
    // It is opened for writing although nothing in it is written: so what a killed run has left
    // half done is taken back, and temporary tables may be on disk, which bounds memory.
    : file_(file), session_(open(endpoint_of_outbox(file), Access::write)) {
  session_.backend->begin_rehearsal(session_);
  Books books(session_);
  if (!books.exist()) {
    return;
  }
  if (const auto head = books.head(Books::Lock::none)) {
    epoch_ = head->epoch;
    hash_ = head->hash;
    find_tables();
  }
}

bool OutboxReader::knows_since(std::int64_t since, std::string_view hash) {
  if (since < 0 || since > epoch_) {
    return false;
  }
  if (!hash.empty()) {
    const Cell cells[] = {text_cell(hash)};
    std::uint64_t same = 0;
    session_.connection->query(fmt::format("SELECT count(*) FROM {} WHERE epoch = {} AND hash = $1",
                                           session_.own_table("run"), since),
                               cells, [&](std::span<const Cell> row) {
                                 same = static_cast<std::uint64_t>(number(row[0]));
                               });
    if (same != 1) {
      return false;
    }
  }
  return since == epoch_ ||
         count(fmt::format("SELECT count(*) FROM {} WHERE epoch > {} AND purged IS NULL "
                           "AND kind NOT IN ({})",
                           session_.own_table("run"), since, kUntoldKinds)) ==
             static_cast<std::uint64_t>(epoch_ - since);
}

void OutboxReader::find_tables() {
  Books books(session_);
  std::set<std::string> leaving;
  for (const auto& fact : books.facts(kLeavingFact)) {
    leaving.insert(fact.name);
  }
  const auto catalog = read_catalog(session_);
  auto tracked = books.tracked();
  std::erase_if(tracked, [&](const TrackedRow& row) { return !leaving.contains(row.source); });
  std::ranges::sort(tracked, {}, &TrackedRow::target);
  for (const auto& row : tracked) {
    const auto* table = catalog.find_table(row.target);
    if (table == nullptr) {
      refuse_outbox(file_, fmt::format("it has no table '{}'", row.target));
    }
    add_table(row, *table);
  }
}

/// The key by its bytes; in the order of the index if there is one: then nothing has to be sorted.
std::string OutboxReader::order_by(const std::vector<KeyColumn>& key,
                                   const CatalogTable& table) const {
  std::vector<std::string> names;
  names.reserve(key.size());
  for (const auto& column : key) {
    names.push_back(column.name);
  }
  if (table.primary_key && std::ranges::is_permutation(table.primary_key->columns, names)) {
    names = table.primary_key->columns;
  }
  return list(names.size(), [&](std::size_t i) {
    return session_.dialect->quote(names[i]) + std::string(session_.dialect->byte_order({}));
  });
}

void OutboxReader::add_table(const TrackedRow& row, const CatalogTable& table) {
  const auto& dialect = *session_.dialect;
  const auto remembered = leaving_columns(row, file_);
  const auto keys = key_names(row, file_);
  PeerTable found{.name = row.target, .columns = {}};
  Place place{.tracked = row.id, .data = dialect.table(session_.schema, row.target)};
  for (const auto& column : table.columns) {
    const auto known = std::ranges::find(remembered, column.name, &RememberedColumn::name);
    if (known == remembered.end()) {
      continue;
    }
    const bool in_key = std::ranges::find(keys, known->source) != keys.end();
    found.columns.push_back(
        {.name = column.name, .type = type_to_send(column.type), .in_key = in_key});
    if (in_key) {
      place.key.push_back(
          {.name = column.name, .quoted = dialect.quote(column.name), .type = column.type});
    }
  }
  if (found.columns.size() != remembered.size() || place.key.size() != keys.size()) {
    refuse_outbox(file_, fmt::format("table '{}' lacks a column", row.target));
  }
  place.order = order_by(place.key, table);
  tables_.push_back(std::move(found));
  places_.push_back(std::move(place));
}

/// Sorts what the journal names into one temporary table for each table: its changed keys, as the
/// data stores them, so that each is there once, however often and in whatever form it was written.
class OutboxReader::Collection {
 public:
  Collection(OutboxReader& outbox, std::size_t table)
      : file_(outbox.file_),
        key_(outbox.places_[table].key),
        dialect_(*outbox.session_.dialect),
        values_(key_.size()),
        cells_(key_.size()),
        scratch_(key_.size()) {
    auto& session = outbox.session_;
    const auto name = outbox.changed(table);
    session.connection->execute(fmt::format("DROP TABLE IF EXISTS {}", name));
    session.connection->execute(fmt::format(
        // without row numbers, no column takes only integers
        "CREATE TEMPORARY TABLE {} ({}, PRIMARY KEY ({})) WITHOUT ROWID", name,
        list(key_.size(),
             [&](std::size_t i) {
               return fmt::format("{} {} NOT NULL", cell(i), dialect_.column_type(key_[i].type));
             }),
        list(key_.size(), cell)));
    std::vector<std::string> columns;
    for (std::size_t i = 0; i < key_.size(); ++i) {
      columns.push_back(cell(i));
    }
    loader_ = session.connection->load(
        name, columns, [this, &backend = *session.backend](std::int64_t, const std::string& state) {
          if (backend.broken_by(state) != "unique") {
            refuse_outbox(file_, "the journal has a key that its table cannot have");
          }
        });
  }

  void add(std::string_view key_text) {
    const auto json = parse_shallow<Json>(key_text);
    for (std::size_t i = 0; i < key_.size(); ++i) {
      if (!json.is_object() || !json.contains(key_[i].name) || !json.at(key_[i].name).is_string()) {
        refuse_outbox(file_, "the journal has a key that is not that of its table");
      }
      values_[i] = value_from_text(json.at(key_[i].name).get_ref<const std::string&>());
      cells_[i] = dialect_.encode(key_[i].type, values_[i], scratch_[i]);
    }
    loader_->add(cells_);
  }

  void finish() { loader_->flush(); }

 private:
  const std::filesystem::path& file_;
  const std::vector<KeyColumn>& key_;
  const Dialect& dialect_;
  std::unique_ptr<Loader> loader_;
  std::vector<Value> values_;
  std::vector<Cell> cells_;
  std::vector<std::string> scratch_;
};

void OutboxReader::collect(std::int64_t since) {
  if (collected_ == since) {
    return;
  }
  collected_.reset();
  filled_.clear();
  std::map<std::int64_t, std::size_t> places;
  std::vector<std::unique_ptr<Collection>> collections;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    places.emplace(places_[i].tracked, i);
    collections.push_back(std::make_unique<Collection>(*this, i));
  }
  const auto cursor = session_.connection->open(
      fmt::format("SELECT tracked, key_text FROM {0} WHERE epoch > {1} GROUP BY tracked, key_text "
                  "ORDER BY tracked, {2}",
                  session_.own_table("journal"), since, session_.dialect->bytewise("key_text")));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    const auto place = places.find(number(cells[0]));
    if (place == places.end()) {
      continue;  // it does not leave any more
    }
    if (cells[1].bytes == kAllRows) {
      filled_.insert(place->second);
    } else {
      collections[place->second]->add(cells[1].bytes);
    }
  }
  for (const auto& collection : collections) {
    collection->finish();
  }
  collected_ = since;
}

std::string OutboxReader::changed(std::size_t table) const {
  return temporary_name(*session_.dialect, "changed", static_cast<std::int64_t>(table));
}

std::string OutboxReader::columns(std::size_t table) const {
  const auto& columns = tables_[table].columns;
  return list(columns.size(),
              [&](std::size_t i) { return "t." + session_.dialect->quote(columns[i].name); });
}

std::string OutboxReader::key(std::size_t table) const {
  return list(places_[table].key.size(), [](std::size_t i) { return "c." + cell(i); });
}

/// Whether the key in `c` is that of the row `t`, by its bytes. The first of the two comparisons
/// uses the index, also where its collation takes more for equal than the same bytes.
std::string OutboxReader::same_key(std::size_t table) const {
  const auto& key = places_[table].key;
  return list(
      key.size(),
      [&](std::size_t i) {
        return fmt::format("t.{0} = c.{1} AND {2} = t.{0}", key[i].quoted, cell(i),
                           session_.dialect->bytewise("c." + cell(i)));
      },
      " AND ");
}

std::string OutboxReader::from_changed(std::size_t table) const {
  // CROSS: keys first, each looked up in the index of the data
  return fmt::format("FROM {} c CROSS JOIN {} t WHERE {}", changed(table), places_[table].data,
                     same_key(table));
}

std::string OutboxReader::from_gone(std::size_t table) const {
  return fmt::format("FROM {} c WHERE NOT EXISTS (SELECT 1 FROM {} t WHERE {})", changed(table),
                     places_[table].data, same_key(table));
}

void OutboxReader::read(const std::string& sql, const OnRow& on_row) {
  std::vector<Value> values;
  session_.connection->read(sql, [&](std::span<const Cell> cells) {
    values.resize(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!read_stored(cells[i], values[i])) {
        refuse_outbox(file_, "a row has a text that is not UTF-8");
      }
    }
    on_row(values);
  });
}

std::uint64_t OutboxReader::count(const std::string& sql) {
  std::uint64_t value = 0;
  session_.connection->query(
      sql, {}, [&](std::span<const Cell> cells) { value = number<std::uint64_t>(cells[0].bytes); });
  return value;
}

void OutboxReader::read_all(std::size_t table, const OnRow& on_row) {
  const auto& place = places_.at(table);
  read(fmt::format("SELECT {} FROM {} t ORDER BY {}", columns(table), place.data, place.order),
       on_row);
}

void OutboxReader::read_changed(std::size_t table, std::int64_t since, const OnRow& on_row,
                                const OnRow& on_gone) {
  collect(since);
  if (filled_.contains(table)) {
    read_all(table, on_row);
  } else {
    read(fmt::format("SELECT {} {} ORDER BY {}", columns(table), from_changed(table), key(table)),
         on_row);
  }
  read(fmt::format("SELECT {} {} ORDER BY {}", key(table), from_gone(table), key(table)), on_gone);
}

OutboxReader::Counts OutboxReader::count_all(std::size_t table) {
  return {.rows = count("SELECT count(*) FROM " + places_.at(table).data)};
}

OutboxReader::Counts OutboxReader::count_changed(std::size_t table, std::int64_t since) {
  collect(since);
  auto counts = filled_.contains(table)
                    ? count_all(table)
                    : Counts{.rows = count("SELECT count(*) " + from_changed(table))};
  counts.gone = count("SELECT count(*) " + from_gone(table));
  return counts;
}

}  // namespace abgleich::db
