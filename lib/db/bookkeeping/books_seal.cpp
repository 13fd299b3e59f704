// Of the bookkeeping: its seals. Every row has a MAC. Every set of rows (a table, the journal of
// a run, a base) has a seal: how many rows it has and what they add up to. The head has a MAC
// over all seals and one over itself. So a row that somebody changes, removes, doubles or puts
// back is noticed.
#include "core/error.hpp"
#include "db/bookkeeping/books.hpp"
#include "db/bookkeeping/books_cells.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

namespace abgleich::db {

struct Books::Set {
  std::string_view table;
  std::string_view columns;
  std::size_t width = 0;
  std::string (*mac)(const Sealer& sealer, std::span<const Cell> cells) = nullptr;
};

const std::vector<Books::Set>& Books::sets() {
  static const std::vector<Set> all{
      {"conflict", kConflictColumns, kConflictWidth,
       [](const Sealer& sealer, std::span<const Cell> cells) {
         return sealer.mac(conflict_row(cells));
       }},
      {"fact", kFactColumns, kFactWidth,
       [](const Sealer& sealer, std::span<const Cell> cells) {
         return sealer.mac(fact_row(cells));
       }},
      {"quarantine", kQuarantineColumns, kQuarantineWidth,
       [](const Sealer& sealer, std::span<const Cell> cells) {
         return sealer.mac(quarantine_row(cells));
       }},
      {"run", kRunColumns, kRunWidth,
       [](const Sealer& sealer, std::span<const Cell> cells) {
         return sealer.mac(run_row(cells));
       }},
      {"tracked", kTrackedColumns, kTrackedWidth,
       [](const Sealer& sealer, std::span<const Cell> cells) {
         return sealer.mac(tracked_row(cells));
       }},
  };
  return all;
}

const Books::Set& Books::set_of(std::string_view table) {
  return *std::ranges::find(sets(), table, &Set::table);
}

void Books::seal_with(const SealKeys& keys, std::string_view lineage, std::int64_t epoch,
                      Forged forged) {
  sealer_.emplace(keys, lineage);
  epoch_ = epoch;
  forged_ = forged;
}

const Sealer& Books::sealer() const {
  if (!sealer_) {
    throw Failure(Code::bug, "the bookkeeping was to be written without a key");
  }
  return *sealer_;
}

const Sealer& Books::reader() const {
  return before_ ? *before_ : sealer();
}

void refuse_forged_books(std::string_view what) {
  throw Failure(
      Code::integrity,
      fmt::format("the bookkeeping in the secondary is damaged, somebody else has changed "
                  "it: {}",
                  what),
      "see what: abgleich verify; then restore the secondary from its backup and run: "
      "abgleich adopt --reason TEXT; or go on without what is damaged: abgleich verify "
      "--repair-base --reason TEXT. Nothing was changed");
}

void Books::refuse_forged(std::string_view what) const {
  if (forged_ == Forged::refused) {
    refuse_forged_books(what);
  }
}

std::string Books::mac_in(const Cell& cell) const {
  std::string scratch;
  return cell.storage == Cell::Storage::null
             ? std::string()
             : std::string(packed(*session_.dialect, cell, scratch));
}

Books::Inspection Books::inspect(const Set& set) {
  const auto& sealer = reader();
  Inspection found{.table = set.table};
  Seal seal;
  const auto cursor =
      session_.connection->open(fmt::format("SELECT {}, mac FROM {}", set.columns, own(set.table)));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    const auto mac = mac_in(cells[set.width]);
    found.forged += set.mac(sealer, cells) == mac ? 0 : 1;
    seal += sealer.share(mac);
  }
  const auto left = set_seal(set.table);
  found.rows = seal.rows;
  found.left = left.rows;
  found.whole = found.forged == 0 && seal == left;
  return found;
}

std::vector<Books::Inspection> Books::inspect() {
  std::vector<Inspection> found;
  for (const auto& set : sets()) {
    found.push_back(inspect(set));
  }
  return found;
}

void Books::expect(std::string_view table) {
  if (!sealer_ || expected_.contains(table)) {
    return;
  }
  expected_.insert(table);
  if (forged_ == Forged::taken) {
    return;
  }
  const auto& set = set_of(table);
  if (const auto found = inspect(set); !found.whole) {
    refuse_forged(found.forged > 0
                      ? fmt::format("{} of table '{}' {} not as a run has left {}",
                                    found.forged == 1 ? "a row" : "rows", own_name(table),
                                    found.forged == 1 ? "is" : "are",
                                    found.forged == 1 ? "it" : "them")
                      : fmt::format("table '{}' does not have the rows that the last run has left",
                                    own_name(table)));
  }
}

