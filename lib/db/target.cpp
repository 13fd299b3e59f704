#include "db/target.hpp"

#include "db/base_statements.hpp"
#include "db/cell_values.hpp"
#include "db/stage_statements.hpp"
#include "db/table_statements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace abgleich::db {

namespace {

/// The type that says what kind a cell of the secondary is, so that a value reads back as `fit` has
/// left it. PostgreSQL's own column decides; in SQLite, which keeps most things as text, only the
/// exported type knows.
const Type& read_as(const Dialect& dialect, const RelationColumn& column) {
  return dialect.engine() == Engine::postgresql ? column.held : column.type;
}

Cell blob_or_null(std::string_view bytes) {
  return bytes.empty() ? Cell{} : Cell{Cell::Storage::blob, bytes};
}

std::string_view packed_or_empty(const Dialect& dialect, const Cell& cell, std::string& scratch) {
  return cell.storage == Cell::Storage::null ? std::string_view() : packed(dialect, cell, scratch);
}

/// PostgreSQL: of keys, which is all that is analysed here, few rows tell as much as many; a set of
/// changes is joined at once, without a detour over the disk.
constexpr std::string_view kForLargeSets =
    "SET LOCAL default_statistics_target = 10;"
    "SELECT set_config('work_mem', '64MB', true)"
    " WHERE pg_size_bytes(current_setting('work_mem')) < 67108864";

/// As the session got it: what the database, the role or the url say.
constexpr std::string_view kPeoplesPath =
    "SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'search_path'";

bool contains(const std::vector<std::int64_t>& ids, std::int64_t id) {
  return std::ranges::find(ids, id) != ids.end();
}

}  // namespace

Target::Target(const Endpoint& endpoint, Mode mode)
    : session_(db::open(endpoint, Access::write)), mode_(mode) {
  if (mode == Mode::real) {
    begin_write(session_);
  } else {
    // Not a read-only transaction: the stage and the plan live in temporary tables.
    session_.connection->execute(session_.dialect->engine() == Engine::postgresql
                                     ? "BEGIN ISOLATION LEVEL REPEATABLE READ"
                                     : "BEGIN");
  }
  books_ = std::make_unique<Books>(session_);
  if (dialect().engine() == Engine::postgresql) {
    session_.connection->execute_script(kForLargeSets);
    session_.connection->query(kPeoplesPath, {}, [&](std::span<const Cell> cells) {
      const auto& path = cells[0].bytes;
      peoples_path_ = fmt::format("pg_catalog, {}{}{}, pg_temp", path, path.empty() ? "" : ", ",
                                  dialect().quote(session_.schema));
    });
  }
}

void Target::as_people(const std::function<void()>& work) {
  if (dialect().engine() != Engine::postgresql) {
    work();
    return;
  }
  auto& connection = *session_.connection;
  connection.execute("SET LOCAL search_path = " + peoples_path_);
  work();  // what it throws, a savepoint or the end of the transaction takes back
  connection.execute("SET LOCAL search_path = pg_catalog, pg_temp");
}

std::int64_t Target::write(const std::string& sql) {
  std::int64_t rows = 0;
  as_people([&] { rows = session_.connection->execute(sql); });
  return rows;
}

Target::~Target() {
  if (open_) {
    fill_abandoned_ = true;
    try {
      session_.connection->end_meanwhile();
    } catch (...) {  // NOLINT(bugprone-empty-catch)
      // it goes with the transaction
    }
    rollback(session_);
  }
}

bool Target::stands_in(const Relation& relation) const {
  return contains(stand_in_data_, relation.id);
}

bool Target::stands(const Relation& relation) const {
  return !stands_in(relation) && !contains(stand_in_base_, relation.id);
}

void Target::load_catalog() {
  catalog_ = read_catalog(session_);
  equalities_ = read_equalities(session_, catalog_);
  dependants_.reset();
}

void Target::commit() {
  open_ = false;
  db::commit(session_);
}

Names Target::names(const Relation& relation) const {
  return {.data = contains(stand_in_data_, relation.id)
                      ? temporary_name(dialect(), "data", relation.id)
                      : dialect().table(session_.schema, relation.name),
          .base = contains(stand_in_base_, relation.id)
                      ? temporary_name(dialect(), "base", relation.id)
                      : dialect().own_table(base_name(relation)),
          .stage = temporary_name(dialect(), "stage", relation.id),
          .plan = temporary_name(dialect(), "plan", relation.id),
          .gone = temporary_name(dialect(), "gone", relation.id),
          .fill = temporary_name(dialect(), "fill", relation.id)};
}

