// The contract: what may leave the primary, and how. Parsed from contract.toml, validated, then
// immutable: an invalid one cannot exist.
#pragma once

#include "contract/canonical_form.hpp"
#include "contract/issued_tokens.hpp"
#include "contract/place.hpp"
#include "core/condition.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::contract {

enum class Class : std::uint8_t { plain, pseudonym, generalise, withhold, token };
enum class Owner : std::uint8_t { both, primary, secondary };
enum class OnDelete : std::uint8_t { remove, keep, erase };  // "delete", "keep", "erase"
enum class Format : std::uint8_t { automatic, text, uuid, integer, token };
enum class Normaliser : std::uint8_t { none, text, name, phone, email };
enum class OnUnusable : std::uint8_t { hold, null };  // "hold": the row is held back

std::string_view name_of(Class);
std::string_view name_of(Owner);
std::string_view name_of(OnDelete);
std::string_view name_of(Format);
std::string_view name_of(Normaliser);

/// `to = "year"`, `"month"`, `"week"`, `"age-band:N"` (needs `reference`), `"prefix:N"`,
/// `"round:N"`, `"shift:N"` (needs the table's subject), `"map"` (needs `map`), `"const"` (needs
/// `value`).
struct Generalisation {
  enum class To : std::uint8_t { year, month, week, age_band, prefix, round, shift, map, constant };
  To to = To::year;
  int n = 0;  // years of an age band; characters of a prefix; step; most days of a shift
  std::string reference;  // ISO date at which ages are counted; never today
  std::map<std::string, std::string, std::less<>> map;  // value in the primary -> what leaves
  std::optional<std::string> otherwise;  // what leaves for other values; empty: hold the row back
  std::string value;                     // of a constant
  std::string zone;     // the time zone that decides the day ("Europe/Berlin"); empty: UTC
  int shift_epoch = 1;  // the epoch of the key that shifts are made with

  bool operator==(const Generalisation&) const = default;
};

/// A column of this node's own primary, whose values tokens stand for.
struct Resolves {
  std::string table;
  std::string column;  // both by their names in the primary

  bool operator==(const Resolves&) const = default;
};

struct Column {
  std::string name;  // in the primary
  std::string as;    // in the secondary; the same unless the contract says otherwise
  Class cls = Class::withhold;
  Owner owner = Owner::both;
  std::string identity;  // of a pseudonym: whose identity the value is
  Format format = Format::automatic;
  Normaliser normaliser = Normaliser::none;
  /// The form of the pseudonym's identity. Not part of the contract: see
  /// sync/mapping/settle_identities.hpp.
  CanonicalForm form = {};
  std::string country;             // of `phone`: for numbers without a country, ISO 3166 ("DE")
  std::string accept_low_entropy;  // the reason to allow a pseudonym of few values
  std::string because;  // the reason to let it leave although name, key or values are against it
  Generalisation generalisation;
  OnUnusable on_unusable = OnUnusable::hold;  // what becomes of a value that cannot be masked
  std::string accept_record_date;             // the reason to shift a date of the record
  std::vector<std::string> codes;             // the only values allowed; empty: any
  std::string was;                            // accepted rename: the old name in the primary
  bool erase = false;  // withheld; values that left before are erased in the secondary
  /// Of a token: what it is to be turned into. Without it, the token is passed on as it is.
  std::optional<Resolves> resolves;
  /// What turns it, and whose tokens are taken (empty: anybody's). Not part of the contract: see
  /// sync/peers/token_values.hpp.
  std::shared_ptr<IssuedTokens> issued;
  std::string issuer;
  Place place;

  [[nodiscard]] bool exported() const { return cls != Class::withhold; }
  /// Whether different values of the primary stay different in the secondary, and the secondary
  /// does not own them.
  [[nodiscard]] bool stays_distinct() const {
    return owner != Owner::secondary &&
           (cls == Class::plain || (cls == Class::token && !resolves) ||
            (cls == Class::pseudonym && normaliser == Normaliser::none));
  }
};

