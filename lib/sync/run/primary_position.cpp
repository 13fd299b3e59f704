#include "sync/run/primary_position.hpp"

#include "core/shallow_json.hpp"
#include "journal/head.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace abgleich::sync {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kPrimaryFact = "primary";
constexpr const char* kPrimaryFactName = "position";

constexpr const char* kTimeline = "timeline";
constexpr const char* kWal = "wal";
constexpr const char* kNext = "next";
constexpr const char* kChanges = "changes";
constexpr const char* kSequences = "sequences";

/// If the log has grown by fewer bytes, the anchor is not written again.
constexpr std::uint64_t kNoticeable = std::uint64_t{16} << 20U;

/// Hides numbers that can be keys of the primary: they are never stored as they are, nor in a way
/// in which two of them could be compared. Its key is of the first epoch, so that a rotation
/// changes nothing.
class Hiding {
 public:
  explicit Hiding(const mask::Keyring& keyring) : key_(keyring.until(1).purpose_key("position")) {}

  [[nodiscard]] std::string hidden(std::uint64_t number) const {
    return db::hidden_number(number, *key_);
  }
  /// 0 where `hidden` has not made the text.
  [[nodiscard]] std::uint64_t revealed(std::string_view text) const {
    return db::revealed_number(text, *key_).value_or(0);
  }

 private:
  LockedSipKey key_;
};

std::string text_of(const db::Position& position, const Hiding& hiding) {
  Json json = Json::object();
  const auto put = [&](const char* name, std::uint64_t number) {
    if (number != 0) {
      json[name] = number;
    }
  };
  put(kTimeline, position.timeline);
  put(kWal, position.wal);
  put(kNext, position.next);
  put(kChanges, position.changes);
  for (const auto& [table, last] : position.sequences) {
    json[kSequences][table] = hiding.hidden(last);
  }
  return json.dump();
}

/// Numbers that are missing, or not of the form that `text_of` writes, are not known.
db::Position position_from(std::string_view text, const Hiding& hiding) {
  db::Position position;
  const auto json = parse_shallow<Json>(text);
  if (!json.is_object()) {
    return position;
  }
  const auto get = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
  };
  position.timeline = get(kTimeline);
  position.wal = get(kWal);
  position.next = get(kNext);
  position.changes = get(kChanges);
  if (const auto found = json.find(kSequences); found != json.end() && found->is_object()) {
    for (const auto& [table, last] : found->items()) {
      if (last.is_string()) {
        position.sequences[table] = hiding.revealed(last.get_ref<const std::string&>());
      }
    }
  }
  return position;
}

std::string kept_text(db::Target& target) {
  const auto fact = target.books().find_fact(kPrimaryFact, kPrimaryFactName);
  return fact ? fact->value : std::string();
}

/// Leaves only the sequences of tables that the contract names.
db::Position named_only(const Pairing& pairing, db::Position position) {
  std::erase_if(position.sequences, [&](const auto& sequence) {
    return pairing.contract.find_table(sequence.first) == nullptr;
  });
  return position;
}

/// `lasting`, and for numbers that it does not know, those of `kept`.
db::Position advanced(const db::Position& kept, db::Position lasting) {
  const auto keep = [](std::uint64_t before, std::uint64_t& now) { now = now == 0 ? before : now; };
  keep(kept.timeline, lasting.timeline);
  keep(kept.wal, lasting.wal);
  keep(kept.next, lasting.next);
  keep(kept.changes, lasting.changes);
  lasting.standby = false;  // not kept
  return lasting;
}

bool noticeable(const db::Position& kept, const db::Position& now) {
  return now.timeline != kept.timeline || now.wal >= kept.wal + kNoticeable ||
         now.changes != kept.changes || now.sequences != kept.sequences;
}

}  // namespace

void expect_primary(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                    const std::optional<db::HeadRow>& head, const DatabaseIdentity& identity,
                    const db::Position& position) {
  journal::check_primary(head, journal::primary_id(identity));
  if (!head || pairing.config.made_anew) {
    return;
  }
  const auto anchor = state::read_anchor(pairing.config.state_directory);
  // an anchor of another head may have the position of a primary that a person has replaced since
  const bool witnessed = anchor && journal::stands_at(*head, *anchor) && !anchor->primary.empty();
  const auto then = position_from(witnessed ? anchor->primary : kept_text(target), Hiding(keyring));
  journal::check_position(position, then, identity.engine);
}

void keep_position(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                   const db::Position& lasting, From from) {
  const Hiding hiding(keyring);
  const auto text = kept_text(target);
  const auto before = position_from(text, hiding);
  const auto now =
      advanced(from == From::anew ? db::Position{} : before, named_only(pairing, lasting));
  if (text.empty() || now != before) {
    target.books().put_fact({.kind = kPrimaryFact,
                             .name = kPrimaryFactName,
                             .value = text_of(now, hiding),
                             .epoch = target.books().next_epoch()});
  }
}

void witness_position(const Pairing& pairing, db::Target& target, const mask::Keyring& keyring,
                      const db::HeadRow& head, const db::Position& lasting) {
  const auto& directory = pairing.config.state_directory;
  auto anchor = state::read_anchor(directory);
  if (!anchor || !journal::stands_at(head, *anchor)) {
    anchor = anchor_of(target, head);
  }
  const Hiding hiding(keyring);
  const auto before = position_from(anchor->primary, hiding);
  const auto now = advanced(before, named_only(pairing, lasting));
  if (noticeable(before, now)) {
    anchor->primary = text_of(now, hiding);
    state::write_anchor(directory, *anchor);
  }
}

state::Anchor anchor_of(db::Target& target, const db::HeadRow& head) {
  return {.lineage = head.lineage,
          .epoch = head.epoch,
          .hash = head.hash,
          .primary = kept_text(target),
          .secondary = target.identity()};
}

}  // namespace abgleich::sync