void Target::decode_row(const Relation& relation, std::span<const Cell> cells, Row& row) const {
  row.cells.resize(relation.columns.size());
  std::string scratch;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    if (cells[i].storage == Cell::Storage::null) {
      row.cells[i].set_null();
      continue;
    }
    const auto value = dialect().decode(read_as(dialect(), relation.columns[i]), cells[i], scratch);
    row.cells[i].set(value.kind, value.bytes);
  }
}

void Target::encode_row(const Relation& relation, const Row& row, std::vector<Cell>& cells,
                        std::vector<std::string>& scratch) const {
  scratch.resize(relation.columns.size());
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    cells.push_back(row.cells[i].is_null()
                        ? Cell{}
                        : dialect().encode(relation.columns[i].type, row.cells[i], scratch[i]));
  }
}

// Staging ---------------------------------------------------------------------------------------

void Target::prepare(const Relation& relation) {
  prepared_.push_back(relation);
  if (updated_columns_.size() <= static_cast<std::size_t>(relation.id)) {
    updated_columns_.resize(static_cast<std::size_t>(relation.id) + 1);
    planned_.resize(static_cast<std::size_t>(relation.id) + 1);
    base_changes_.resize(static_cast<std::size_t>(relation.id) + 1);
    writes_.resize(static_cast<std::size_t>(relation.id) + 1);
    written_.resize(static_cast<std::size_t>(relation.id) + 1);
    actions_.resize(static_cast<std::size_t>(relation.id) + 1);
  }
}

Names Target::staging(const Relation& relation) {
  auto name = names(relation);
  if (staged_.insert(relation.id).second) {
    session_.connection->execute(create_stage(dialect(), name, relation));
    session_.connection->execute(create_plan(dialect(), name, relation));
    session_.connection->execute(create_gone(dialect(), name, relation));
  }
  return name;
}

Target::Stage::Stage(Target& target, const Relation& relation, Loader::Refused refused)
    : target_(target), relation_(relation), refused_(std::move(refused)) {}

Loader& Target::Stage::loader() {
  if (!loader_) {
    loader_ = target_.session_.connection->load(target_.staging(relation_).stage,
                                                stage_columns(relation_), std::move(refused_));
  }
  return *loader_;
}

void Target::Stage::add(const Row& row, std::string_view cells, std::string_view mark) {
  cells_.clear();
  target_.encode_row(relation_, row, cells_, scratch_);
  cells_.push_back({Cell::Storage::blob, cells});
  cells_.push_back(blob_or_null(mark));
  loader().add(cells_);
}

void Target::Stage::hold(const Row& key_cells, std::string_view mark) {
  if (mark == kRareMark && !contains(target_.rare_, relation_.id)) {
    target_.rare_.push_back(relation_.id);
  }
  cells_.assign(relation_.columns.size() + 1, Cell{});
  cells_.push_back(blob_or_null(mark));
  scratch_.resize(relation_.columns.size());
  for (const auto i : relation_.key) {
    cells_[i] =
        target_.dialect().encode(relation_.columns[i].type, key_cells.cells[i], scratch_[i]);
  }
  loader().add(cells_);
}

void Target::Stage::flush() {
  if (loader_) {
    loader_->flush();
  }
}

void Target::Stage::finish() {
  if (!loader_) {
    return;  // nothing is staged
  }
  loader_->flush();
  for (const auto& sql : finish_stage(target_.dialect(), target_.names(relation_), relation_)) {
    target_.session_.connection->execute(sql);
  }
}

Target::Gone::Gone(Target& target, const Relation& relation)
    : target_(target), relation_(relation) {}

void Target::Gone::add(const Row& key_cells, std::string_view mark) {
  if (!loader_) {
    loader_ =
        target_.session_.connection->load(target_.staging(relation_).gone, gone_columns(relation_));
  }
  cells_ = target_.key_cells(relation_, key_cells, scratch_);
  cells_.push_back(blob_or_null(mark));
  loader_->add(cells_);
}

