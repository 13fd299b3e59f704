// The pseudonyms of one identity: HMAC-SHA-256 as text or UUID, FF1 as integers.
#pragma once

#include "contract/contract.hpp"
#include "core/value.hpp"
#include "mask/integer_pseudonym.hpp"
#include "mask/keyring.hpp"
#include "mask/normalise.hpp"
#include "mask/reason.hpp"
#include "mask/value_mac.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace abgleich::mask {

/// What decides, with the key, which pseudonym a value has. Values of the same recipe join.
struct Recipe {
  std::string_view identity;
  contract::Format format = contract::Format::text;  // never automatic
  contract::Normaliser normaliser = contract::Normaliser::none;
  contract::CanonicalForm form = {};  // of the identity: values are written in it first
  int bits = 64;                      // of the column's own floating point numbers
  /// Of `phone`. Does not change the pseudonym of any number that has its country.
  std::string_view country = "DE";
  /// Integers that the column can hold; of `integer` only. Does not change any pseudonym.
  IntegerDomain domain = IntegerDomain::digits_18;
};

/// What the pseudonyms of a format begin with in the keyring's epoch: "p1_", "t1_2n4ckq_"; empty
/// where they begin with nothing. Throws Failure{bug} for tokens of a keyring without an issuer.
std::string prefix_of(contract::Format format, const Keyring& keyring);

/// Precedes the bytes of a value in the MAC, so that text and bytes never have the same input.
inline constexpr char kTextClass = 't';
inline constexpr char kBytesClass = 'b';

/// What a pseudonym is made of: the bytes of a value in the canonical form of its identity,
/// normalised. Not thread-safe: it has working memory.
class NormalForm {
 public:
  /// Uses form, bits, normaliser and country of the recipe.
  explicit NormalForm(const Recipe& recipe);

  /// `out` is a view of the value, or of memory of this object, valid until the next call.
  /// REQUIRES: `value` is not NULL, text is valid UTF-8.
  Reason make(const Value& value, std::string_view& out);

 private:
  contract::CanonicalForm form_;
  int bits_;
  contract::Normaliser normaliser_;
  std::string country_;
  std::string formed_, normal_;
  NormaliseScratch scratch_;
};

/// Not thread-safe: it has working memory.
class Pseudonymiser {
 public:
  Pseudonymiser(const Keyring& keyring, const Recipe& recipe);

  /// Writes the pseudonym of a value that is not NULL. Reuses the memory of `out`, which is left as
  /// it was where a reason is returned. REQUIRES: text is valid UTF-8.
  Reason make(const Value& value, Value& out);

 private:
  Reason make_integer(std::string_view digits, Value& out) const;

  contract::Format format_;
  NormalForm normal_form_;
  std::string prefix_;           // see `prefix_of`
  std::optional<ValueMac> mac_;  // of all formats but integer
  std::optional<IntegerPseudonym> integers_;
  std::string text_;
};

}  // namespace abgleich::mask
