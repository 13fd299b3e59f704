#include "sync/check/check.hpp"

#include "contract/guess.hpp"
#include "core/condition_misfit.hpp"
#include "db/engine/wire.hpp"
#include "db/primary/source.hpp"
#include "db/secondary/rights.hpp"
#include "db/secondary/target.hpp"
#include "exchange/node.hpp"
#include "exchange/pinned_cards.hpp"
#include "mask/keyring.hpp"
#include "sync/check/backup_advice.hpp"
#include "sync/check/checker.hpp"
#include "sync/check/contract_advice.hpp"
#include "sync/check/grants.hpp"
#include "sync/check/low_entropy.hpp"
#include "sync/check/many_texts.hpp"
#include "sync/detect/outgoing_row.hpp"
#include "sync/mapping/key_change.hpp"
#include "sync/mapping/references.hpp"
#include "sync/mapping/secondary_drift.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/expect_tables.hpp"
#include "sync/run/leaving.hpp"
#include "sync/run/recover.hpp"
#include "sync/run/row_order.hpp"
#include "sync/run/schema.hpp"
#include "sync/run/unknown_names.hpp"
#include "sync/verify/lay_down.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace abgleich::sync {

namespace {

constexpr std::uintmax_t kLittleSpace = 100U << 20U;  // 100 MiB: an intent and an anchor always fit

std::string describe(const Catalog& catalog, std::string_view url) {
  return fmt::format("{} {}, {} tables, {}", name_of(catalog.identity.engine),
                     catalog.identity.version, catalog.tables.size(), url);
}

/// Throws Failure where people have changed the secondary's columns.
void tell_of(const std::vector<drift::Event>& changed) {
  std::string what;
  auto code = Code::quarantine_or_drift;
  for (const auto& event : changed) {
    what += fmt::format("{}{}", what.empty() ? "" : "; ", secondary_text(event));
    code = event.verdict == drift::Verdict::block ? Code::drift_decision : code;
  }
  if (!changed.empty()) {
    throw Failure(code, "people have changed the secondary: " + what, changed.front().hint);
  }
}

/// The names of tables for which the primary does not guarantee that the key is unique.
std::vector<std::string> tables_of_loose_keys(const contract::Contract& contract,
                                              const Catalog& primary) {
  std::vector<std::string> loose;
  for (const auto& table : contract.tables) {
    const auto* found = primary.find_table(table.name);
    if (found != nullptr && (!found->is_unique(table.key) || !found->heirs.empty() ||
                             found->kind == TableKind::foreign)) {
      loose.push_back(table.name);
    }
  }
  return loose;
}

/// The columns that the contract exports and the role may not read.
std::vector<std::string> unreadable_columns(const contract::Contract& contract,
                                            const Catalog& primary) {
  std::vector<std::string> columns;
  for (const auto& table : contract.tables) {
    const auto* there = primary.find_table(table.name);
    for (const auto* column : table.exported()) {
      const auto* found = there == nullptr ? nullptr : there->find_column(column->name);
      if (found != nullptr && !found->readable) {
        columns.push_back(fmt::format("{}.{}", table.name, column->name));
      }
    }
  }
  return columns;
}

/// Throws Failure where keys can be written to the swap. That does no harm where the swap is
/// encrypted, or where there is none.
std::string locked_text() {
  if (memory_is_locked()) {
    return "locked: they are never swapped";
  }
  throw Failure(Code::quarantine_or_drift,
                "it cannot be locked (mlock), so keys can be written to the swap",
                "raise the limit: LimitMEMLOCK=64M in the unit, memlock in "
                "/etc/security/limits.conf; or encrypt the swap");
}

/// Key columns in which the secondary takes values for equal whose bytes differ.
std::vector<std::string> folding_columns(const std::vector<LocatedTable>& tables) {
  std::vector<std::string> folding;
  for (const auto& exported : tables) {
    for (const auto i : exported.relation.key) {
      const auto& column = exported.relation.columns[i];
      if (column.equality.by != db::Equality::By::bytes || column.stored.padded) {
        folding.push_back(fmt::format("'{}.{}'", exported.relation.name, column.name));
      }
    }
  }
  return folding;
}

/// `abgleich check`: one function for each group of lines. Where an earlier line could not find
/// something out, the later lines that need it are left out.
class Check {
 public:
  Check(Pairing pairing, Checker& checker) : pairing_(std::move(pairing)), checker_(checker) {}