void Target::Gone::finish() {
  if (!loader_) {
    return;
  }
  loader_->flush();
  for (const auto& sql : finish_gone(target_.dialect(), target_.names(relation_), relation_)) {
    target_.session_.connection->execute(sql);
  }
}

std::vector<Belonging> Target::belongings(const Relation& relation) const {
  std::vector<Belonging> all;
  for (const auto& key : relation.foreign_keys) {
    const auto parent = std::ranges::find_if(prepared_, [&](const Relation& other) {
      return other.name == key.table && other.id != relation.id && contains(rare_, other.id);
    });
    if (parent == prepared_.end()) {
      continue;
    }
    Belonging belonging{.parent = &*parent, .parent_stage = names(*parent).stage, .columns = {}};
    for (std::size_t i = 0; i < key.columns.size(); ++i) {
      const auto column = std::ranges::find(parent->columns, key.referenced[i],
                                            [](const RelationColumn& one) { return one.name; });
      if (column != parent->columns.end()) {
        const auto at = static_cast<std::size_t>(column - parent->columns.begin());
        // of a row that is held back only its key is staged
        if (parent->is_key(at) &&
            column->held.family == relation.columns[key.columns[i]].held.family) {
          belonging.columns.emplace_back(key.columns[i], at);
        }
      }
    }
    if (belonging.columns.size() == key.columns.size()) {
      all.push_back(std::move(belonging));
    }
  }
  return all;
}

std::int64_t Target::hold_with_rare(const Relation& relation) {
  std::int64_t rows = 0;
  if (!is_staged(relation)) {
    return rows;
  }
  for (const auto& belonging : belongings(relation)) {
    rows += session_.connection->execute(db::hold_with_rare(dialect(), names(relation), belonging));
  }
  if (rows > 0 && !contains(rare_, relation.id)) {
    rare_.push_back(relation.id);
  }
  return rows;
}

void Target::hold_duplicates(const Relation& relation,
                             const std::function<void(const Row&)>& on_key) {
  if (!is_staged(relation)) {
    return;
  }
  const auto name = names(relation);
  bool any = false;
  Row key;
  key.cells.resize(relation.columns.size());
  std::string scratch;
  {
    const auto cursor = session_.connection->open(select_duplicates(name, relation));
    for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
      for (std::size_t i = 0; i < relation.key.size(); ++i) {
        const auto column = relation.key[i];
        const auto value =
            dialect().decode(read_as(dialect(), relation.columns[column]), cells[i], scratch);
        key.cells[column].set(value.kind, value.bytes);
      }
      on_key(key);
      any = true;
    }
  }
  if (any) {
    session_.connection->execute(db::hold_duplicates(name, relation));
  }
}

std::int64_t Target::count(const std::string& sql) {
  std::int64_t rows = 0;
  session_.connection->query(sql, {}, [&](std::span<const Cell> cells) {
    const auto& digits = cells[0].bytes;
    std::from_chars(digits.data(), digits.data() + digits.size(), rows);
  });
  return rows;
}

std::int64_t Target::base_rows(const Relation& relation) {
  return count("SELECT count(*) FROM " + names(relation).base);
}

bool Target::base_is_empty(const Relation& relation) {
  return count(count_to_one(names(relation).base)) == 0;
}

std::int64_t Target::planned(const Relation& relation) const {
  return planned_.at(static_cast<std::size_t>(relation.id));
}

// Pairing ---------------------------------------------------------------------------------------

void Target::read_pairs(const Relation& relation, const std::string& sql, const OnPair& on_pair) {
  const auto columns = relation.columns.size();
  Pair pair;
  std::string scratch;
  const auto optional_bytes = [&](const Cell& cell, std::optional<std::string>& out) {
    if (cell.storage == Cell::Storage::null) {
      out.reset();
    } else {
      out = packed(dialect(), cell, scratch);
    }
  };
  const auto cursor = session_.connection->open(sql);
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_row(relation, cells.first(columns), pair.primary);
    optional_bytes(cells[columns], pair.primary_cells);
    optional_bytes(cells[columns + 1], pair.base_cells);
    pair.in_secondary = cells[columns + 2].storage != Cell::Storage::null;
    decode_row(relation, cells.subspan(columns + 3, columns), pair.secondary);
    on_pair(pair);
  }
}