/// A limit on how much of a table one run may touch.
struct Limit {
  enum class Unit : std::uint8_t { share, rows };
  Unit unit = Unit::share;
  double share = 1.0;  // 0.05 for "5%"
  std::int64_t rows = 0;

  /// Whether `count` rows of a table of `size` rows (before the run) are within the limit. A share
  /// that is not zero always allows one row of a table that is not empty.
  [[nodiscard]] bool allows(std::int64_t count, std::int64_t size) const;
  [[nodiscard]] std::string text() const;
  bool operator==(const Limit&) const = default;
};

/// Rows leave with the row of `table` whose key the column `by` has.
struct Follows {
  std::string table;  // both by their names in the primary
  std::string by;
  Place place;
};

struct Table {
  std::string name;              // in the primary
  std::string target;            // in the secondary
  std::string was;               // accepted rename: the old name in the primary
  std::vector<std::string> key;  // names in the primary; every one an exported column
  OnDelete on_delete = OnDelete::remove;
  std::vector<std::vector<std::string>> together;  // names in the primary
  std::vector<std::string> fixed;  // names in the primary; a change means another subject
  std::optional<Limit> max_deleted, max_updated;
  /// The exported pseudonym that says whose row it is, by its name in the primary: as the contract
  /// names it, or the key where that is a single pseudonym; empty: none.
  std::string subject;
  /// Columns, by their names in the primary, that together can identify a person; and those that
  /// nobody may learn about a person in this way.
  std::vector<std::string> quasi_identifiers;
  std::vector<std::string> sensitive;
  /// How many subjects must share the quasi-identifiers of a row that leaves; from the
  /// configuration.
  std::int64_t min_k = 0;
  std::vector<Column> columns;  // all, as written
  Place place;
  /// Which rows leave; empty: all. For a peer, with what `route` and `follows` add (`routed`).
  std::optional<Condition> where;
  Place where_place;  // or that of what was added
  /// Of a contract that peers get: the column whose value decides which of them gets a row, or the
  /// rows that a row goes with, wherever one of them goes. Not both; neither: every peer gets it.
  std::string route;
  bool shared = false;  // of `route`: a row goes to every peer that takes it, not only to one
  std::vector<Follows> follows;

  [[nodiscard]] const Column* find_column(std::string_view column) const;
  /// Whether the column, which may be withheld, decides which rows leave.
  [[nodiscard]] bool decides(std::string_view column) const;
  /// What says which rows leave, as the contract calls it and in quotes, for messages: by this
  /// column, and by all columns ("'where' and 'route'"). REQUIRES: the column decides.
  [[nodiscard]] std::string_view choice_by(std::string_view column) const;
  [[nodiscard]] std::string choice() const;
  [[nodiscard]] bool is_routed() const { return !route.empty() || !follows.empty(); }
  /// Whether no row leaves without the row of `parent` whose key is in `column`.
  [[nodiscard]] bool never_leaves_without(const Table& parent, std::string_view column) const;
  /// Whether anything of the column is read.
  [[nodiscard]] bool reads(const Column& column) const {
    return column.exported() || decides(column.name);
  }
  /// The exported columns, in the contract's order: the layout of every Row and of every base row.
  [[nodiscard]] std::vector<const Column*> exported() const;
};

struct Contract {
  std::filesystem::path file;
  /// Nothing that identifies a person leaves but tokens; see contract/tokens.hpp.
  bool tokens_only = false;
  std::vector<Table> tables;  // as written

  [[nodiscard]] const Table* find_table(std::string_view table) const;
};

/// Parses and validates the text of a contract; `file` is for messages only. Throws
/// Failure{configuration} with file, line and column and what to write instead.
Contract parse_contract(std::string_view text, const std::filesystem::path& file);
/// Reads the file, then `parse_contract`.
Contract read_contract(const std::filesystem::path& file);

}  // namespace abgleich::contract
