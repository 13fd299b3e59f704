#include "sync/leaving.hpp"

#include "contract/words.hpp"
#include "core/digest.hpp"
#include "db/retry.hpp"
#include "journal/head.hpp"
#include "journal/state.hpp"
#include "sync/books_key.hpp"
#include "sync/commit.hpp"
#include "sync/recover.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace abgleich::sync {

namespace {

using contract::ColumnLeaves;
using contract::Generalisation;
using contract::LeavingChange;
using contract::TableLeaves;
using Json = nlohmann::ordered_json;

constexpr const char* kKind = "leaves";
constexpr std::size_t kMostNamed = 5;  // in a message; `contract diff` has them all

/// With a key of the first epoch, which every later key file has, too: what is sealed stays the
/// same over rotations.
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
  for (const auto& fact : target.books().facts(kKind)) {
    leaving.emplace(fact.name, table_of(fact));
  }
  return leaving;
}

std::vector<LeavingChange> widenings(std::vector<LeavingChange> changes) {
  std::erase_if(changes,
                [](const LeavingChange& change) { return change.way != LeavingChange::Way::more; });
  return changes;
}

std::string named(const LeavingChange& change) {
  return change.column.empty() ? change.table : fmt::format("{}.{}", change.table, change.column);
}

}  // namespace

contract::Leaving leaving_now(const Pairing& pairing, const mask::Keyring& keyring) {
  return contract::leaving_of(pairing.contract, seal_of(keyring));
}

std::vector<LeavingChange> changes_of_leaving(const Pairing& pairing, db::Target& target,
                                              const mask::Keyring& keyring) {
  return contract::compare(left_before(target), leaving_now(pairing, keyring), pairing.contract,
                           pairing.accepted ? &*pairing.accepted : nullptr);
}

std::optional<Error> refuse_widening(const Pairing& pairing, db::Target& target,
                                     const std::optional<db::HeadRow>& head,
                                     const mask::Keyring& keyring) {
  if (!head) {
    return std::nullopt;
  }
  const auto wider = widenings(changes_of_leaving(pairing, target, keyring));
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

bool record_leaving(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                    std::int64_t epoch, const std::set<std::string>& tables) {
  auto& books = target.books();
  std::map<std::string, std::string> before;
  for (auto& fact : books.facts(kKind)) {
    before.emplace(fact.name, std::move(fact.value));
  }
  bool changed = false;
  std::set<std::string> kept;
  for (const auto& table : pairing.contract.tables) {
    if (!tables.contains(table.name)) {
      kept.insert({table.name, table.was});  // under which name it goes on is not decided yet
    }
  }
  for (const auto& [name, leaves] : leaving_now(pairing, keyring)) {
    if (!tables.contains(name)) {
      continue;
    }
    kept.insert(name);
    auto text = text_of(leaves);
    const auto known = before.find(name);
    if (known == before.end() || known->second != text) {
      books.put_fact({.kind = kKind, .name = name, .value = std::move(text), .epoch = epoch});
      changed = true;
    }
  }
  for (const auto& [name, value] : before) {
    if (!kept.contains(name)) {
      books.forget_fact(kKind, name);
      changed = true;
    }
  }
  return changed;
}

LeavingReport compare_leaving(const Pairing& pairing) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  db::Target target(pairing.config.secondary, db::Mode::dry);
  const auto head = open_books(pairing, target, keyring, {});
  if (!head) {
    return {
        .first = true,
        .changes = contract::compare({}, leaving_now(pairing, keyring), pairing.contract, nullptr)};
  }
  return {.changes = changes_of_leaving(pairing, target, keyring)};
}

Accepted accept_leaving(const Pairing& pairing, const std::string& reason) {
  const auto keyring = mask::Keyring::read(pairing.config.key_file);
  const journal::StateLock lock(pairing.config.state_directory);
  expect_unlatched(pairing, keyring);
  return db::with_retries({.in_all = pairing.config.retry_for}, [&]() -> Accepted {
    const auto started = journal::now_utc();
    db::Target target(pairing.config.secondary, db::Mode::real);
    const auto head = open_books(pairing, target, keyring, {.lock = db::Books::Lock::row});
    check_books(target, head);
    if (!head) {
      return {.report = {.first = true}};
    }
    Accepted accepted{.report = {.changes = changes_of_leaving(pairing, target, keyring)}};
    if (widenings(accepted.report.changes).empty()) {
      return accepted;
    }
    (void)record_leaving(pairing, target, keyring, head->epoch + 1, all_tables(pairing.contract));
    accepted.run =
        commit_run(pairing, target, head, head->key_check, head->primary_id,
                   {.kind = "accept", .started = started, .reason = reason, .counts = "{}"});
    return accepted;
  });
}

}  // namespace abgleich::sync
