// The seal of a base: how many rows abgleich has left there and what they add up to. It follows
// every write of ours, so a base that does not match its seal was written to by somebody else.
#include "db/base_statements.hpp"
#include "db/plan_statements.hpp"
#include "db/table_statements.hpp"
#include "db/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace abgleich::db {

namespace {

/// Rows: from here on it pays to make an index anew.
constexpr std::int64_t kWorthAKey = 20'000;

constexpr std::string_view kLockNotAvailable = "55P03";

void append_field(std::string_view bytes, std::string& out) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out += static_cast<char>((bytes.size() >> shift) & 0xffU);
  }
  out += bytes;
}

}  // namespace

std::uint64_t Target::checksum(const SipKey& base_key, std::span<const Cell> key,
                               std::string_view packed_cells, std::string& bytes) {
  bytes.clear();
  for (const auto& cell : key) {
    append_field(cell.bytes, bytes);
  }
  append_field(packed_cells, bytes);
  return siphash(base_key, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

bool Target::seals_as_sent(const Relation& relation) const {
  // equal values of these types have the same text; of citext, say, they need not
  constexpr std::array<std::string_view, 5> exact{"text", "uuid", "smallint", "integer", "bigint"};
  return dialect().engine() == Engine::postgresql &&
         std::ranges::all_of(relation.key, [&](std::size_t i) {
           const std::string_view type = relation.columns[i].held.native;
           return std::ranges::find(exact, type) != exact.end() ||
                  type.starts_with("character varying");
         });
}

Target::Base Target::measure(const Relation& relation, const std::string& sql,
                             const OnMeasured& on_row) {
  Base base{.exists = true};
  const auto base_key = books_->sealer().base_key(relation.id);
  const auto digests = relation.columns.size() * sizeof(Digest::bits);
  std::string bytes;
  std::string scratch;
  session_.connection->read_blobs(sql, [&](std::span<const Cell> cells) {
    const auto packed_cells = packed(dialect(), cells[relation.key.size()], scratch);
    ++base.seal.rows;
    base.seal.sum += checksum(base_key, cells.first(relation.key.size()), packed_cells, bytes);
    base.misfits += packed_cells.size() == digests ? 0 : 1;
    if (on_row) {
      on_row(cells, packed_cells);
    }
  });
  return base;
}

Target::Base Target::measure_base(const Relation& relation) {
  const auto name = names(relation);
  if (!own_table_exists("base_" + std::to_string(relation.id))) {
    return {};
  }
  return measure(relation, select_sealed(name, relation));
}

Target::Base Target::read_base(const Relation& relation, const OnBase& on_row) {
  const auto name = names(relation);
  Row key;
  if (seals_as_sent(relation)) {
    return measure(relation, select_sealed(name, relation),
                   [&](std::span<const Cell> cells, std::string_view packed_cells) {
                     decode_key(relation, cells, key);
                     on_row(key, packed_cells);
                   });
  }
  const auto base = measure(relation, select_sealed(name, relation));
  std::string scratch;
  session_.connection->read_blobs(
      select_base(dialect(), name, relation), [&](std::span<const Cell> cells) {
        decode_key(relation, cells, key);
        on_row(key, packed(dialect(), cells[relation.key.size()], scratch));
      });
  return base;
}

void Target::each_base(const Relation& relation, const OnBase& on_row) {
  Row key;
  std::string scratch;
  const auto cursor = session_.connection->open(select_base(dialect(), names(relation), relation));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    decode_key(relation, cells, key);
    on_row(key, packed(dialect(), cells[relation.key.size()], scratch));
  }
}

Seal Target::base_seal(const Relation& relation) {
  return books_->exist() ? books_->base_seal(relation.id) : Seal{};
}

void Target::seal_base(const Relation& relation) {
  books_->seal_base(relation.id, measure_base(relation).seal);
}

std::vector<std::string> Target::drop_untracked_bases() {
  std::vector<std::string> statements;
  for (const auto number : books_->untracked_bases()) {
    statements.push_back(
        fmt::format("DROP TABLE {}", dialect().own_table("base_" + std::to_string(number))));
    books_->seal_base(number, {});
  }
  return statements;
}

void Target::move_base(const Relation& relation) {
  const auto name = names(relation);
  const auto& planned = base_changes_[static_cast<std::size_t>(relation.id)];
  auto& connection = *session_.connection;
  if (planned.deletes) {
    connection.execute(forget_base(name, relation));
  }
  if (planned.updates) {
    connection.execute(update_base(name, relation));
  }
  if (planned.inserts) {
    connection.execute(insert_base(name, relation));
  }
}

bool Target::move_base_without_key(const Relation& relation) {
  if (dialect().engine() != Engine::postgresql || !stands(relation)) {
    return false;
  }
  const auto base = names(relation).base;
  const Cell cell = text_cell(base);
  auto& connection = *session_.connection;
  std::string name;
  std::string definition;
  connection.query(select_primary_key(), {&cell, 1}, [&](std::span<const Cell> row) {
    name = dialect().quote(row[0].bytes);
    definition = row[1].bytes;
  });
  if (name.empty()) {
    return false;
  }
  std::string patience;
  connection.query("SELECT current_setting('lock_timeout')", {},
                   [&](std::span<const Cell> row) { patience = row[0].bytes; });
  connection.execute("SAVEPOINT unkeyed");
  try {
    // somebody who reads the base is not waited for; an autovacuum makes way after a second
    connection.execute("SET LOCAL lock_timeout = '2s'");
    connection.execute(fmt::format("ALTER TABLE {} DROP CONSTRAINT {}", base, name));
    connection.execute(fmt::format("SET LOCAL lock_timeout = '{}'", patience));
    move_base(relation);
    connection.execute(fmt::format("ALTER TABLE {} ADD CONSTRAINT {} {}", base, name, definition));
  } catch (const Fault& fault) {
    using Cause = Fault::Cause;
    const bool busy = fault.state() == kLockNotAvailable;
    if (!busy && (fault.cause() == Cause::unreachable || fault.cause() == Cause::serialization ||
                  fault.cause() == Cause::no_space)) {
      throw;
    }
    // a reader, not its owner, a publication that needs the key: as on any other day then
    connection.execute("ROLLBACK TO SAVEPOINT unkeyed");
    connection.execute("RELEASE SAVEPOINT unkeyed");
    return false;
  }
  connection.execute("RELEASE SAVEPOINT unkeyed");
  return true;
}

void Target::settle(const Relation& relation) {
  if (!is_staged(relation)) {
    return;  // no row of it was planned
  }
  const auto name = names(relation);
  const auto& planned = base_changes_[static_cast<std::size_t>(relation.id)];
  if (planned.images == BeforeImages::not_of_deleted) {
    books_->erase_images(relation.id, select_leaving(name));
  }
  session_.connection->execute(journal_plan(name, relation, dialect().own_table("journal"),
                                            books_->next_epoch(), planned.images));
  if (refusals_.empty()) {
    books_->journal_grew(planned.journal);
  } else {
    books_->journal_grew(relation.id);
  }
  // where all of the plan was taken, planning has seen both bases of every row
  const bool known = refusals_.empty() && seals_as_sent(relation);
  const auto touched = select_sealed_of_plan(name, relation);
  auto change = known ? planned.seal : Seal{};
  if (!known) {
    const auto before = measure(relation, touched).seal;
    change.rows -= before.rows;
    change.sum -= before.sum;
  }
  const auto rows = planned_[static_cast<std::size_t>(relation.id)];
  const bool most = rows >= kWorthAKey && 2 * rows > books_->base_seal(relation.id).rows;
  if (!most || !move_base_without_key(relation)) {
    move_base(relation);
  }
  if (!known) {
    const auto after = measure(relation, touched).seal;
    change.rows += after.rows;
    change.sum += after.sum;
  }
  auto seal = books_->base_seal(relation.id);
  seal.rows += change.rows;
  seal.sum += change.sum;
  books_->seal_base(relation.id, seal);
}

}  // namespace abgleich::db
