#include "db/secondary/rekey.hpp"

#include "db/secondary/base_table.hpp"
#include "db/secondary/rekey_statements.hpp"
#include "db/secondary/staged_table.hpp"
#include "db/secondary/table_statements.hpp"
#include "db/secondary/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace abgleich::db {

namespace {

[[noreturn]] void refuse(const std::vector<TableRekey>& tables, const std::string& why) {
  const auto another = std::ranges::find_if(
      tables, [](const TableRekey& table) { return table.becomes != nullptr; });
  throw Failure(
      Code::secondary_refuses,
      fmt::format("the secondary does not take the new {}: {}",
                  another == tables.end() ? "pseudonyms" : "keys", why),
      fmt::format(
          "a trigger, a rule or a constraint of its own is at work: correct that, then run: "
          "abgleich {}. Nothing was changed",
          another == tables.end()
              ? std::string("sync")
              : fmt::format("rekey {} --reason TEXT", another->relation->source)));
}

/// Makes an index over the columns of each foreign key, for the time of a rotation. Returns the
/// statements that drop them. Tables that belong to somebody else get none.
std::vector<std::string> index_foreign_keys(Target& target, const std::vector<RekeyWork>& work) {
  auto& connection = target.connection();
  std::vector<std::string> drops;
  for (const auto& one : work) {
    for (std::size_t key = 0; key < one.relation->foreign_keys.size(); ++key) {
      connection.execute("SAVEPOINT key_index");
      try {
        connection.execute(create_key_index(target.dialect(), one, key));
        drops.push_back(drop_key_index(target.dialect(), target.session().schema, one, key));
      } catch (const Fault& fault) {
        if (fault.cause() != Fault::Cause::rights) {
          throw;
        }
        connection.execute("ROLLBACK TO SAVEPOINT key_index");  // slower, without this index
      }
      connection.execute("RELEASE SAVEPOINT key_index");
    }
  }
  return drops;
}

/// Changes the data of all tables. Throws Fault{constraint, data} where the secondary does
/// not take it.
void rekey_tables(Target& target, const std::vector<TableRekey>& tables,
                  const std::vector<RekeyWork>& work, std::int64_t rows) {
  auto& connection = target.connection();
  for (const auto step : {RekeyStep::aside, RekeyStep::home}) {
    std::int64_t changed = 0;
    const auto updates = rekey_data(target.dialect(), work, step);
    for (const auto& sql : updates.statements) {
      target.as_people(
          [&] { changed += updates.counted ? target.count(sql) : connection.execute(sql); });
    }
    if (step == RekeyStep::aside && changed != rows) {
      refuse(tables, fmt::format("{} of {} rows changed", changed, rows));
    }
  }
  for (const auto& table : tables) {
    for (const auto& kept : table.kept) {
      target.write(rekey_kept_column(
          target.dialect(), target.stand_ins().names(*table.relation).data,
          *target.catalog().find_table(table.relation->name)->find_column(kept.column), kept.map));
    }
  }
  target.as_people([&] { connection.check_constraints(); });
}

/// Rewrites the base of one table, by the key of `by`.
void rekey_base(Target& target, const RekeyWork& one, const Relation& by) {
  auto& connection = target.connection();
  const auto before = connection.execute(clear_base(one));
  if (remakes_base(target, *one.relation, by)) {
    connection.execute("DROP TABLE " + one.base);
    connection.execute(create_base_table(target.dialect(), one.base, by, Lifetime::lasting));
  }
  if (connection.execute(fill_base(target.dialect(), one, by)) != before) {
    throw Failure(
        Code::integrity,
        fmt::format("the base of '{}' has rows that neither side explains", one.relation->source),
        "see what is damaged: abgleich verify. Nothing was changed");
  }
  BaseTable(target, by).reseal();
}

}  // namespace

RekeyWriter::RekeyWriter(StagedTable& table, const Relation& becomes)
    : target_(table.target()), relation_(table.relation()), becomes_(becomes) {
  auto& connection = target_.connection();
  connection.execute(create_rekey(target_.dialect(), relation_));
  loader_ = connection.load(rekey_name(target_.dialect(), relation_), rekey_columns(relation_));
}

RekeyWriter::RekeyWriter(StagedTable& table) : RekeyWriter(table, table.relation()) {}

void RekeyWriter::add(const Row& was, const Row& row, Data data,
                      const std::optional<std::string>& cells) {
  const auto& dialect = target_.dialect();
  const auto& columns = relation_.columns;
  cells_.clear();
  scratch_.resize(relation_.key.size() + columns.size());
  auto scratch = scratch_.begin();
  for (const auto i : relation_.key) {
    cells_.push_back(dialect.encode(columns[i].type, was.cells[i], *scratch++));
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool counts = relation_.is_key(i) || becomes_.is_key(i) || data == Data::changes;
    cells_.push_back(counts && !row.cells[i].is_null()
                         ? dialect.encode(columns[i].type, row.cells[i], *scratch)
                         : Cell{});
    ++scratch;
  }
  cells_.push_back({Cell::Storage::integer, data == Data::changes ? "1" : "0"});
  cells_.push_back(cells ? Cell{Cell::Storage::blob, *cells} : Cell{});
  loader_->add(cells_);
}

