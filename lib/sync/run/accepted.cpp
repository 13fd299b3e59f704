#include "sync/run/accepted.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "core/shallow_json.hpp"
#include "drift/carry_over.hpp"
#include "drift/catalog_file.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sodium.h>

#include <array>
#include <filesystem>
#include <string>

namespace abgleich::sync {

namespace {

constexpr const char* kCatalogueFact = "catalogue";
constexpr const char* kCatalogueFactName = "accepted";
constexpr const char* kHash = "sha256";

std::filesystem::path copy_of(const Pairing& pairing) {
  return pairing.config.state_directory / "catalog.json";
}

/// The hash of a catalogue's content, whatever the formatting of its file.
std::string hash_of(const Catalog& catalog) {
  const auto text = drift::catalog_to_json(catalog);
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(text.data()),
                     text.size());
  std::string hex;
  for (const auto byte : digest) {
    hex += fmt::format("{:02x}", byte);
  }
  return hex;
}

/// The copy in the state directory; empty where it cannot be read.
std::optional<Catalog> witnessed(const Pairing& pairing) {
  try {
    return drift::read_catalog(copy_of(pairing));
  } catch (const Failure&) {
    return std::nullopt;
  }
}

/// The hash that the last run has left; empty: none.
std::string remembered(db::Target& target) {
  if (!target.books().exist()) {
    return {};
  }
  const auto fact = target.books().find_fact(kCatalogueFact, kCatalogueFactName);
  if (!fact) {
    return {};
  }
  const auto json = parse_shallow<nlohmann::json>(fact->value);
  if (!json.is_object() || !json.contains(kHash) || !json[kHash].is_string()) {
    throw Failure(Code::integrity, "what the bookkeeping says of the accepted catalogue is damaged",
                  "restore the secondary from its backup, then run: abgleich adopt --reason TEXT. "
                  "Nothing was changed");
  }
  return json[kHash];
}

void remember(db::Target& target, const std::string& hash, std::int64_t epoch) {
  if (hash != remembered(target)) {
    target.books().put_fact({.kind = kCatalogueFact,
                             .name = kCatalogueFactName,
                             .value = nlohmann::json{{kHash, hash}}.dump(),
                             .epoch = epoch});
  }
}

/// How to put the catalogue back that the last run used, for hints.
std::string put_back(const Pairing& pairing, const std::string& hash) {
  const auto copy = witnessed(pairing);
  const auto file = contract::in_shell(pairing.config.catalog.string());
  return copy && hash_of(*copy) == hash
             ? fmt::format("put it back: cp {} {}", contract::in_shell(copy_of(pairing).string()),
                           file)
             : fmt::format("put '{}' back from version control or from a backup",
                           pairing.config.catalog.string());
}

/// Whether the file is the one that the last run used, or one that was accepted here since.
bool is_accepted(const Pairing& pairing, const std::string& hash) {
  const auto now = hash_of(*pairing.accepted);
  const auto copy = now == hash ? std::nullopt : witnessed(pairing);
  return now == hash || (copy && hash_of(*copy) == now);
}

[[noreturn]] void refuse(const Pairing& pairing, const std::string& problem,
                         const std::string& hash) {
  throw Failure(Code::drift_decision, problem,
                fmt::format("{}, then run: abgleich sync; or look at the primary's schema column "
                            "by column, as nothing tells what has moved, and if the contract still "
                            "fits it, run: abgleich drift accept. Nothing was changed",
                            put_back(pairing, hash)));
}

}  // namespace

void expect_accepted(const Pairing& pairing, db::Target& target) {
  const auto hash = remembered(target);
  if (hash.empty()) {
    return;
  }
  const auto file = pairing.config.catalog.string();
  if (!pairing.accepted) {
    refuse(pairing, fmt::format("the accepted catalogue '{}' is gone", file), hash);
  }
  if (!is_accepted(pairing, hash)) {
    refuse(pairing,
           fmt::format("the catalogue '{}' is another one than the last run used, and nobody has "
                       "accepted it here",
                       file),
           hash);
  }
}

void expect_accepted(const Pairing& pairing) {
  try {
    db::Target target(pairing.config.secondary, db::Mode::dry);
    expect_accepted(pairing, target);
  } catch (const Failure& failure) {
    if (failure.error().code == Code::drift_decision) {
      throw;
    }
  }
}

void remember_accepted(const Pairing& pairing, db::Target& target, const Catalog& live,
                       std::int64_t epoch) {
  if (!pairing.accepted) {
    accept_catalogue(pairing, live);
  }
  remember(target, hash_of(pairing.accepted ? *pairing.accepted : live), epoch);
}

void carry_accepted(const Pairing& pairing, db::Target& target, const Catalog& live,
                    std::int64_t epoch) {
  const auto hash = remembered(target);
  if (!pairing.accepted || (!hash.empty() && !is_accepted(pairing, hash))) {
    return;
  }
  const auto carried = drift::carry_over(*pairing.accepted, live);
  if (carried == *pairing.accepted) {
    return;
  }
  accept_catalogue(pairing, carried);
  if (!hash.empty()) {
    remember(target, hash_of(carried), epoch);
  }
}

std::optional<Catalog> last_accepted(const Pairing& pairing) {
  auto copy = witnessed(pairing);
  if (!pairing.accepted) {
    return copy;
  }
  auto other = pairing;
  other.accepted = copy;
  return !counts(pairing) && copy && counts(other) ? copy : pairing.accepted;
}

bool counts(const Pairing& pairing) {
  try {
    expect_accepted(pairing);
    return true;
  } catch (const Failure&) {
    return false;
  }
}

void accept_catalogue(const Pairing& pairing, const Catalog& catalog) {
  drift::write_catalog(catalog, copy_of(pairing));
  drift::write_catalog(catalog, pairing.config.catalog);
}

}  // namespace abgleich::sync
