// The chain of runs and its head, and whether secondary, primary and key are those of the last run.
#pragma once

#include "core/catalog.hpp"
#include "db/bookkeeping/books.hpp"
#include "db/engine/position.hpp"
#include "state/anchor.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::journal {

/// "postgresql:SYSTEM:DATABASE", or "sqlite" where a database has no identity of its own.
std::string primary_id(const DatabaseIdentity& identity);

/// A fresh lineage: 128 random bits as hexadecimal.
std::string new_lineage();

bool stands_at(const db::HeadRow& head, const state::Anchor& anchor);

/// What else `check_secondary` may ask, where the head alone does not tell which secondary it is.
struct Here {
  std::function<std::string()> identity;  // which database; empty: not known
  /// The hash of one of its runs; empty where it does not have that run.
  std::function<std::string(std::int64_t epoch)> hash_of;
  bool alone = false;  // see Config::alone
};

/// Refuses (Failure{other_secondary}) a secondary that is not the one that the anchor witnessed:
/// restored from a backup, forked, emptied, or a copy that has gone on by itself. `intent` is what
/// an interrupted run was about to commit: then both states are right.
void check_secondary(const std::optional<db::HeadRow>& head,
                     const std::optional<state::Anchor>& anchor,
                     const std::optional<state::Anchor>& intent, const Here& here);

/// Refuses (Failure{other_primary}) another database than the one that the last run read.
void check_primary(const std::optional<db::HeadRow>& head, const std::string& primary_id);

/// Refuses a primary that lacks something that it had when the last run read it: an older copy of
/// its files (Failure{other_primary}), a standby that lags (Failure{source_incomplete}).
void check_position(const db::Position& now, const db::Position& then, Engine engine);

/// Refuses (Failure{key_or_trust}) another key than the one that the last run used.
void check_key(const std::optional<db::HeadRow>& head, std::string_view key_check);

/// Fills in previous, hash and id of a run, chained to the head before: SHA-256 over the lineage
/// and every field of the run. The id is "r", the epoch, "-" and the hash's first eight digits.
void chain(const std::optional<db::HeadRow>& head, std::string_view lineage, db::RunRow& run);

}  // namespace abgleich::journal
