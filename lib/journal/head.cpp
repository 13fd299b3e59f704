#include "journal/head.hpp"

#include "core/error.hpp"
#include "core/hex.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>

namespace abgleich::journal {

namespace {

/// Length-prefixed, so that no two sequences of fields have the same bytes.
void absorb(crypto_hash_sha256_state& state, std::string_view field) {
  const auto prefix = fmt::format("{}:", field.size());
  crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(prefix.data()),
                            prefix.size());
  crypto_hash_sha256_update(&state, reinterpret_cast<const unsigned char*>(field.data()),
                            field.size());
}

}  // namespace

std::string primary_id(const DatabaseIdentity& identity) {
  if (identity.system.empty()) {
    return std::string(name_of(identity.engine));
  }
  return fmt::format("{}:{}:{}", name_of(identity.engine), identity.system, identity.database);
}

bool stands_at(const db::HeadRow& head, const state::Anchor& anchor) {
  return head.lineage == anchor.lineage && head.epoch == anchor.epoch && head.hash == anchor.hash;
}

std::string new_lineage() {
  std::array<unsigned char, 16> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return hex(bytes);
}

namespace {

[[noreturn]] void other_secondary(const std::string& message) {
  throw Failure(Code::other_secondary, "this is not the secondary as it was: " + message,
                "if it was restored or replaced on purpose, run: abgleich adopt --reason TEXT. "
                "Nothing was changed");
}

/// Checks a secondary that is at a later run than the anchor. Another machine may have gone on with
/// it; or somebody has a copy and has gone on with that.
void check_successor(const db::HeadRow& head, const state::Anchor& anchor, const Here& here) {
  if (here.alone) {
    other_secondary(
        fmt::format("it stands at run {}, which this machine does not know: its state "
                    "is an older copy",
                    head.run));
  }
  if (here.hash_of(anchor.epoch) != anchor.hash) {
    other_secondary(
        fmt::format("it stands at run {}, and its run of epoch {} is not the one that was seen "
                    "last: the two have parted before that",
                    head.run, anchor.epoch));
  }
  const auto identity = here.identity();
  if (!anchor.secondary.empty() && !identity.empty() && anchor.secondary != identity) {
    other_secondary(
        fmt::format("it is a copy in another place, and has gone on to run {} there", head.run));
  }
}

}  // namespace

void check_secondary(const std::optional<db::HeadRow>& head,
                     const std::optional<state::Anchor>& anchor,
                     const std::optional<state::Anchor>& intent, const Here& here) {
  if (!anchor && !intent) {
    return;  // no run was recorded here yet
  }
  if (head && ((anchor && stands_at(*head, *anchor)) || (intent && stands_at(*head, *intent)))) {
    return;
  }
  if (!head && !anchor) {
    return;  // the very first run was interrupted before its commit
  }
  if (head && anchor && head->lineage == anchor->lineage && head->epoch > anchor->epoch) {
    check_successor(*head, *anchor, here);
    return;
  }
  const auto now = head ? fmt::format("stands at run {} of epoch {}", head->run, head->epoch)
                        : std::string("has no history");
  other_secondary(fmt::format("it {}, but was last seen at epoch {}", now,
                              anchor ? anchor->epoch : intent->epoch));
}

void check_position(const db::Position& now, const db::Position& then, Engine engine) {
  if (!db::behind(now, then)) {
    return;
  }
  if (now.standby) {
    throw Failure(Code::source_incomplete,
                  "the primary is a standby that lags: it does not have everything yet that was "
                  "read before",
                  "wait until it has caught up, then run: abgleich sync. Nothing was changed");
  }
  if (traits(engine).is_file) {
    throw Failure(
        Code::other_primary,
        "this is not the primary as it was: its file is behind what was read before, as an older "
        "copy is, or one that was made anew",
        "if that is on purpose, run: abgleich adopt --reason TEXT; what it has lost counts as "
        "deleted then. Where every delivery is a new file, write made_anew = true below [primary] "
        "in abgleich.toml. Nothing was changed");
  }
  throw Failure(Code::other_primary,
                "this is not the primary as it was: it is behind what was read before, as an older "
                "copy of its files is",
                "if it was restored on purpose, run: abgleich adopt --reason TEXT; what it has "
                "lost counts as deleted then. Nothing was changed");
}

void check_primary(const std::optional<db::HeadRow>& head, const std::string& primary_id) {
  if (!head || head->primary_id == primary_id) {
    return;
  }
  throw Failure(
      Code::other_primary, "this is not the primary as it was: the last run read another database",
      "if it was restored or moved on purpose, run: abgleich adopt --reason TEXT. Nothing "
      "was changed");
}

void check_key(const std::optional<db::HeadRow>& head, std::string_view key_check) {
  if (!head || head->key_check == key_check) {
    return;
  }
  throw Failure(
      Code::key_or_trust, "the key file is not the one that made this secondary's pseudonyms",
      "put the right key file back ([keys] file in abgleich.toml), then run: abgleich keys "
      "check. Nothing was changed");
}

void chain(const std::optional<db::HeadRow>& head, std::string_view lineage, db::RunRow& run) {
  run.previous = head ? head->hash : "";
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  const auto epoch = std::to_string(run.epoch);
  for (const std::string_view field :
       {lineage, std::string_view(epoch), std::string_view(run.previous),
        std::string_view(run.kind), std::string_view(run.started), std::string_view(run.finished),
        std::string_view(run.operator_),
        run.reason ? std::string_view(*run.reason) : std::string_view(),
        std::string_view(run.counts), std::string_view(run.nonce), std::string_view(run.deeds)}) {
    absorb(state, field);
  }
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256_final(&state, digest.data());
  run.hash = hex(digest);
  run.id = fmt::format("r{}-{}", run.epoch, run.hash.substr(0, 8));
}

}  // namespace abgleich::journal
