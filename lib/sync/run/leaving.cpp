#include "sync/run/leaving.hpp"

#include "contract/words.hpp"
#include "core/clock.hpp"
#include "core/digest.hpp"
#include "db/primary/source.hpp"
#include "journal/head.hpp"
#include "journal/run_kind.hpp"
#include "sync/mapping/former_names.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/recover.hpp"
#include "sync/run/writing_run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace abgleich::sync {

namespace {

using contract::ColumnLeaves;
using contract::Generalisation;
using contract::LeavingChange;
using contract::TableLeaves;
using Json = nlohmann::ordered_json;

constexpr const char* kLeavesFact = "leaves";
constexpr std::size_t kMostNamed = 5;  // in a message; `contract diff` has them all

/// Seals with a key of the first epoch, which every later key file has, too: a rotation does not
/// change what was sealed.
contract::Seal seal_of(const mask::Keyring& keyring) {
  const auto key = keyring.until(1).purpose_key("leaves");
  return [key](std::string_view value) {
    const auto digest =
        siphash(key, {reinterpret_cast<const std::uint8_t*>(value.data()), value.size()});
    return fmt::format("{:016x}", digest);
  };
}

template <std::size_t N, class Word>
Word word_of(const Json& json, const char* name, const std::array<std::string_view, N>& words,
             Word otherwise, std::size_t first = 0) {
  if (!json.contains(name)) {
    return otherwise;
  }
  const auto position = contract::position_of(json.at(name).get<std::string>(), words);
  return position ? static_cast<Word>(*position + first) : otherwise;
}

Json json_of(const Generalisation& generalisation) {
  Json json = {{"to", contract::kGeneralisations.at(static_cast<std::size_t>(generalisation.to))},
               {"n", generalisation.n}};
  if (!generalisation.reference.empty()) {
    json["reference"] = generalisation.reference;
  }
  if (!generalisation.map.empty()) {
    json["map"] = generalisation.map;
  }
  if (generalisation.otherwise) {
    json["otherwise"] = *generalisation.otherwise;
  }
  if (!generalisation.value.empty()) {
    json["value"] = generalisation.value;
  }
  if (!generalisation.zone.empty()) {
    json["zone"] = generalisation.zone;
  }
  if (generalisation.shift_epoch != 1) {
    json["shift_epoch"] = generalisation.shift_epoch;
  }
  return json;
}

Generalisation generalisation_of(const Json& json) {
  Generalisation generalisation{
      .to = word_of(json, "to", contract::kGeneralisations, Generalisation::To::year),
      .n = json.value("n", 0),
      .reference = json.value("reference", ""),
      .value = json.value("value", ""),
      .zone = json.value("zone", ""),
      .shift_epoch = json.value("shift_epoch", 1)};
  if (json.contains("map")) {
    for (const auto& [value, out] : json.at("map").items()) {
      generalisation.map.emplace(value, out.get<std::string>());
    }
  }
  if (json.contains("otherwise")) {
    generalisation.otherwise = json.at("otherwise").get<std::string>();
  }
  return generalisation;
}

Json json_of(const ColumnLeaves& leaves) {
  Json json = {{"class", name_of(leaves.cls)}};
  if (leaves.cls == contract::Class::pseudonym) {
    json["identity"] = leaves.identity;
    json["normalise"] = name_of(leaves.normaliser);
    json["format"] = name_of(leaves.format);
  } else if (leaves.cls == contract::Class::generalise) {
    json["generalise"] = json_of(leaves.generalisation);
  }
  if (!leaves.resolves.empty()) {
    json["resolves"] = leaves.resolves;
  }
  if (!leaves.codes.empty()) {
    json["codes"] = leaves.codes;
  }
  if (leaves.on_unusable != contract::OnUnusable::hold) {
    json["on_unusable"] = contract::kOnUnusables.at(static_cast<std::size_t>(leaves.on_unusable));
  }
  return json;
}

ColumnLeaves column_of(const Json& json) {
  ColumnLeaves leaves{
      .cls = word_of(json, "class", contract::kClasses, contract::Class::withhold),
      .identity = json.value("identity", ""),
      .normaliser = word_of(json, "normalise", contract::kNormalisers, contract::Normaliser::none),
      .format = word_of(json, "format", contract::kFormats, contract::Format::automatic, 1),
      .resolves = json.value("resolves", "")};
  if (json.contains("generalise")) {
    leaves.generalisation = generalisation_of(json.at("generalise"));
  }
  leaves.on_unusable = word_of(json, "on_unusable", contract::kOnUnusables, leaves.on_unusable);
  if (json.contains("codes")) {
    leaves.codes = json.at("codes").get<std::vector<std::string>>();
  }
  return leaves;
}

Json json_of(const TableLeaves& table) {
  Json json = {{"columns", Json::object()}};
  for (const auto& [name, leaves] : table.columns) {
    json["columns"][name] = json_of(leaves);
  }
  if (!table.where.empty()) {
    json["where"] = table.where;
  }
  if (!table.was.empty()) {
    json["was"] = table.was;
  }
  if (!table.renamed.empty()) {
    json["renamed"] = table.renamed;
  }
  if (table.min_k > 0) {
    json["min_k"] = table.min_k;
    json["quasi_identifiers"] = table.quasi_identifiers;
    json["subject"] = table.subject;
  }
  return json;
}

TableLeaves table_of(const Json& json) {
  TableLeaves table;
  for (const auto& [name, leaves] : json.at("columns").items()) {
    table.columns.emplace(name, column_of(leaves));
  }
  table.where = json.value("where", "");
  table.was = json.value("was", "");
  if (json.contains("renamed")) {
    for (const auto& [name, was] : json.at("renamed").items()) {
      table.renamed.emplace(name, was.get<std::string>());
    }
  }
  table.min_k = json.value("min_k", std::int64_t{0});
  table.quasi_identifiers = json.value("quasi_identifiers", std::vector<std::string>{});
  table.subject = json.value("subject", "");
  return table;
}

constexpr std::int64_t kFirstRun = 1;

/// What the bookkeeping says of one table.
struct Recorded {
  TableLeaves leaves;
  /// What the last run went by, where `leaves` was only decided since.
  std::optional<TableLeaves> judged;
  /// The last run that let what left before leave in another way; 0: none has.
  std::int64_t since = 0;

