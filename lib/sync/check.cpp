#include "sync/check.hpp"

#include "contract/guess.hpp"
#include "db/source.hpp"
#include "db/target.hpp"
#include "db/wire.hpp"
#include "mask/keyring.hpp"
#include "sync/contract_advice.hpp"
#include "sync/exported.hpp"
#include "sync/lay_down.hpp"
#include "sync/leaving.hpp"
#include "sync/low_entropy.hpp"
#include "sync/many_texts.hpp"
#include "sync/outgoing_row.hpp"
#include "sync/recover.hpp"
#include "sync/references.hpp"
#include "sync/schema.hpp"
#include "sync/secondary_drift.hpp"
#include "sync/settle_identities.hpp"
#include "sync/unknown_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unistd.h>
#include <utility>

namespace abgleich::sync {

namespace {

constexpr std::uintmax_t kLittleSpace = 100U << 20U;  // 100 MiB: an intent and an anchor always fit

class Checker {
 public:
  explicit Checker(const std::function<void(const Checked&)>& on_line) : on_line_(on_line) {}

  /// Runs one check; its text is what was found. Returns whether it passed.
  template <class Check>
  bool line(const std::string& what, const Check& check) {
    Checked checked{.what = what};
    try {
      checked.result = check();
    } catch (const Failure& failure) {
      checked.result = failure.error().message;
      checked.code = failure.error().code;
      checked.hint = failure.error().hint;
    }
    worst_ = severer(worst_, checked.code);
    on_line_(checked);
    return checked.code == Code::done;
  }

  /// Something that is no failure, and that somebody has to look at all the same.
  void warn(std::string what, std::string result, std::string hint) {
    on_line_({.what = std::move(what),
              .result = std::move(result),
              .warning = true,
              .hint = std::move(hint)});
  }

  [[nodiscard]] Code worst() const { return worst_; }

