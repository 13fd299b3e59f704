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
      .format = word_of(json, "format", contract::kFormats, contract::Format::automatic, 1)};
  if (json.contains("generalise")) {
    leaves.generalisation = generalisation_of(json.at("generalise"));
  }
  leaves.on_unusable = word_of(json, "on_unusable", contract::kOnUnusables, leaves.on_unusable);
  if (json.contains("codes")) {
    leaves.codes = json.at("codes").get<std::vector<std::string>>();
  }
  return leaves;
}

std::string text_of(const TableLeaves& table) {
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
  return json.dump();
}

TableLeaves table_of(const db::FactRow& fact) {
  TableLeaves table;
  try {
    const auto json = Json::parse(fact.value);
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
  } catch (const nlohmann::json::exception&) {
    throw Failure(
        Code::integrity,
        fmt::format("what the bookkeeping says that left of table {} is damaged",
                    contract::in_quotes(fact.name)),
        "see what is damaged: abgleich verify; restore the secondary from its backup, then run: "
        "abgleich adopt --reason TEXT. Nothing was changed");
  }
  return table;
}

contract::Leaving left_before(db::Target& target) {
  contract::Leaving leaving;
  if (!target.books().exist()) {
    return leaving;
  }
  for (const auto& fact : target.books().facts(kLeavesFact)) {
    leaving.emplace(fact.name, table_of(fact));
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

/// Whether the same rows and columns leave, in the same form. By which names they were called
/// before decides nothing here.
bool same_leaves(const TableLeaves& one, const TableLeaves& other) {
  return one.columns == other.columns && one.where == other.where && one.min_k == other.min_k &&
         one.quasi_identifiers == other.quasi_identifiers && one.subject == other.subject;
}

/// Puts back what leaves less now: only the next run, which decides anew about every conflict, can
/// record that.
void keep_what_is_less(const std::vector<LeavingChange>& changes, const contract::Leaving& before,
                       contract::Leaving& leaving) {
  const auto rows_leave_more = [&](const std::string& table) {
    return std::ranges::any_of(changes, [&](const LeavingChange& change) {
      return change.table == table && change.column.empty() &&
             change.way == LeavingChange::Way::more;
    });
  };
  for (const auto& change : changes) {
    const auto was = before.find(change.table);
    const auto now = leaving.find(change.table);
    if (change.way != LeavingChange::Way::less || was == before.end() || now == leaving.end()) {
      continue;
    }
    if (const auto column = was->second.columns.find(change.column);
        column != was->second.columns.end()) {
      now->second.columns.insert_or_assign(column->first, column->second);
    } else if (change.column.empty() && !rows_leave_more(change.table)) {
      now->second.where = was->second.where;
      now->second.min_k = was->second.min_k;
      now->second.quasi_identifiers = was->second.quasi_identifiers;
      now->second.subject = was->second.subject;
    }
  }
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

std::set<std::string> tables_as_judged(const Pairing& pairing, db::Target& target,
                                       const mask::Keyring& keyring) {
  const auto before = left_before(target);
  std::set<std::string> tables;
  for (const auto& [name, leaves] : leaving_now(pairing, keyring)) {
    if (const auto was = before.find(name);
        was != before.end() && same_leaves(was->second, leaves)) {
      tables.insert(name);
    }
  }
  return tables;
}

bool record_leaving(const Pairing& pairing, db::Target& target, contract::Leaving leaving,
                    std::int64_t epoch, const std::set<std::string>& tables) {
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
  for (auto& [name, leaves] : leaving) {
    if (!tables.contains(name)) {
      continue;
    }
    kept.insert(name);
    const auto known = before.find(name);
    if (known != before.end()) {
      keep_judged(table_of(known->second), leaves);
    }
    auto text = text_of(leaves);
    if (known == before.end() || known->second.value != text) {
      books.put_fact({.kind = kLeavesFact, .name = name, .value = std::move(text), .epoch = epoch});
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
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
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
    auto leaving = leaving_now(pairing, frame.keyring());
    keep_what_is_less(accepted.report.changes, left_before(target), leaving);
    (void)record_leaving(pairing, target, std::move(leaving), run.epoch(),
                         all_tables(pairing.contract));
    if (live) {
      remember_names(pairing, target, frame.keyring(), *live, run.epoch());
    }
    accepted.run = run.commit({.kind = journal::RunKind::accept, .reason = reason, .counts = "{}"});
    return accepted;
  });
}

}  // namespace abgleich::sync