  [[nodiscard]] const TableLeaves& gone_by() const { return judged ? *judged : leaves; }
  bool operator==(const Recorded&) const = default;
};

std::string text_of(const Recorded& recorded) {
  auto json = json_of(recorded.leaves);
  if (recorded.judged) {
    json["judged"] = json_of(*recorded.judged);
  }
  json["since"] = recorded.since;
  return json.dump();
}

Recorded recorded_in(const db::FactRow& fact) {
  try {
    const auto json = Json::parse(fact.value);
    Recorded recorded{.leaves = table_of(json), .judged = {}, .since = 0};
    if (json.contains("judged")) {
      recorded.judged = table_of(json.at("judged"));
    }
    // before it was recorded, every change may have been one
    const auto last_change = fact.epoch > kFirstRun ? fact.epoch : 0;
    recorded.since = json.value("since", last_change);
    return recorded;
  } catch (const nlohmann::json::exception&) {
    throw Failure(
        Code::integrity,
        fmt::format("what the bookkeeping says that left of table {} is damaged",
                    contract::in_quotes(fact.name)),
        "see what is damaged: abgleich verify; restore the secondary from its backup, then run: "
        "abgleich adopt --reason TEXT. Nothing was changed");
  }
}

contract::Leaving left_before(db::Target& target) {
  contract::Leaving leaving;
  if (!target.books().exist()) {
    return leaving;
  }
  for (const auto& fact : target.books().facts(kLeavesFact)) {
    leaving.emplace(fact.name, recorded_in(fact).leaves);
  }
  return leaving;
}

std::vector<LeavingChange> widenings(std::vector<LeavingChange> changes) {
  std::erase_if(changes,
                [](const LeavingChange& change) { return change.way != LeavingChange::Way::more; });
  return changes;
}

/// The primary's catalogue; empty where the contract has nothing that is compared with its names,
/// so that the primary need not be opened.
std::optional<Catalog> catalog_for_names(const Pairing& pairing) {
  if (!asks_for_names(pairing.contract)) {
    return std::nullopt;
  }
  return db::Source(pairing.config.primary, filters_of(pairing.contract)).catalog();
}

/// Keeps a `was` that was judged once, even when the contract no longer has it: it is judged once.
void keep_judged(const TableLeaves& known, TableLeaves& leaves) {
  leaves.was = leaves.was.empty() ? known.was : leaves.was;
  for (const auto& [column, was] : known.renamed) {
    if (leaves.columns.contains(column)) {
      leaves.renamed.emplace(column, was);
    }
  }
}

/// Whether a line calls the table or a column renamed, and did not before: then a name may mean
/// something else than it did.
bool names_moved(const TableLeaves& before, const TableLeaves& now) {
  const auto is_new = [&](const auto& renamed) {
    const auto known = before.renamed.find(renamed.first);
    return known == before.renamed.end() || known->second != renamed.second;
  };
  return (!now.was.empty() && now.was != before.was) || std::ranges::any_of(now.renamed, is_new);
}

bool same_rows(const TableLeaves& one, const TableLeaves& other) {
  return one.where == other.where && one.min_k == other.min_k &&
         one.quasi_identifiers == other.quasi_identifiers && one.subject == other.subject;
}

/// Whether what left before leaves in another way now, or not at all. Further columns do not
/// matter.
bool leaves_otherwise(const TableLeaves& before, const TableLeaves& now) {
  const auto is_same = [&](const auto& column) {
    const auto found = now.columns.find(column.first);
    return found != now.columns.end() && found->second == column.second;
  };
  return before.columns.empty() || !same_rows(before, now) || names_moved(before, now) ||
         !std::ranges::all_of(before.columns, is_same);
}

/// What is to be recorded of a table. `known` is null where nothing is.
Recorded next_record(const Recorded* known, TableLeaves leaves, LeavingBy by, std::int64_t epoch) {
  const TableLeaves before = known == nullptr ? TableLeaves{} : known->gone_by();
  if (known != nullptr) {
    keep_judged(known->leaves, leaves);
  }
  Recorded next{.leaves = std::move(leaves),
                .judged = {},
                .since = known == nullptr ? std::int64_t{0} : known->since};
  if (by == LeavingBy::decision) {
    if (before != next.leaves) {
      next.judged = before;
    }
  } else if (epoch > kFirstRun && leaves_otherwise(before, next.leaves)) {
    next.since = epoch;
  }
  return next;
}

std::string named(const LeavingChange& change) {
  return change.column.empty() ? change.table : fmt::format("{}.{}", change.table, change.column);
}

}  // namespace