  void run() {
    look_at_contract();
    look_at_key();
    look_at_node();
    look_at_primary();
    if (primary_) {
      judge_primary();
      compare_schema();
    }
    look_at_secondary();
    look_at_machine();
  }

  /// Where primary and secondary are not paired.
  void run_on_node() {
    look_at_key();
    look_at_node();
    look_at_machine();
  }

  /// Where one side is a file of our own, which nobody else writes.
  void run_with_peer(Outside outside) {
    look_at_contract();
    checker_.quietly("key", [&] { keyring_ = read_keyring(pairing_.config); });
    look_at_primary();
    if (primary_ && outside == Outside::primary) {
      judge_primary();
    }
    if (primary_) {
      compare_schema();
    }
    if (outside == Outside::secondary) {
      look_at_secondary();
    }
  }

 private:
  void look_at_contract();
  void look_at_key();
  void look_at_node();
  void look_at_primary();
  void judge_primary() {
    look_at_rights();
    judge_values();
    judge_contract();
  }
  void leave_out_unaskable();
  void look_at_rights();
  void judge_values();
  void judge_contract();
  void judge_conditions();
  void judge_keys();
  void judge_reading();
  void compare_schema();
  void look_at_secondary();
  std::string look_at_run(db::Target& target);
  void look_at_schema(db::Target& target);
  void look_at_machine();

  /// Warns of each column once, even where several things about it are doubtful.
  void warn_of(const std::vector<contract::Doubt>& doubts) {
    for (const auto& doubt : doubts) {
      auto what = fmt::format("column {}.{}", doubt.table, doubt.column);
      if (warned_.insert(what).second) {
        checker_.warn(std::move(what), doubt.why, doubt.hint);
      }
    }
  }

  /// A new connection for each look at rows: after a failed statement a connection is of no more
  /// use.
  [[nodiscard]] db::Source primary_source() const {
    return db::Source(pairing_.config.primary, filters_of(pairing_.contract));
  }