void Target::changed_pairs(const Relation& relation, const OnPair& on_pair) {
  if (is_staged(relation)) {
    read_pairs(relation, select_changed_pairs(dialect(), names(relation), relation), on_pair);
  }
}

void Target::staged_pairs(const Relation& relation, const OnPair& on_pair) {
  if (is_staged(relation)) {
    read_pairs(relation, select_staged_pairs(dialect(), names(relation), relation), on_pair);
  }
}

void Target::missing_pairs(const Relation& relation, const OnPair& on_pair) {
  read_pairs(relation, select_missing_pairs(dialect(), staging(relation), relation), on_pair);
}

void Target::gone_pairs(const Relation& relation, const OnPair& on_pair) {
  if (is_staged(relation)) {
    read_pairs(relation, select_gone_pairs(dialect(), names(relation), relation), on_pair);
  }
}

void Target::decode_key(const Relation& relation, std::span<const Cell> cells, Row& row) const {
  row.cells.resize(relation.columns.size());
  std::string scratch;
  for (std::size_t i = 0; i < relation.key.size(); ++i) {
    const auto at = relation.key[i];
    const auto value =
        dialect().decode(read_as(dialect(), relation.columns[at]), cells[i], scratch);
    row.cells[at].set(value.kind, value.bytes);
  }
}

void Target::open_rows(const Relation& relation, OpenRows which, const OnOpen& on_open) {
  const auto keys = relation.key.size();
  Row key;
  std::string mark;
  std::string staged;
  std::string base;
  const auto cursor = session_.connection->open(
      which == OpenRows::held ? select_held(dialect(), staging(relation), relation)
                              : select_open(dialect(), staging(relation), relation));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_key(relation, cells, key);
    on_open(key, packed_or_empty(dialect(), cells[keys], mark),
            packed_or_empty(dialect(), cells[keys + 1], staged),
            packed_or_empty(dialect(), cells[keys + 2], base));
  }
}

void Target::absent_rows(const Relation& relation, AbsentRows which,
                         const std::function<void(const Row&, std::string_view)>& on_row) {
  Row key;
  std::string mark;
  const auto cursor = session_.connection->open(
      which == AbsentRows::named ? select_absent(dialect(), staging(relation), relation)
                                 : select_missing_keys(dialect(), staging(relation), relation));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_key(relation, cells, key);
    on_row(key, packed_or_empty(dialect(), cells[relation.key.size()], mark));
  }
}

void Target::new_marks(const Relation& relation,
                       const std::function<void(std::string_view)>& on_mark) {
  if (!is_staged(relation)) {
    return;
  }
  std::string mark;
  const auto cursor = session_.connection->open(select_new_marks(names(relation), relation));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    on_mark(packed_or_empty(dialect(), cells[0], mark));
  }
}

bool Target::doubtful(const Relation& relation) {
  return is_staged(relation) && count(count_doubtful(names(relation), relation)) > 0;
}

void Target::held_pairs(const Relation& relation, Held which, const OnPair& on_pair) {
  if (is_staged(relation)) {
    read_pairs(relation, select_held_pairs(dialect(), names(relation), relation, which), on_pair);
  }
}

void Target::rare_rows(const Relation& relation,
                       const std::function<void(const RareRow&)>& on_row) {
  if (!is_staged(relation)) {
    return;
  }
  const auto keys = relation.key.size();
  RareRow row;
  const auto cursor = session_.connection->open(select_rare(dialect(), names(relation), relation));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_key(relation, cells, row.key);
    row.in_base = cells[keys].storage != Cell::Storage::null;
    row.in_secondary = cells[keys + 1].storage != Cell::Storage::null;
    on_row(row);
  }
}

void Target::secondary_only(const Relation& relation, const OnPair& on_pair) {
  read_pairs(relation, select_secondary_only(dialect(), staging(relation), relation), on_pair);
}

// Base and single rows --------------------------------------------------------------------------