void Books::changes(std::string_view table) {
  expect(set_of(table).table);
  dirty_.insert(set_of(table).table);
}

void Books::forget_read() {
  read_ = {};
}

Seal Books::set_seal(std::string_view what, std::int64_t n) {
  const auto& all = seals();
  const auto found = all.find({std::string(what), n});
  if (found == all.end()) {
    return {};
  }
  // a sum that cannot be read was written by somebody else: 0 will not fit the rows
  return {.rows = found->second.rows, .sum = reader().revealed(found->second.sum).value_or(0)};
}

Books::StoredSeals& Books::seals() {
  if (!read_.seals) {
    auto& rows = read_.seals.emplace();
    session_.connection->query(fmt::format("SELECT what, n, rows, sum FROM {}", own("seal")), {},
                               [&](std::span<const Cell> cells) {
                                 rows.emplace(
                                     std::pair(text(cells[0]), number(cells[1])),
                                     StoredSeal{.rows = number(cells[2]), .sum = text(cells[3])});
                               });
  }
  return *read_.seals;
}

void Books::put_seal(std::string_view what, std::int64_t n, const Seal& seal) {
  const auto sum = sealer().hidden(seal.sum);
  const Cell parameters[] = {text_cell(what), text_cell(sum)};
  session_.connection->execute(
      session_.dialect->upsert({.table = own("seal"),
                                .columns = {"what", "n", "rows", "sum"},
                                .key = 2,
                                .values = fmt::format("$1, {}, {}, $2", n, seal.rows)}),
      parameters);
  seals().insert_or_assign({std::string(what), n}, StoredSeal{.rows = seal.rows, .sum = sum});
}

Seal Books::base_seal(std::int64_t tracked) {
  return set_seal("base", tracked);
}

void Books::seal_base(std::int64_t tracked, const Seal& seal) {
  put_seal("base", tracked, seal);
}

void Books::seal_sets() {
  for (const auto table : dirty_) {
    Seal seal;
    const auto cursor = session_.connection->open(fmt::format("SELECT mac FROM {}", own(table)));
    for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
      seal += sealer().share(mac_in(cells[0]));
    }
    put_seal(table, 0, seal);
  }
  dirty_.clear();
}

std::string Books::all_seals() {
  std::vector<std::string> lines;
  for (const auto& [of, seal] : seals()) {
    lines.push_back(fmt::format("{}\n{}\n{}\n{}\n", of.first, of.second, seal.rows, seal.sum));
  }
  std::ranges::sort(lines);  // by bytes, whatever order the database has
  return fmt::format("{}", fmt::join(lines, ""));
}

Books::Written Books::who_wrote(const HeadRow& head) {
  if (sealer().mac(head) != head.mac) {
    return Written::other_head;
  }
  return sealer().mac_of_seals(all_seals()) == head.seals ? Written::by_us : Written::other_seals;
}

bool Books::written_with(const SealKeys& keys, const HeadRow& head) {
  return Sealer(keys, head.lineage).mac(head) == head.mac;
}

std::string Books::deeds(std::string_view more) {
  seal_sets();
  return sealer().mac_of_deeds(
      fmt::format("{}\n{}\n{}{}", journal_.rows, journal_.sum, all_seals(), more));
}

// What is forged: found, and taken out -----------------------------------------------------------