contract::Leaving leaving_now(const Pairing& pairing, const mask::Keyring& keyring) {
  return contract::leaving_of(pairing.contract, seal_of(keyring));
}

std::vector<LeavingChange> changes_of_leaving(const Pairing& pairing, db::Target& target,
                                              const mask::Keyring& keyring, const Catalog* live) {
  std::vector<db::TrackedRow> tracked;
  std::optional<KnownFormerNames> former;
  if (asks_for_names(pairing.contract)) {
    tracked = known_tables(target);
    former.emplace(pairing.contract, pairing.accepted ? &*pairing.accepted : nullptr, live, tracked,
                   NamesThen::read(target.books(), seal_of(keyring)));
  }
  return contract::compare(left_before(target), leaving_now(pairing, keyring), pairing.contract,
                           former ? &*former : nullptr);
}

std::optional<Error> refuse_widening(const Pairing& pairing, db::Target& target,
                                     const std::optional<db::HeadRow>& head,
                                     const mask::Keyring& keyring, const Catalog& live) {
  if (!head) {
    return std::nullopt;
  }
  const auto wider = widenings(changes_of_leaving(pairing, target, keyring, &live));
  if (wider.empty()) {
    return std::nullopt;
  }
  std::vector<std::string> told;
  for (const auto& change : wider) {
    if (told.size() == kMostNamed) {
      told.push_back(fmt::format("and {} more", wider.size() - kMostNamed));
      break;
    }
    told.push_back(fmt::format("'{}' ({}; before: {})", named(change), change.now, change.before));
  }
  return Error{
      .code = Code::drift_decision,
      .message = fmt::format("the contract lets more leave than the last run did: {}",
                             fmt::join(told, ", ")),
      .hint =
          "see it: abgleich contract diff; if it is meant, write it down: abgleich contract "
          "accept --reason TEXT; then run it again. Nothing was changed"};
}