 private:
  const std::function<void(const Checked&)>& on_line_;
  Code worst_ = Code::done;
};

std::string describe(const Catalog& catalog, std::string_view url) {
  return fmt::format("{} {}, {} tables, {}", name_of(catalog.identity.engine),
                     catalog.identity.version, catalog.tables.size(), url);
}

/// Throws Failure for what people have done to the secondary's columns.
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

/// Tables whose key the primary does not guarantee: a duplicate would be held back row by row.
std::string keys_text(const contract::Contract& contract, const Catalog& primary) {
  std::string loose;
  for (const auto& table : contract.tables) {
    const auto* found = primary.find_table(table.name);
    if (found == nullptr) {
      continue;
    }
    const auto same = [&](const CatalogKey& key) { return key.columns == table.key; };
    bool unique = found->primary_key && same(*found->primary_key);
    for (const auto& key : found->uniques) {
      unique = unique || same(key);
    }
    if (!unique || found->heirs || found->kind == TableKind::foreign) {
      loose += (loose.empty() ? "" : ", ") + table.name;
    }
  }
  return loose.empty() ? "every table's key is unique in the primary"
                       : "no constraint of the primary makes the key unique of: " + loose;
}

/// Whose swap is encrypted, or who has none, need not mind.
std::string locked_text() {
  if (memory_is_locked()) {
    return "locked: they are never swapped";
  }
  throw Failure(Code::quarantine_or_drift,
                "it cannot be locked (mlock), so keys can be written to the swap",
                "raise the limit: LimitMEMLOCK=64M in the unit, memlock in "
                "/etc/security/limits.conf; or encrypt the swap");
}

/// Columns of keys of which the secondary takes more for equal than the same bytes; empty: none.
std::string folds_text(const std::vector<ExportedTable>& tables) {
  std::string folding;
  for (const auto& exported : tables) {
    for (const auto i : exported.relation.key) {
      const auto& column = exported.relation.columns[i];
      if (column.equality.by != db::Equality::By::bytes || column.held.padded) {
        folding += fmt::format("{}'{}.{}'", folding.empty() ? "" : ", ", exported.relation.name,
                               column.name);
      }
    }
  }
  return folding.empty() ? folding
                         : fmt::format(
                               "{} takes different keys for the same (capitals, accents or "
                               "blanks, by its collation or type): of rows that differ in "
                               "nothing else one comes, the others are told",
                               folding);
}

/// What a look at the secondary's own tables found.
struct Found {
  std::string folds;
  std::string strangers;
};

}  // namespace

Code check(const std::filesystem::path& config, const OnStatement& on_statement,
           const std::function<void(const Checked&)>& on_line) {
  Checker checker(on_line);
  std::optional<Pairing> pairing;
  if (!checker.line("configuration", [&] {
        pairing = load_pairing(config, contract::Trust::needed, on_statement);
        return config.string() + " and " + pairing->config.contract.string();
      })) {
    return checker.worst();
  }
  checker.line("accepted catalogue", [&]() -> std::string {
    return pairing->accepted ? pairing->config.catalog.string()
                             : "none; the first sync takes the schema as it is then";
  });
  std::optional<mask::Keyring> keyring;
  checker.line("key", [&] {
    keyring = mask::Keyring::read(pairing->config.key_file);
    return fmt::format("epoch {}, check value {}", keyring->epoch(), keyring->check_value());
  });
  for (const auto& endpoint : {pairing->config.primary, pairing->config.secondary}) {
    if (auto weakness = db::wire_weakness(endpoint); !weakness.empty()) {
      checker.warn(fmt::format("wire of the {}", name_of(endpoint.role)), std::move(weakness),
                   "leave sslmode out, or write sslmode=verify-full");
    }
  }
  std::optional<Catalog> primary;
  db::Position position;
  checker.line("primary", [&] {
    db::Source source(pairing->config.primary);
    primary = source.catalog();
    position = source.position();
    return describe(*primary, pairing->config.primary.url);
  });
  std::optional<std::vector<drift::Event>> events;
  if (primary && keyring) {
    checker.line("pseudonyms", [&] {
      db::Source source(pairing->config.primary);
      expect_entropy(low_entropy_columns(pairing->contract, *primary, source, *keyring));
      return std::string("none hides too few values");
    });
  }
  if (primary) {
    std::set<std::string> doubted;
    const auto warn_of = [&](const std::vector<contract::Doubt>& doubts) {
      for (const auto& doubt : doubts) {
        if (doubted.insert(fmt::format("column {}.{}", doubt.table, doubt.column)).second) {
          checker.warn(fmt::format("column {}.{}", doubt.table, doubt.column), doubt.why,
                       doubt.hint);
        }
      }
    };
    warn_of(contract::doubtful_columns(pairing->contract, *primary));
    if (keyring) {
      checker.line("texts", [&] {
        db::Source source(pairing->config.primary);
        const auto many = columns_of_many_texts(pairing->contract, *primary, source, *keyring);
        warn_of(many);
        return std::string(many.empty()
                               ? "those that leave are of few kinds, or the contract says why"
                               : "some that leave look like names or free text");
      });
    }
    if (shifts_dates(pairing->contract)) {
      checker.line("shifted dates", [&] {
        refuse_record_dates(pairing->contract, *primary);
        return std::string("none says when something was done, or the contract says why");
      });
    }
    if (const auto why = zoneless_text(pairing->contract, *primary); !why.empty()) {
      checker.line("time zones", [&] { return why; });
    }
    if (const auto loose = loose_references_text(pairing->contract, *primary); !loose.empty()) {
      checker.line("foreign keys", [&] { return loose; });
    }
    checker.line("keys of the tables", [&] {
      db::Source source(pairing->config.primary);
      const auto reused = reused_keys_text(pairing->contract, *primary, source);
      return keys_text(pairing->contract, *primary) + (reused.empty() ? "" : "; " + reused);
    });
    checker.line("contract and primary", [&]() -> std::string {
      events = drift_events(*pairing, *primary);
      if (events->empty()) {
        return pairing->accepted ? "they fit; no drift" : "they fit";
      }
      const bool blocked = std::ranges::any_of(*events, [](const drift::Event& event) {
        return event.verdict == drift::Verdict::block;
      });
      throw Failure(
          blocked ? Code::drift_decision : Code::quarantine_or_drift,
          fmt::format(
              "{} drifted; {}",
              events->size() == 1 ? "1 thing has" : fmt::format("{} things have", events->size()),
              blocked ? "tables are blocked until that is decided" : "no table is blocked"),
          "look at it: abgleich drift");
    });
  }
  std::optional<Found> found;
  std::optional<Error> wider;
  checker.line("secondary", [&] {
    db::Target target(pairing->config.secondary, db::Mode::dry);
    target.load_catalog();
    const auto& file = pairing->config.secondary.file;
    if (!file.empty() &&
        (::access(file.c_str(), W_OK) != 0 || ::access(file.parent_path().c_str(), W_OK) != 0)) {
      throw Failure(
          Code::secondary_refuses,
          fmt::format("the secondary '{}' or its directory cannot be written", file.string()),
          "make both writable for this user: SQLite keeps its journal beside the file");
    }
    std::string at;
    if (primary && keyring && events) {
      const auto head =
          recover(*pairing, target, *keyring, {.identity = primary->identity, .position = position},
                  report::Run::dry);
      if (head) {
        at = fmt::format(", at run {}", head->run);
        if (const auto tables = tables_out_of_order(target.books()); !tables.empty()) {
          at += fmt::format(
              "; where rows lie tells the primary's order in {}; lay them down anew: abgleich "
              "verify --lay-down-anew",
              fmt::join(tables, ", "));
        }
      }
      wider = refuse_widening(*pairing, target, head, *keyring);
      refuse_same_database(*pairing, *primary, target);
      const auto tracked = known_tables(target);
      refuse_unknown_names(*pairing, *primary, target, tracked);
      const auto settled = settle_identities(*pairing, *primary, tracked);
      auto tables = export_tables(settled.contract, *primary, *events, tracked, *keyring);
      const auto changed = find_secondary_drift(settled, target, {}, tables);
      check_schema(settled, target, tables);
      (void)bring_schema(settled, target, tables, report::Run::dry);
      std::vector<db::Relation> relations;
      for (const auto& exported : tables) {
        relations.push_back(exported.relation);
      }
      found = Found{.folds = folds_text(tables),
                    .strangers = fmt::format("{}", fmt::join(target.strangers(relations), "; "))};
      tell_of(changed);
    }
    return describe(target.catalog(), pairing->config.secondary.url) + at;
  });
  if (keyring) {  // and by now what comes of it
    checker.line("memory for keys", [] { return locked_text(); });
  }
  if (found && !found->folds.empty()) {
    checker.line("keys in the secondary", [&] { return found->folds; });
  }
  if (found && !found->strangers.empty()) {
    checker.line("others in the secondary", [&] { return found->strangers; });
  }
  if (wider) {
    checker.line("what leaves", [&]() -> std::string { throw Failure(*wider); });
  }
  checker.line("sizes", [] { return largest_row_text(); });
  checker.line("disk", [&] {
    auto directory = pairing->config.state_directory;
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
  return checker.worst();
}

}  // namespace abgleich::sync