std::int64_t Books::inspect_journal(
    const std::function<void(std::int64_t, const Inspection&)>& on_epoch) {
  const auto& sealer = reader();
  struct Found {
    Seal seal;
    Seal left;
    std::int64_t forged = 0;
  };
  std::map<std::int64_t, Found> found;
  std::map<std::int64_t, std::int64_t> entries;  // by table
  std::array<std::string, 2> scratch;
  std::string mac_memory;
  session_.connection->read_blobs(
      fmt::format("SELECT {}, mac FROM {}", kJournalColumns, own("journal")),
      [&](std::span<const Cell> cells) {
        const auto row = journal_fields(*session_.dialect, cells, scratch);
        const auto& cell = cells[kJournalWidth];
        const auto mac = cell.storage == Cell::Storage::null
                             ? std::string_view()
                             : packed(*session_.dialect, cell, mac_memory);
        auto& one = found[row.epoch];
        one.forged += sealer.mac(row) == mac ? 0 : 1;
        one.seal += sealer.share(mac);
        ++entries[row.tracked];
      });
  const auto cursor =
      session_.connection->open(fmt::format("SELECT epoch, entries, sum FROM {}", own("run")));
  for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
    found[number(cells[0])].left = {.rows = number(cells[1]),
                                    .sum = sealer.revealed(cells[2].bytes).value_or(0)};
  }
  for (const auto& [epoch, one] : found) {
    if (one.forged > 0 || one.seal != one.left) {
      on_epoch(epoch, {.table = "journal",
                       .forged = one.forged,
                       .rows = one.seal.rows,
                       .left = one.left.rows,
                       .whole = false});
    }
  }
  for (const auto& row : tracked()) {
    entries.erase(row.id);
  }
  std::int64_t untracked = 0;
  for (const auto& [table, rows] : entries) {
    untracked += rows;
  }
  return untracked;
}

void Books::forget_forged(const std::vector<std::int64_t>& journals, const std::string& now) {
  for (const auto& set : sets()) {
    std::vector<std::string> forged;  // the places of such rows
    std::vector<RunRow> runs;
    const auto place = session_.dialect->row_place();
    const auto cursor = session_.connection->open(
        fmt::format("SELECT {}, mac, {} FROM {}", set.columns, place.selected, own(set.table)));
    for (auto cells = cursor->next(); !cells.empty(); cells = cursor->next()) {
      const auto mac = mac_in(cells[set.width]);
      if (set.mac(sealer(), cells) == mac) {
        continue;
      }
      if (set.table == "run") {
        runs.push_back(run_row(cells));
      } else {
        forged.push_back(text(cells[set.width + 1]));
      }
    }
    expected_.insert(set.table);
    dirty_.insert(set.table);
    for (const auto& at : forged) {
      session_.connection->execute(
          fmt::format("DELETE FROM {} WHERE {} = '{}'", own(set.table), place.compared, at));
    }
    forget_read();
    for (const auto& run : runs) {
      put_run(run);  // a person has decided that it stays as it is
    }
  }
  for (const auto epoch : journals) {
    session_.connection->execute(
        fmt::format("DELETE FROM {} WHERE epoch = {}", own("journal"), epoch));
    for (auto& run : select_runs(fmt::format("WHERE epoch = {}", epoch), {})) {
      auto after = run;
      after.purged = now;
      after.entries = 0;
      after.sum = sealer().hidden(0);
      put_run(after);
    }
  }
}

Books::Untracked Books::count_untracked() {
  const auto count = [&](std::string_view table) {
    return one_number(fmt::format("SELECT count(*) FROM {} WHERE tracked NOT IN (SELECT id FROM "
                                  "{})",
                                  own(table), own("tracked")),
                      {});
  };
  return {.conflicts = count("conflict"), .quarantined = count("quarantine")};
}

std::vector<std::int64_t> Books::untracked_bases() {
  constexpr std::string_view kBase = "base_";
  std::set<std::string> known;
  for (const auto& row : tracked()) {
    known.insert(fmt::format("{}{}", kBase, row.id));
  }
  std::vector<std::int64_t> numbers;
  for (const auto& [table, columns] : layout()) {
    const auto rest = table.starts_with(kBase) ? std::string_view(table).substr(kBase.size())
                                               : std::string_view();
    // Other books may be called abgleich_base_7, and have a table abgleich_base_7_head; and base_01
    // is not the base of table 1.
    const bool digits = !rest.empty() && rest.size() < 19 && rest.front() != '0' &&
                        rest.find_first_not_of("0123456789") == std::string_view::npos;
    if (digits && !known.contains(table)) {
      numbers.push_back(number<std::int64_t>(rest));
    }
  }
  return numbers;
}

void Books::forget_untracked() {
  for (const std::string_view table : {"conflict", "quarantine"}) {
    const auto gone = session_.connection->execute(fmt::format(
        "DELETE FROM {} WHERE tracked NOT IN (SELECT id FROM {})", own(table), own("tracked")));
    if (gone > 0) {
      changes(table);
    }
  }
}

}  // namespace abgleich::db
