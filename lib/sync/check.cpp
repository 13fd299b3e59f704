#include "sync/check.hpp"

#include "db/source.hpp"
#include "db/target.hpp"
#include "mask/keyring.hpp"
#include "sync/exported.hpp"
#include "sync/low_entropy.hpp"
#include "sync/recover.hpp"
#include "sync/schema.hpp"
#include "sync/unknown_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
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

  [[nodiscard]] Code worst() const { return worst_; }

 private:
  const std::function<void(const Checked&)>& on_line_;
  Code worst_ = Code::done;
};

std::string describe(const Catalog& catalog, std::string_view url) {
  return fmt::format("{} {}, {} tables, {}", name_of(catalog.identity.engine),
                     catalog.identity.version, catalog.tables.size(), url);
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
    if (!unique) {
      loose += (loose.empty() ? "" : ", ") + table.name;
    }
  }
  return loose.empty() ? "every table's key is unique in the primary"
                       : "no constraint of the primary makes the key unique of: " + loose;
}

}  // namespace

Code check(const std::filesystem::path& config,
           const std::function<void(const Checked&)>& on_line) {
  Checker checker(on_line);
  std::optional<Pairing> pairing;
  if (!checker.line("configuration", [&] {
        pairing = load_pairing(config);
        return config.string() + " and " + pairing->config.contract.string();
      })) {
    return checker.worst();
  }
  checker.line("accepted catalogue", [&]() -> std::string {
    return pairing->accepted ? pairing->config.catalog.string()
                             : "none yet, so drift cannot be seen; run: abgleich drift accept";
  });
  std::optional<mask::Keyring> keyring;
  checker.line("key", [&] {
    keyring = mask::Keyring::read(pairing->config.key_file);
    return fmt::format("epoch {}, check value {}", keyring->epoch(), keyring->check_value());
  });
  std::optional<Catalog> primary;
  checker.line("primary", [&] {
    db::Source source(pairing->config.primary);
    primary = source.catalog();
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
    checker.line("keys of the tables", [&] { return keys_text(pairing->contract, *primary); });
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
      if (const auto head =
              recover(*pairing, target, *keyring, primary->identity, report::Run::dry)) {
        at = fmt::format(", at run {}", head->run);
      }
      refuse_same_database(*pairing, *primary, target);
      const auto tracked = known_tables(target);
      refuse_unknown_names(*pairing, *primary, target, tracked);
      auto tables = export_tables(pairing->contract, *primary, *events, tracked, *keyring);
      check_schema(*pairing, target, tables);
      (void)bring_schema(*pairing, target, tables, report::Run::dry);
    }
    return describe(target.catalog(), pairing->config.secondary.url) + at;
  });
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
