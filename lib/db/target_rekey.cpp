// New pseudonyms in the place of old ones: data and bases of all tables, in the transaction that is
// open.
#include "db/rekey_statements.hpp"
#include "db/table_statements.hpp"
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace abgleich::db {

namespace {

[[noreturn]] void refuse(const std::vector<Target::Rekeyed>& tables, const std::string& why) {
  const auto another = std::ranges::find_if(
      tables, [](const Target::Rekeyed& table) { return table.becomes != nullptr; });
  throw Failure(
      Code::secondary_refuses,
      fmt::format("the secondary does not take the new {}: {}",
                  another == tables.end() ? "pseudonyms" : "keys", why),
      fmt::format("a trigger, a rule or a constraint of its own is at work: mend that, then run: "
                  "abgleich {}. Nothing was changed",
                  another == tables.end()
                      ? std::string("sync")
                      : fmt::format("rekey {} --reason TEXT", another->relation->source)));
}

}  // namespace

Target::Rekey::Rekey(Target& target, const Relation& relation, const Relation& becomes)
    : target_(target), relation_(relation), becomes_(becomes) {
  auto& connection = *target.session_.connection;
  connection.execute(create_rekey(target.dialect(), relation));
  loader_ = connection.load(rekey_name(target.dialect(), relation), rekey_columns(relation));
}

void Target::Rekey::add(const Row& was, const Row& row, Data data,
                        const std::optional<std::string>& cells) {
  const auto& columns = relation_.columns;
  cells_.clear();
  scratch_.resize(relation_.key.size() + columns.size());
  auto scratch = scratch_.begin();
  for (const auto i : relation_.key) {
    cells_.push_back(target_.dialect().encode(columns[i].type, was.cells[i], *scratch++));
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const bool counts = relation_.is_key(i) || becomes_.is_key(i) || data == Data::changes;
    cells_.push_back(counts && !row.cells[i].is_null()
                         ? target_.dialect().encode(columns[i].type, row.cells[i], *scratch)
                         : Cell{});
    ++scratch;
  }
  cells_.push_back({Cell::Storage::integer, data == Data::changes ? "1" : "0"});
  cells_.push_back(cells ? Cell{Cell::Storage::blob, *cells} : Cell{});
  loader_->add(cells_);
}

void Target::Rekey::finish() {
  loader_->flush();
  target_.session_.connection->execute(finish_rekey(target_.dialect(), relation_));
}

std::optional<Target::KeptPseudonyms> Target::rekey_kept(const Relation& relation,
                                                         const std::string& column,
                                                         const Type& type,
                                                         const std::function<void(Value&)>& rekey) {
  const auto* table = catalog_.find_table(relation.name);
  const auto* held = table == nullptr ? nullptr : table->find_column(column);
  if (held == nullptr || held->generated) {
    return std::nullopt;
  }
  KeptPseudonyms kept{.column = column, .map = temporary_name(dialect(), "rekey_kept", ++maps_)};
  // as for rows that are exported: in SQLite only the exported type knows
  const auto& read_as = dialect().engine() == Engine::postgresql ? held->type : type;
  std::vector<std::pair<Value, Value>> pairs;
  std::string scratch;
  auto& connection = *session_.connection;
  connection.query(select_distinct(dialect(), names(relation).data, *held), {},
                   [&](std::span<const Cell> cells) {
                     const auto read = dialect().decode(read_as, cells[0], scratch);
                     Value was;
                     was.set(read.kind, read.bytes);
                     Value now;
                     now.set(read.kind, read.bytes);
                     rekey(now);
                     if (!(now == was)) {
                       pairs.emplace_back(std::move(was), std::move(now));
                     }
                   });
  connection.execute(create_kept_map(dialect(), kept.map));
  const auto loader = connection.load(kept.map, {"was", "now"});
  std::string other;
  for (const auto& [was, now] : pairs) {
    const Cell cells[] = {dialect().encode(type, was, scratch), dialect().encode(type, now, other)};
    loader->add(cells);
  }
  loader->flush();
  return kept;
}

std::vector<std::int64_t> Target::apply_rekey(const std::vector<Rekeyed>& tables) {
  auto& connection = *session_.connection;
  std::vector<RekeyWork> work;
  std::vector<std::int64_t> rows;
  std::int64_t all = 0;
  for (const auto& table : tables) {
    const auto name = names(*table.relation);
    work.push_back({.relation = table.relation,
                    .data = name.data,
                    .base = name.base,
                    .columns = table.columns,
                    .integers = table.integers});
    rows.push_back(count(count_rekeyed(dialect(), *table.relation)));
    all += rows.back();
  }
  const auto indexes = index_foreign_keys(work);
  connection.defer_constraints();
  try {
    for (const auto step : {RekeyStep::aside, RekeyStep::home}) {
      std::int64_t changed = 0;
      for (const auto& sql : rekey_data(dialect(), work, step)) {
        as_people([&] {
          changed +=
              dialect().engine() == Engine::postgresql ? count(sql) : connection.execute(sql);
        });
      }
      if (step == RekeyStep::aside && changed != all) {
        refuse(tables, fmt::format("{} of {} rows changed", changed, all));
      }
    }
    for (const auto& table : tables) {
      for (const auto& kept : table.kept) {
        write(rekey_kept_column(
            dialect(), names(*table.relation).data,
            *catalog_.find_table(table.relation->name)->find_column(kept.column), kept.map));
      }
    }
    as_people([&] { connection.check_constraints(); });
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
    const auto& one = work[i];
    const auto& by = tables[i].becomes == nullptr ? *one.relation : *tables[i].becomes;
    const auto before = connection.execute(clear_base(one));
    if (remakes_base(*one.relation, by)) {
      connection.execute("DROP TABLE " + one.base);
      connection.execute(create_base_table(dialect(), one.base, by, Lifetime::lasting));
    }
    if (connection.execute(fill_base(dialect(), one, by)) != before) {
      throw Failure(
          Code::integrity,
          fmt::format("the base of '{}' has rows that neither side explains", one.relation->source),
          "see what is damaged: abgleich verify. Nothing was changed");
    }
    seal_base(by);
  }
  return rows;
}

bool Target::remakes_base(const Relation& relation, const Relation& becomes) const {
  const auto text = [&](const Relation& one) {
    return create_base_table(dialect(), "base", one, Lifetime::lasting);
  };
  return text(relation) != text(becomes);
}

std::vector<std::string> Target::key_ddl(const Relation& relation, Keys keys) const {
  const auto* table = catalog_.find_table(relation.name);
  std::vector<std::string> names;
  for (const auto i : relation.key) {
    names.push_back(relation.columns[i].name);
  }
  std::vector<std::string> ddl;
  if (keys == Keys::filled && dialect().engine() == Engine::postgresql) {
    for (const auto& name : names) {
      const auto* held = table == nullptr ? nullptr : table->find_column(name);
      if (held != nullptr && held->nullable) {
        ddl.push_back(
            set_not_null(dialect(), dialect().table(session_.schema, relation.name), name));
      }
    }
  }
  if (table == nullptr || !table->is_unique(names)) {
    ddl.push_back(add_unique(dialect(), session_.schema, relation.name, names));
  }
  return ddl;
}

std::vector<std::string> Target::index_foreign_keys(const std::vector<RekeyWork>& work) {
  auto& connection = *session_.connection;
  std::vector<std::string> drops;
  for (const auto& one : work) {
    for (std::size_t key = 0; key < one.relation->foreign_keys.size(); ++key) {
      connection.execute("SAVEPOINT key_index");
      try {
        connection.execute(create_key_index(dialect(), one, key));
        drops.push_back(drop_key_index(dialect(), session_.schema, one, key));
      } catch (const Fault& fault) {
        if (fault.cause() != Fault::Cause::rights) {
          throw;
        }
        connection.execute("ROLLBACK TO SAVEPOINT key_index");  // it goes without, slowly
      }
      connection.execute("RELEASE SAVEPOINT key_index");
    }
  }
  return drops;
}

void Target::forget_base_of(const Relation& relation) {
  if (own_table_exists("base_" + std::to_string(relation.id))) {
    session_.connection->execute("DELETE FROM " + names(relation).base);
    seal_base(relation);
  }
}

}  // namespace abgleich::db
