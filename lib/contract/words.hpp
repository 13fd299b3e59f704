// The words that configuration and contract are written in, and what to say about a wrong one.
#pragma once

#include "core/shell_word.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace abgleich::contract {

using Words = std::span<const std::string_view>;

// In the order of the enums in contract.hpp: a word's position is its enumerator.
inline constexpr std::array<std::string_view, 5> kClasses{"plain", "pseudonym", "generalise",
                                                          "withhold", "token"};
inline constexpr std::array<std::string_view, 3> kOwners{"both", "primary", "secondary"};
inline constexpr std::array<std::string_view, 3> kOnDeletes{"delete", "keep", "erase"};
// No word stands for Format::automatic, so the words begin at the second enumerator.
inline constexpr std::array<std::string_view, 4> kFormats{"text", "uuid", "integer", "token"};
inline constexpr std::array<std::string_view, 5> kNormalisers{"none", "text", "name", "phone",
                                                              "email"};
inline constexpr std::array<std::string_view, 2> kOnUnusables{"hold", "null"};
inline constexpr std::array<std::string_view, 9> kGeneralisations{
    "year", "month", "week", "age-band", "prefix", "round", "shift", "map", "const"};

// Keys of the contract.
inline constexpr std::array<std::string_view, 4> kContractKeys{"format", "country", "tokens_only",
                                                               "tables"};
inline constexpr std::array<std::string_view, 16> kTableKeys{
    "key",         "target",  "on_delete",         "together",  "was",   "max_deleted",
    "max_updated", "subject", "quasi_identifiers", "sensitive", "fixed", "where",
    "route",       "shared",  "follows",           "columns"};
inline constexpr std::array<std::string_view, 2> kFollowsKeys{"table", "by"};
inline constexpr std::array<std::string_view, 22> kColumnKeys{"class",
                                                              "as",
                                                              "owner",
                                                              "identity",
                                                              "format",
                                                              "normalise",
                                                              "country",
                                                              "to",
                                                              "reference",
                                                              "map",
                                                              "value",
                                                              "otherwise",
                                                              "codes",
                                                              "was",
                                                              "accept_low_entropy",
                                                              "erase",
                                                              "zone",
                                                              "on_unusable",
                                                              "accept_record_date",
                                                              "shift_epoch",
                                                              "because",
                                                              "resolves"};

// Keys of the configuration.
inline constexpr std::array<std::string_view, 14> kConfigKeys{
    "include", "contract", "catalog", "retry_for", "primary", "secondary", "keys",
    "state",   "limits",   "journal", "privacy",   "alert",   "exchange",  "peers"};
inline constexpr std::array<std::string_view, 8> kPrimaryKeys{
    "url",     "password_file",     "schema",      "full_every", "made_anew",
    "workers", "statement_timeout", "lock_timeout"};
inline constexpr std::array<std::string_view, 8> kSecondaryKeys{
    "url",   "password_file",     "schema",      "manage_schema", "books",
    "inbox", "statement_timeout", "lock_timeout"};
inline constexpr std::array<std::string_view, 2> kKeysKeys{"file", "credential"};
inline constexpr std::array<std::string_view, 1> kStateKeys{"directory"};
inline constexpr std::array<std::string_view, 2> kLimitsKeys{"max_deleted", "max_updated"};
inline constexpr std::array<std::string_view, 1> kJournalKeys{"keep"};
inline constexpr std::array<std::string_view, 1> kPrivacyKeys{"min_k"};
inline constexpr std::array<std::string_view, 3> kAlertKeys{"max_age", "metrics", "ping"};
inline constexpr std::array<std::string_view, 6> kExchangeKeys{
    "identity", "cards", "mailbox", "resend_after", "heartbeat", "overdue"};
inline constexpr std::array<std::string_view, 4> kPeerKeys{"sends", "takes", "accepts", "mailbox"};

/// The prefix of the bookkeeping's tables and columns in the secondary.
inline constexpr std::string_view kReservedPrefix = "abgleich_";

/// The position of `word`, if it is one of `words`.
std::optional<std::size_t> position_of(std::string_view word, Words words);

/// The word that `word` was probably meant to be: the nearest by edit distance (insertions,
/// deletions, replacements, swapped neighbours; capitals do not count), if it is near at all.
std::optional<std::string_view> nearest(std::string_view word, Words words);

/// "a, b or c".
std::string listed(Words words);

/// Text of others on one line: control characters and invalid UTF-8 are escaped, long text is cut.
std::string one_line(std::string_view text);

/// A name for a message: `one_line` in single quotes.
std::string in_quotes(std::string_view name);

using abgleich::in_shell;

/// ASCII letters only, as SQLite compares names.
std::string lower_case(std::string_view name);

/// Whether SQLite, which does not tell "Id" from "id", would take the two names for the same.
bool same_name(std::string_view a, std::string_view b);

/// Whether a name begins with `kReservedPrefix`, in any case.
bool reserved(std::string_view name);

/// The length of the longest prefix of `text` that is valid UTF-8 (no overlong forms, no
/// surrogates); text.size() where all of it is.
std::size_t valid_utf8(std::string_view text);

}  // namespace abgleich::contract
