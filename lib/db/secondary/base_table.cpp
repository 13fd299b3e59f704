#include "db/secondary/base_table.hpp"

#include "db/engine/engine.hpp"
#include "db/secondary/base_statements.hpp"
#include "db/secondary/plan_statements.hpp"
#include "db/secondary/row_cells.hpp"
#include "db/secondary/table_statements.hpp"
#include "db/secondary/target.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace abgleich::db {

namespace {

void append_field(std::string_view bytes, std::string& out) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out += static_cast<char>((bytes.size() >> shift) & 0xffU);
  }
  out += bytes;
}

}  // namespace

std::uint64_t base_checksum(const SipKey& base_key, std::span<const Cell> key,
                            std::string_view packed_cells, std::string& bytes) {
  bytes.clear();
  for (const auto& cell : key) {
    append_field(cell.bytes, bytes);
  }
  append_field(packed_cells, bytes);
  return siphash(base_key, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

bool seals_as_sent(const Dialect& dialect, const Relation& relation) {
  return std::ranges::all_of(relation.key, [&](std::size_t i) {
    return dialect.has_one_text(relation.columns[i].stored);
  });
}

BaseTable::BaseTable(Target& target, const Relation& relation)
    : target_(target), relation_(relation) {}

bool BaseTable::exists() const {
  return target_.books().has_table(base_name(relation_));
}

std::int64_t BaseTable::rows() {
  return target_.count("SELECT count(*) FROM " + target_.stand_ins().names(relation_).base);
}

bool BaseTable::was_empty() {
  if (!target_.stand_ins().has_base(relation_)) {
    return target_.books().base_was_empty(relation_.id);
  }
  return target_.count(count_to_one(target_.stand_ins().names(relation_).base)) == 0;
}

Seal BaseTable::seal() {
  auto& books = target_.books();
  return books.exist() ? books.base_seal(relation_.id) : Seal{};
}

MeasuredBase BaseTable::measure(const std::string& sql, const OnMeasured& on_row) {
  MeasuredBase base{.exists = true};
  const auto base_key = target_.books().sealer().base_key(relation_.id);
  const auto digests = relation_.columns.size() * sizeof(Digest::bits);
  std::string bytes;
  std::string scratch;
  target_.connection().read_blobs(sql, [&](std::span<const Cell> cells) {
    const auto packed_cells = packed(target_.dialect(), cells[relation_.key.size()], scratch);
    ++base.seal.rows;
    base.seal.sum +=
        base_checksum(base_key, cells.first(relation_.key.size()), packed_cells, bytes);
    base.misfits += packed_cells.size() == digests ? 0 : 1;
    if (on_row) {
      on_row(cells, packed_cells);
    }
  });
  return base;
}

MeasuredBase BaseTable::measure(const std::string& sql) {
  return measure(sql, {});
}

MeasuredBase BaseTable::measure() {
  if (!exists()) {
    return {};
  }
  return measure(select_sealed(target_.stand_ins().names(relation_), relation_));
}

void BaseTable::reseal() {
  target_.books().seal_base(relation_.id, measure().seal);
}

MeasuredBase BaseTable::read(const OnRow& on_row) {
  const auto& dialect = target_.dialect();
  const auto name = target_.stand_ins().names(relation_);
  Row key;
  if (seals_as_sent(dialect, relation_)) {
    return measure(select_sealed(name, relation_),
                   [&](std::span<const Cell> cells, std::string_view packed_cells) {
                     decode_key(dialect, relation_, cells, key);
                     on_row(key, packed_cells);
                   });
  }
  const auto base = measure(select_sealed(name, relation_));
  std::string scratch;
  target_.connection().read_blobs(
      select_base(dialect, name, relation_), [&](std::span<const Cell> cells) {
        decode_key(dialect, relation_, cells, key);
        on_row(key, packed(dialect, cells[relation_.key.size()], scratch));
      });
  return base;
}

void BaseTable::each(const OnRow& on_row) {
  const auto& dialect = target_.dialect();
  Row key;
  std::string scratch;
  const auto cursor = target_.connection().open(
      select_base(dialect, target_.stand_ins().names(relation_), relation_));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_key(dialect, relation_, cells, key);
    on_row(key, packed(dialect, cells[relation_.key.size()], scratch));
  }
}

std::optional<std::string> BaseTable::find(const Row& key) {
  const auto& dialect = target_.dialect();
  std::optional<std::string> cells;
  std::vector<std::string> scratch;
  const auto parameters = key_cells(dialect, relation_, key, scratch);
  target_.connection().query(select_base_row(target_.stand_ins().names(relation_), relation_),
                             parameters, [&](std::span<const Cell> found) {
                               std::string bytes;
                               cells.emplace(packed(dialect, found[0], bytes));
                             });
  return cells;
}

void BaseTable::rewrite(const std::function<std::string(const Row&, std::string_view)>& next) {
  const auto& dialect = target_.dialect();
  auto& connection = target_.connection();
  auto name = target_.stand_ins().names(relation_);
  if (target_.mode() == Mode::dry && !target_.stand_ins().has_base(relation_)) {
    const auto real = name.base;
    target_.stand_ins().add_base(relation_);
    name = target_.stand_ins().names(relation_);
    connection.execute(create_base_table(dialect, name.base, relation_, Lifetime::temporary));
    connection.execute(fmt::format("INSERT INTO {} SELECT * FROM {}", name.base, real));
  }
  const auto rewritten = temporary_name(dialect, "rebase", relation_.id);
  connection.execute(create_base_table(dialect, rewritten, relation_, Lifetime::temporary));
  {
    const auto loader = connection.load(rewritten, base_columns(relation_));
    const auto cursor = connection.open(select_base(dialect, name, relation_));
    Row key;
    std::string scratch;
    for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
      decode_key(dialect, relation_, cells, key);
      const auto bytes = next(key, packed(dialect, cells[relation_.key.size()], scratch));
      std::vector<Cell> row(cells.begin(), cells.end());
      row.back() = {Cell::Storage::blob, bytes};
      loader->add(row);
    }
    loader->flush();
  }
  connection.execute(replace_base(dialect, name, rewritten, relation_));
  connection.execute("DROP TABLE " + rewritten);
  if (target_.mode() == Mode::real) {
    reseal();
  }
}

void BaseTable::forget() {
  if (exists()) {
    target_.connection().execute("DELETE FROM " + target_.stand_ins().names(relation_).base);
    reseal();
  }
}

std::string BaseTable::lay_down() {
  if (!exists()) {
    return {};
  }
  const auto& dialect = target_.dialect();
  RowsToLayDown rows{.table = target_.stand_ins().names(relation_).base,
                     .name = target_.session().own_name(base_name(relation_)),
                     .people_have = nullptr,
                     .key = {},
                     .order = base_key_order(dialect, "", relation_),
                     .temporary = temporary_name(dialect, "order", target_.next_temporary())};
  for (std::size_t i = 0; i < relation_.key.size(); ++i) {
    rows.key.push_back(fmt::format("k{}", i));
  }
  return target_.backend().lay_down(target_.session(), rows);
}

std::vector<std::string> drop_untracked_bases(Target& target) {
  std::vector<std::string> statements;
  for (const auto number : target.books().untracked_bases()) {
    statements.push_back(
        fmt::format("DROP TABLE {}", target.session().own_table("base_" + std::to_string(number))));
    target.books().seal_base(number, {});
  }
  return statements;
}

}  // namespace abgleich::db
