// The seal of a base: how many rows abgleich has left there and what they add up to. It follows
// every write of ours, so a base that does not match its seal was written to by somebody else.
#include "db/base_statements.hpp"
#include "db/plan_statements.hpp"
#include "db/target.hpp"

namespace abgleich::db {

namespace {

/// Known to everybody: the digests are keyed already, and this is against accidents.
constexpr SipKey kSealKey{'a', 'b', 'g', 'l', 'e', 'i', 'c', 'h',
                          '.', 's', 'e', 'a', 'l', '/', '1', 0};

void append_field(std::string_view bytes, std::string& out) {
  for (unsigned shift = 0; shift < 32; shift += 8) {
    out += static_cast<char>((bytes.size() >> shift) & 0xffU);
  }
  out += bytes;
}

}  // namespace

std::uint64_t Target::checksum(std::span<const Cell> key, std::string_view packed_cells,
                               std::string& bytes) {
  bytes.clear();
  for (const auto& cell : key) {
    append_field(cell.bytes, bytes);
  }
  append_field(packed_cells, bytes);
  return siphash(kSealKey, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

Target::Base Target::measure(const Relation& relation, const std::string& sql) {
  Base base{.exists = true};
  const auto digests = relation.columns.size() * sizeof(Digest::bits);
  std::string bytes;
  std::string scratch;
  session_.connection->read(sql, [&](std::span<const Cell> cells) {
    const auto packed_cells = packed(dialect(), cells[relation.key.size()], scratch);
    ++base.seal.rows;
    base.seal.sum += checksum(cells.first(relation.key.size()), packed_cells, bytes);
    base.misfits += packed_cells.size() == digests ? 0 : 1;
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

Seal Target::base_seal(const Relation& relation) {
  return books_->exist() ? books_->base_seal(relation.id) : Seal{};
}

void Target::seal_base(const Relation& relation) {
  books_->seal_base(relation.id, measure_base(relation).seal);
}

void Target::settle(const Relation& relation, std::int64_t epoch, BeforeImages images) {
  const auto name = names(relation);
  auto& connection = *session_.connection;
  const auto journal = dialect().own_table("journal");
  if (images == BeforeImages::not_of_deleted) {
    connection.execute(erase_images(name, relation, journal));
  }
  connection.execute(journal_plan(name, relation, journal, epoch, images));
  const auto touched = select_sealed_of_plan(name, relation);
  const auto before = measure(relation, touched).seal;
  connection.execute(forget_base(name, relation));
  connection.execute(advance_base(name, relation));
  const auto after = measure(relation, touched).seal;
  auto seal = books_->base_seal(relation.id);
  seal.rows += after.rows - before.rows;
  seal.sum += after.sum - before.sum;
  books_->seal_base(relation.id, seal);
}

}  // namespace abgleich::db