void Target::rewrite_base(const Relation& relation,
                          const std::function<std::string(const Row&, std::string_view)>& next) {
  auto name = names(relation);
  if (mode_ == Mode::dry && !contains(stand_in_base_, relation.id)) {
    const auto real = name.base;
    stand_in_base_.push_back(relation.id);
    name = names(relation);
    session_.connection->execute(
        create_base_table(dialect(), name.base, relation, Lifetime::temporary));
    session_.connection->execute(fmt::format("INSERT INTO {} SELECT * FROM {}", name.base, real));
  }
  const auto rewritten = temporary_name(dialect(), "rebase", relation.id);
  session_.connection->execute(
      create_base_table(dialect(), rewritten, relation, Lifetime::temporary));
  {
    const auto loader = session_.connection->load(rewritten, base_columns(relation));
    const auto cursor = session_.connection->open(select_base(dialect(), name, relation));
    Row key;
    key.cells.resize(relation.columns.size());
    std::string scratch;
    for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
      for (std::size_t i = 0; i < relation.key.size(); ++i) {
        const auto value = dialect().decode(read_as(dialect(), relation.columns[relation.key[i]]),
                                            cells[i], scratch);
        key.cells[relation.key[i]].set(value.kind, value.bytes);
      }
      const auto bytes = next(key, packed(dialect(), cells[relation.key.size()], scratch));
      std::vector<Cell> row(cells.begin(), cells.end());
      row.back() = {Cell::Storage::blob, bytes};
      loader->add(row);
    }
    loader->flush();
  }
  session_.connection->execute(replace_base(name, rewritten, relation));
  session_.connection->execute("DROP TABLE " + rewritten);
  if (mode_ == Mode::real) {
    seal_base(relation);
  }
}

Value Target::literal(const RelationColumn& column, const std::optional<std::string>& text) {
  Value value;
  if (!text) {
    return value;
  }
  const auto refuse = [&](std::string_view why) {
    throw Failure(Code::usage, fmt::format("the value for '{}' does not fit: {}", column.name, why),
                  fmt::format("the column is of type {}. Nothing was changed", column.held.native));
  };
  // The engine itself says what the text means in a column of this type.
  const auto table = temporary_name(dialect(), "literal", ++literals_);
  auto& connection = *session_.connection;
  connection.execute(fmt::format("CREATE TEMPORARY TABLE {} (c {})", table, column.held.native));
  const Cell cell = text_cell(*text);
  const auto meaning = dialect().engine() == Engine::postgresql
                           ? fmt::format("CAST(CAST($1 AS text) AS {})", column.held.native)
                           : std::string("$1");
  try {
    connection.execute(fmt::format("INSERT INTO {} SELECT {}", table, meaning), {&cell, 1});
  } catch (const Fault& fault) {
    if (fault.cause() != Fault::Cause::data) {
      throw;
    }
    refuse("it is no such value");
  }
  std::string scratch;
  connection.query(
      fmt::format("SELECT {} FROM {}", dialect().select_expression("c", column.held), table), {},
      [&](std::span<const Cell> cells) {
        const auto read = dialect().decode(read_as(dialect(), column), cells[0], scratch);
        value.set(read.kind, read.bytes);
      });
  // SQLite keeps text in a column of numbers if it is given any; a person meant a number
  if (column.held.family == Family::integer && value.kind() == Kind::text) {
    refuse("it is not an integer");
  }
  if (const auto why = dialect().fit(column.held, value)) {
    refuse(*why);
  }
  return value;
}

std::optional<Row> Target::find_row(const Relation& relation, const Row& key) {
  std::optional<Row> row;
  std::vector<std::string> scratch;
  const auto cells = key_cells(relation, key, scratch);
  session_.connection->query(select_row(dialect(), names(relation), relation), cells,
                             [&](std::span<const Cell> found) {
                               row.emplace();
                               decode_row(relation, found, *row);
                             });
  return row;
}

std::optional<std::string> Target::find_base(const Relation& relation, const Row& key) {
  std::optional<std::string> cells;
  std::vector<std::string> scratch;
  const auto parameters = key_cells(relation, key, scratch);
  session_.connection->query(select_base_row(names(relation), relation), parameters,
                             [&](std::span<const Cell> found) {
                               std::string bytes;
                               cells.emplace(packed(dialect(), found[0], bytes));
                             });
  return cells;
}

std::vector<Cell> Target::key_cells(const Relation& relation, const Row& key,
                                    std::vector<std::string>& scratch) const {
  std::vector<Cell> cells;
  scratch.resize(relation.key.size());
  for (std::size_t i = 0; i < relation.key.size(); ++i) {
    const auto at = relation.key[i];
    cells.push_back(dialect().encode(relation.columns[at].type, key.cells[at], scratch[i]));
  }
  return cells;
}

}  // namespace abgleich::db