  Pairing pairing_;
  Checker& checker_;
  std::optional<mask::Keyring> keyring_;
  std::optional<Catalog> primary_;
  contract::Contract asked_;  // without the tables whose rows cannot be read
  db::Position position_;
  std::optional<std::vector<drift::Event>> events_;  // empty: the schemas could not be compared
  std::set<std::string> warned_;
  std::optional<Error> wider_;        // the contract lets more leave than the last run did
  std::vector<std::string> folding_;  // columns of the secondary's keys
  std::vector<std::string> strangers_;
};

void Check::look_at_contract() {
  checker_.quietly("contract", [&] { expect_tables(pairing_.contract); });
  checker_.line("accepted catalogue", [&]() -> std::string {
    return pairing_.accepted ? pairing_.config.catalog.string()
                             : "none; the first sync takes the schema as it is then";
  });
}

void Check::look_at_key() {
  checker_.line("key", [&] {
    keyring_ = read_keyring(pairing_.config);
    return fmt::format("epoch {}, check value {}", keyring_->epoch(), keyring_->check_value());
  });
}

/// What is the same for the pairing and for all peers.
void Check::look_at_node() {
  const auto& identity = pairing_.config.identity;
  const auto& cards = pairing_.config.cards;
  if (std::filesystem::exists(identity) || std::filesystem::exists(cards)) {
    checker_.line("peers", [&] {
      const auto node = exchange::Node::read(identity);
      return fmt::format("this node is '{}'; pinned: {}", node.card().name,
                         exchange::pinned_cards(cards).size());
    });
  }
  for (const auto& endpoint : {pairing_.config.primary, pairing_.config.secondary}) {
    if (auto weakness = db::wire_weakness(endpoint); !weakness.empty()) {
      checker_.warn(fmt::format("wire of the {}", name_of(endpoint.role)), std::move(weakness),
                    "leave sslmode out, or write sslmode=verify-full");
    }
  }
}

void Check::look_at_primary() {
  checker_.line("primary", [&] {
    auto source = primary_source();
    primary_ = source.catalog();
    position_ = source.position();
    return describe(*primary_, pairing_.config.primary.url);
  });
  if (primary_) {
    leave_out_unaskable();
  }
}

/// Leaves out of `asked_` the blocked tables whose `where` no longer fits their columns: reading
/// their rows would fail.
void Check::leave_out_unaskable() {
  asked_ = pairing_.contract;
  const auto misfits = [this](const contract::Table& table) {
    const auto* live = primary_->find_table(table.name);
    return table.where && live != nullptr && misfit_of(*table.where, *live, &*primary_);
  };
  if (std::ranges::none_of(asked_.tables, misfits)) {
    return;
  }
  const auto events = drift_events(pairing_, *primary_);
  std::erase_if(asked_.tables, [&](const contract::Table& table) {
    return misfits(table) && drift::is_blocked(events, pairing_.contract, table);
  });
}

/// Columns that the role may not read, and rights that it does not need.
void Check::look_at_rights() {
  std::optional<db::Grants> grants;
  if (!checker_.quietly("rights in the primary", [&] { grants = grants_in_primary(pairing_); }) ||
      !grants) {
    return;
  }
  const auto& surplus = grants->surplus;
  const auto named = [](const std::vector<std::string>& rights) {
    constexpr std::size_t kNamed = 5;
    const auto shown = std::min(std::size_t{kNamed}, rights.size());
    return fmt::format(
        "{}{}",
        fmt::join(rights.begin(), rights.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
        rights.size() > shown ? fmt::format(" and {} more", rights.size() - shown) : "");
  };
  if (const auto lacking = unreadable_columns(pairing_.contract, *primary_); !lacking.empty()) {
    checker_.line("rights in the primary", [&]() -> std::string {
      throw Failure(Code::source_incomplete,
                    fmt::format("{} may not read: {}", grants->role, named(lacking)),
                    "see the statements that give it all that is missing: abgleich grants "
                    "--primary");
    });
  }
  if (grants->superuser || !surplus.empty()) {
    checker_.warn(
        "rights in the primary",
        grants->superuser
            ? fmt::format("{} is a superuser: it may read and change everything", grants->role)
            : fmt::format("{} may do more than read what the contract exports: {}", grants->role,
                          named(surplus)),
        "see the statements that take it back: abgleich grants --primary");
  }
}

/// Whether the values that leave could tell whom they are about.
void Check::judge_values() {
  if (keyring_) {
    checker_.line("pseudonyms", [&] {
      auto source = primary_source();
      expect_entropy(low_entropy_columns(asked_, *primary_, source, *keyring_));
      return std::string("none hides too few values");
    });
  }
  warn_of(contract::doubtful_columns(pairing_.contract, *primary_));
  if (keyring_) {
    checker_.line("texts", [&] {
      auto source = primary_source();
      const auto many = columns_of_many_texts(asked_, *primary_, source, *keyring_);
      warn_of(many);
      return std::string(many.empty()
                             ? "those that leave are of few kinds, or the contract says why"
                             : "some that leave look like names or free text");
    });
  }
}

/// What is valid, but reveals or loses more than the contract's author may expect.
void Check::judge_contract() {
  if (shifts_dates(pairing_.contract)) {
    checker_.line("shifted dates", [&] {
      refuse_record_dates(pairing_.contract, *primary_);
      return std::string("none says when something was done, or the contract says why");
    });
  }
  if (const auto columns = zoneless_columns(pairing_.contract, *primary_); !columns.empty()) {
    checker_.note("time zones",
                  fmt::format("the day of {} is read in UTC: for midnight where people live it is "
                              "the day before",
                              fmt::join(columns, ", ")),
                  "write zone = \"Europe/Berlin\", or whichever is theirs, into each one's line");
  }
  if (const auto loose = loose_references(pairing_.contract, *primary_); !loose.empty()) {
    checker_.note("foreign keys",
                  fmt::format("{}: no such foreign key is made in the secondary, and rows join "
                              "there where the same is written in both",
                              fmt::join(loose, ", ")),
                  "nothing is to be done where the same things are written the same way; who wants "
                  "the foreign key asks the primary's vendor for the same type on both ends");
  }
  judge_conditions();
  judge_keys();
  if (!traits(primary_->identity.engine).is_file) {
    judge_reading();
  }
}

/// Each table's `where` decides for that table alone: its rows leave even where the rows that they
/// refer to do not.
void Check::judge_conditions() {
  std::vector<std::string> chosen;
  for (const auto& one : references_beyond_where(pairing_.contract, *primary_)) {
    if (one.chosen) {
      chosen.push_back(one.text);
      continue;
    }
    checker_.warn("rows of " + one.child,
                  fmt::format("{}, whose 'where' leaves rows out, and all rows of '{}' leave all "
                              "the same, those that refer to them as well",
                              one.text, one.child),
                  fmt::format("give '{}' a 'where' of its own, by a column of its own", one.child));
  }
  if (!chosen.empty()) {
    checker_.note("rows left out",
                  fmt::format("{}, whose 'where' leaves rows out: no such foreign key is made in "
                              "the secondary, and what is referred to may not be there",
                              fmt::join(chosen, ", ")),
                  "nothing is to be done where both conditions say the same");
  }
}

/// Tables whose rows are not stored in the primary itself, so that every run has to read all of
/// them.
void Check::judge_reading() {
  checker_.line("reading", [&] {
    std::vector<std::string> names;
    for (const auto& table : pairing_.contract.tables) {
      names.push_back(table.name);
    }
    auto source = primary_source();
    const auto elsewhere = source.tables_lying_elsewhere(names);
    if (!elsewhere.empty()) {
      checker_.note("rows elsewhere",
                    fmt::format("rows of {} lie on other servers or in no heap, where their "
                                "versions tell nothing",
                                fmt::join(elsewhere, ", ")),
                    "nothing is to be done: every run reads all of them");
    }
    return elsewhere.empty() ? std::string("every table's rows are in the primary itself")
                             : fmt::format("{} of {} tables have their rows in the primary itself",
                                           names.size() - elsewhere.size(), names.size());
  });
}

void Check::judge_keys() {
  const auto loose = tables_of_loose_keys(pairing_.contract, *primary_);
  if (!loose.empty()) {
    checker_.warn("keys of the tables",
                  fmt::format("no constraint of the primary makes the key unique of: {}",
                              fmt::join(loose, ", ")),
                  "rows that share a key are held back; where other columns are unique together, "
                  "name them as the table's key in the contract");
  }
  checker_.line("keys of the tables", [&] {
    auto source = primary_source();
    for (auto& reused : reused_keys(asked_, *primary_, source)) {
      checker_.note("key of " + reused.table, std::move(reused.text), std::move(reused.hint));
    }
    const auto all = pairing_.contract.tables.size();
    return loose.empty()
               ? std::string("every table's key is unique in the primary")
               : fmt::format("{} of {} are unique in the primary", all - loose.size(), all);
  });
}

void Check::compare_schema() {
  checker_.line("contract and primary", [&]() -> std::string {
    events_ = drift_events(pairing_, *primary_);
    note_other_keys(*events_, pairing_);
    if (events_->empty()) {
      return pairing_.accepted ? "they fit; no drift" : "they fit";
    }
    const bool blocked = std::ranges::any_of(
        *events_, [](const drift::Event& event) { return event.verdict == drift::Verdict::block; });
    throw Failure(
        blocked ? Code::drift_decision : Code::quarantine_or_drift,
        fmt::format(
            "{} drifted; {}",
            events_->size() == 1 ? "1 thing has" : fmt::format("{} things have", events_->size()),
            blocked ? "tables are blocked until that is decided" : "no table is blocked"),
        "look at it: abgleich drift");
  });
}

void Check::look_at_secondary() {
  checker_.line("secondary", [&] {
    db::Target target(pairing_.config.secondary, db::Mode::dry);
    target.load_catalog();
    const auto& file = pairing_.config.secondary.file;
    if (!file.empty() &&
        (::access(file.c_str(), W_OK) != 0 || ::access(file.parent_path().c_str(), W_OK) != 0)) {
      throw Failure(
          Code::secondary_refuses,
          fmt::format("the secondary '{}' or its directory cannot be written", file.string()),
          "make both writable for this user: SQLite keeps its journal beside the file");
    }
    std::string at;
    if (primary_ && keyring_ && events_) {
      at = look_at_run(target);
      look_at_schema(target);
    }
    return describe(target.catalog(), pairing_.config.secondary.url) + at;
  });
  if (!folding_.empty()) {
    checker_.note("keys in the secondary",
                  fmt::format("{} takes different keys for the same (capitals, accents or blanks, "
                              "by its collation or type): of rows that differ in nothing else one "
                              "comes, the others are told",
                              fmt::join(folding_, ", ")),
                  "where all of them are wanted, the column's owner gives it a deterministic "
                  "collation, or the type that the primary has");
  }
  for (auto& stranger : strangers_) {
    checker_.warn("others in the secondary", std::move(stranger),
                  "who owns the database decides whether that is meant");
  }
  if (wider_) {
    checker_.line("what leaves", [&]() -> std::string { throw Failure(*wider_); });
  }
}

/// Throws Failure where no run can follow the last one. Returns the text that names the last run;
/// empty where there is none.
std::string Check::look_at_run(db::Target& target) {
  const auto head =
      recover(pairing_, target, *keyring_, {.identity = primary_->identity, .position = position_},
              report::Run::dry);
  wider_ = refuse_widening(pairing_, target, head, *keyring_, *primary_);
  if (!head) {
    return {};
  }
  if (const auto tables = tables_out_of_order(target.books()); !tables.empty()) {
    checker_.warn(
        "order of rows",
        fmt::format("where rows lie tells the primary's order in {}", fmt::join(tables, ", ")),
        "lay them down anew: abgleich verify --lay-down-anew");
  }
  return fmt::format(", at run {}", head->run);
}

/// Whether the secondary's tables take what the contract exports. Throws Failure where they do not.
void Check::look_at_schema(db::Target& target) {
  refuse_same_database(pairing_, *primary_, target);
  const auto tracked = known_tables(target);
  refuse_unknown_names(pairing_, *primary_, target, tracked);
  const auto settled = settle_identities(pairing_, *primary_, tracked);
  auto tables = export_tables(settled.contract, *primary_, *events_, tracked, *keyring_);
  const auto changed = find_secondary_drift(settled, target, {}, tables);
  check_schema(settled, target, tables);
  const auto schema = bring_schema(settled, target, std::move(tables), report::Run::dry);
  folding_ = folding_columns(schema.tables);
  const auto relations = relations_of(schema.tables);
  strangers_ = db::strangers(target, {relations.begin(), relations.end()});
  tell_of(changed);
}

void Check::look_at_machine() {
  if (keyring_) {  // by now its keys are in memory
    checker_.line("memory for keys", [] { return locked_text(); });
  }
  checker_.line("sizes", [] { return largest_row_text(); });
  const auto metrics = pairing_.config.alert.metrics;
  if (!metrics.empty() && ::access(metrics.parent_path().c_str(), W_OK) != 0) {
    checker_.warn("metrics",
                  fmt::format("'{}' cannot be written by this user; runs go on without",
                              metrics.parent_path().string()),
                  "make that directory writable for this user, or correct [alert] metrics");
  }
  if (const auto backups = judge_backups(pairing_)) {
    checker_.tell(*backups);
  }
  checker_.line("disk", [&] {
    auto directory = pairing_.config.state_directory;
    while (!std::filesystem::exists(directory) && directory.has_parent_path() &&
           directory != directory.parent_path()) {
      directory = directory.parent_path();
    }
    const auto space = std::filesystem::space(directory);
    if (space.available < kLittleSpace) {
      throw Failure(
          Code::out_of_space,
          fmt::format("only {} MiB are free for the state directory", space.available >> 20U),
          "make room on that file system");
    }
    return fmt::format("{} MiB free for the state directory", space.available >> 20U);
  });
}

}  // namespace

Code check(const std::filesystem::path& config, const OnStatement& on_statement,
           const OnChecked& on_line) {
  Checker checker(on_line);
  std::optional<Pairing> pairing;
  if (!checker.line("configuration", [&] {
        auto read = load_config(config);
        if (!read.pairs) {
          pairing = Pairing{.config = std::move(read)};
          return config.string() + "; primary and secondary are not paired with each other";
        }
        pairing = complete_pairing(std::move(read), on_statement);
        return config.string() + " and " + pairing->config.contract.string();
      })) {
    return checker.worst();
  }
  const bool pairs = pairing->config.pairs;
  Check all(std::move(*pairing), checker);
  if (pairs) {
    all.run();
  } else {
    all.run_on_node();
  }
  return checker.worst();
}

Code check(Pairing pairing, Outside outside, const OnChecked& on_line) {
  Checker checker(on_line);
  Check(std::move(pairing), checker).run_with_peer(outside);
  return checker.worst();
}

}  // namespace abgleich::sync
