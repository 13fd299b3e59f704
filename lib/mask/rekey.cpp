#include "mask/rekey.hpp"

#include "core/base32.hpp"
#include "mask/canonical_form.hpp"
#include "mask/reader.hpp"
#include "mask/uuid.hpp"
#include "seal/hkdf.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace abgleich::mask {

namespace {

constexpr std::string_view kRekeyVersion = "1";
constexpr std::size_t kFewest = 1U << 16U;  // duplicates are removed from this many pairs on

Recipe wide(Recipe recipe) {
  recipe.form = {};  // columns of one identity may have several; `learn` is given them
  recipe.domain = IntegerDomain::digits_18;  // in it, short numbers have the same pseudonyms
  return recipe;
}

std::string info_of_recipe(std::string_view purpose, const Recipe& recipe) {
  return seal::info_of({purpose, kRekeyVersion, recipe.identity, versioned_name(recipe.normaliser),
                        contract::name_of(recipe.format)});
}

}  // namespace

Rekeying::Rekeying(const Keyring& before, const Keyring& now, const Recipe& recipe)
    : format_(recipe.format),
      before_prefix_(prefix_of(recipe.format, before)),
      now_prefix_(prefix_of(recipe.format, now)),
      before_(before, wide(recipe)),
      now_(now, wide(recipe)),
      orphan_key_(now.pseudonym_key(info_of_recipe("abgleich orphan", recipe))) {
  if (format_ == contract::Format::integer) {
    const auto info = info_of_recipe("abgleich pseudonym", recipe);
    before_numbers_.emplace(before.pseudonym_key(info).bytes(), recipe.identity,
                            IntegerDomain::digits_18);
    now_numbers_.emplace(now.pseudonym_key(info).bytes(), recipe.identity,
                         IntegerDomain::digits_18);
  }
}

void Rekeying::learn(const RawValue& raw, const Type& source, const contract::CanonicalForm& form) {
  const auto& value = Reader::open(raw);
  if (value.is_null() || (value.kind() != Kind::bytes && !is_utf8(value.bytes()))) {
    return;
  }
  const auto* made_of = &value;
  if (source.padded) {
    const auto last = value.bytes().find_last_not_of(' ');
    unpadded_.set(
        value.kind(),
        std::string_view(value.bytes()).substr(0, last == std::string::npos ? 0 : last + 1));
    made_of = &unpadded_;
  }
  if (form != contract::CanonicalForm{}) {
    formed_.set(made_of->kind(), in_form(form, real_bits(source), *made_of, scratch_));
    made_of = &formed_;
  }
  Pair pair;
  if (before_.make(*made_of, old_) || now_.make(*made_of, fresh_)) {
    return;  // held back in either epoch
  }
  if (read(old_.bytes(), before_prefix_, pair.before) &&
      read(fresh_.bytes(), now_prefix_, pair.now)) {
    pairs_.push_back(pair);
  }
  // foreign keys repeat the values that they point to: duplicates are removed
  if (pairs_.size() >= std::max(kFewest, 2 * sorted_)) {
    sort();
  }
}

void Rekeying::sort() {
  const auto by_before = [](const Pair& a, const Pair& b) { return a.before < b.before; };
  std::ranges::sort(pairs_, by_before);
  const auto same = [](const Pair& a, const Pair& b) { return a.before == b.before; };
  // not of std::ranges: clang 14 does not compile the subrange of g++ 12's library
  pairs_.erase(std::unique(pairs_.begin(), pairs_.end(), same), pairs_.end());
  sorted_ = pairs_.size();
}

void Rekeying::finish() {
  sort();
  pairs_.shrink_to_fit();
}

void Rekeying::rekey(Value& value) {
  if (value.is_null()) {
    return;
  }
  if (before_numbers_) {
    std::uint64_t number = 0;
    std::uint64_t pseudonym = 0;
    if (!before_numbers_->find(value.bytes(), number) &&
        !now_numbers_->make(std::to_string(number), pseudonym)) {
      value.set(value.kind(), std::to_string(pseudonym));
    }
    return;
  }
  Digits before;
  if (!read(value.bytes(), before_prefix_, before)) {
    return;
  }
  const auto found = std::ranges::lower_bound(pairs_, before, std::less<>{}, &Pair::before);
  if (found != pairs_.end() && found->before == before) {
    value.set(value.kind(), write(found->now));
  } else {
    ++orphans_;
    value.set(value.kind(), write(orphan(before)));
  }
}

bool Rekeying::read(std::string_view text, std::string_view prefix, Digits& digits) const {
  if (format_ == contract::Format::uuid) {
    return read_uuid8(text, digits);
  }
  return text.starts_with(prefix) && read_base32(text.substr(prefix.size()), digits);
}

std::string Rekeying::write(const Digits& digits) const {
  std::string text;
  if (format_ == contract::Format::uuid) {
    append_uuid8(digits, text);
  } else {
    text = now_prefix_;
    append_base32(digits, text);
  }
  return text;
}

Rekeying::Digits Rekeying::orphan(const Digits& before) const {
  std::array<std::uint8_t, crypto_auth_hmacsha256_BYTES> hash;
  crypto_auth_hmacsha256(hash.data(), before.data(), before.size(), orphan_key_.bytes().data());
  Digits digits;
  std::copy_n(hash.begin(), digits.size(), digits.begin());
  if (format_ == contract::Format::uuid) {
    stamp_uuid8(digits);
  }
  return digits;
}

}  // namespace abgleich::mask