std::set<std::string> all_tables(const contract::Contract& contract) {
  std::set<std::string> names;
  for (const auto& table : contract.tables) {
    names.insert(table.name);
  }
  return names;
}

LeftBefore::LeftBefore(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring) {
  const auto now = leaving_now(pairing, keyring);
  for (const auto& fact : target.books().facts(kLeavesFact)) {
    const auto recorded = recorded_in(fact);
    since_[fact.name] = recorded.since;
    if (const auto leaves = now.find(fact.name);
        leaves != now.end() && !leaves_otherwise(recorded.gone_by(), leaves->second)) {
      same_.insert(fact.name);
    }
  }
}

bool record_leaving(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                    std::int64_t epoch, const std::set<std::string>& tables, LeavingBy by) {
  auto& books = target.books();
  std::map<std::string, db::FactRow> before;
  for (auto& fact : books.facts(kLeavesFact)) {
    auto name = fact.name;
    before.emplace(std::move(name), std::move(fact));
  }
  bool changed = false;
  std::set<std::string> kept;
  for (const auto& table : pairing.contract.tables) {
    if (!tables.contains(table.name)) {
      kept.insert({table.name, table.was});  // which of the two names it has is not decided yet
    }
  }
  for (auto& [name, leaves] : leaving_now(pairing, keyring)) {
    if (!tables.contains(name)) {
      continue;
    }
    kept.insert(name);
    const auto fact = before.find(name);
    std::optional<Recorded> known;
    if (fact != before.end()) {
      known = recorded_in(fact->second);
    }
    const auto next = next_record(known ? &*known : nullptr, std::move(leaves), by, epoch);
    if (known != next) {
      books.put_fact({.kind = kLeavesFact, .name = name, .value = text_of(next), .epoch = epoch});
      changed = true;
    }
  }
  for (const auto& [name, fact] : before) {
    if (!kept.contains(name)) {
      books.forget_fact(kLeavesFact, name);
      changed = true;
    }
  }
  return changed;
}

void remember_names(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                    const Catalog& live, std::int64_t epoch) {
  record_names(target.books(), seal_of(keyring), pairing.contract, live, epoch);
}

LeavingReport compare_leaving(const Pairing& pairing) {
  const auto keyring = read_keyring(pairing.config);
  db::Target target(pairing.config.secondary, db::Mode::dry);
  const auto head = open_books(pairing, target, keyring, {});
  if (!head) {
    return {.first = true, .changes = changes_of_leaving(pairing, target, keyring, nullptr)};
  }
  const auto live = catalog_for_names(pairing);
  return {.changes = changes_of_leaving(pairing, target, keyring, live ? &*live : nullptr)};
}

Accepted accept_leaving(const Pairing& pairing, const std::string& reason) {
  const WritingRun frame(pairing);
  return frame.attempts([&]() -> Accepted {
    RunAttempt run(frame, now_utc());
    auto& target = run.target();
    const auto& head = run.look();
    check_books(target, head);
    if (!head) {
      return {.report = {.first = true}};
    }
    const auto live = catalog_for_names(pairing);
    Accepted accepted{.report = {.changes = changes_of_leaving(pairing, target, frame.keyring(),
                                                               live ? &*live : nullptr)}};
    if (widenings(accepted.report.changes).empty()) {
      return accepted;
    }
    (void)record_leaving(pairing, target, frame.keyring(), run.epoch(),
                         all_tables(pairing.contract), LeavingBy::decision);
    if (live) {
      remember_names(pairing, target, frame.keyring(), *live, run.epoch());
    }
    accepted.run = run.commit({.kind = journal::RunKind::accept, .reason = reason, .counts = "{}"});
    return accepted;
  });
}

}  // namespace abgleich::sync