void RekeyWriter::finish() {
  loader_->flush();
  target_.connection().execute(finish_rekey(target_.dialect(), relation_));
}

std::optional<KeptPseudonyms> rekey_kept(Target& target, const Relation& relation,
                                         const std::string& column, const Type& type,
                                         const std::function<void(Value&)>& rekey) {
  const auto& dialect = target.dialect();
  const auto* table = target.catalog().find_table(relation.name);
  const auto* there = table == nullptr ? nullptr : table->find_column(column);
  if (there == nullptr || there->generated) {
    return std::nullopt;
  }
  KeptPseudonyms kept{.column = column,
                      .map = temporary_name(dialect, "rekey_kept", target.next_temporary())};
  // as in `read_as`: where a column may hold anything, only the exported type says what a value is
  const auto& read_as = dialect.traits().has_strict_types ? there->type : type;
  std::vector<std::pair<Value, Value>> pairs;
  std::string scratch;
  auto& connection = target.connection();
  connection.query(select_distinct(dialect, target.stand_ins().names(relation).data, *there), {},
                   [&](std::span<const Cell> cells) {
                     const auto read = dialect.decode(read_as, cells[0], scratch);
                     Value was;
                     was.set(read.kind, read.bytes);
                     Value now;
                     now.set(read.kind, read.bytes);
                     rekey(now);
                     if (!(now == was)) {
                       pairs.emplace_back(std::move(was), std::move(now));
                     }
                   });
  connection.execute(create_kept_map(dialect, kept.map));
  const auto loader = connection.load(kept.map, {"was", "now"});
  std::string other;
  for (const auto& [was, now] : pairs) {
    const Cell cells[] = {dialect.encode(type, was, scratch), dialect.encode(type, now, other)};
    loader->add(cells);
  }
  loader->flush();
  return kept;
}

std::vector<std::int64_t> apply_rekey(Target& target, const std::vector<TableRekey>& tables) {
  auto& connection = target.connection();
  std::vector<RekeyWork> work;
  std::vector<std::int64_t> rows;
  std::int64_t all = 0;
  for (const auto& table : tables) {
    const auto name = target.stand_ins().names(*table.relation);
    work.push_back({.relation = table.relation,
                    .data = name.data,
                    .base = name.base,
                    .columns = table.columns,
                    .integers = table.integers});
    rows.push_back(target.count(count_rekeyed(target.dialect(), *table.relation)));
    all += rows.back();
  }
  const auto indexes = index_foreign_keys(target, work);
  connection.defer_constraints();
  try {
    rekey_tables(target, tables, work, all);
    for (const auto& sql : indexes) {
      connection.execute(sql);
    }
  } catch (const Fault& fault) {
    if (fault.cause() != Fault::Cause::constraint && fault.cause() != Fault::Cause::data) {
      throw;
    }
    refuse(tables, fmt::format("{} ({})", fault.error().message, fault.state()));
  }
  for (std::size_t i = 0; i < work.size(); ++i) {
    rekey_base(target, work[i],
               tables[i].becomes == nullptr ? *work[i].relation : *tables[i].becomes);
  }
  return rows;
}

bool remakes_base(const Target& target, const Relation& relation, const Relation& becomes) {
  const auto text = [&](const Relation& one) {
    return create_base_table(target.dialect(), "base", one, Lifetime::lasting);
  };
  return text(relation) != text(becomes);
}

std::vector<std::string> key_ddl(const Target& target, const Relation& relation, Keys keys) {
  const auto& dialect = target.dialect();
  const auto& schema = target.session().schema;
  const auto* table = target.catalog().find_table(relation.name);
  std::vector<std::string> names;
  for (const auto i : relation.key) {
    names.push_back(relation.columns[i].name);
  }
  std::vector<std::string> ddl;
  if (keys == Keys::filled && dialect.traits().alters_columns) {
    for (const auto& name : names) {
      const auto* there = table == nullptr ? nullptr : table->find_column(name);
      if (there != nullptr && there->nullable) {
        ddl.push_back(set_not_null(dialect, dialect.table(schema, relation.name), name));
      }
    }
  }
  if (table == nullptr || !table->is_unique(names)) {
    ddl.push_back(dialect.add_unique(schema, relation.name, names));
  }
  return ddl;
}

}  // namespace abgleich::db
