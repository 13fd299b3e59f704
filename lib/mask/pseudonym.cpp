#include "mask/pseudonym.hpp"

#include "core/base32.hpp"
#include "core/error.hpp"
#include "mask/canonical_form.hpp"
#include "mask/masker.hpp"
#include "mask/uuid.hpp"
#include "seal/hkdf.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <span>

namespace abgleich::mask {

namespace {

constexpr std::string_view kPseudonymVersion = "1";
constexpr std::size_t kBytes = 16;

}  // namespace

std::string prefix_of(contract::Format format, const Keyring& keyring) {
  switch (format) {
    case contract::Format::automatic:
    case contract::Format::text:
      return fmt::format("p{}_", keyring.epoch());
    case contract::Format::token:
      if (keyring.issuer().empty()) {
        throw Failure(Code::bug, "a token without an issuer got past the contract");
      }
      return fmt::format("t{}_{}_", keyring.epoch(), keyring.issuer());
    case contract::Format::uuid:
    case contract::Format::integer:
      break;
  }
  return {};
}

Pseudonymiser::Pseudonymiser(const Keyring& keyring, const Recipe& recipe)
    : format_(recipe.format), normal_form_(recipe), prefix_(prefix_of(recipe.format, keyring)) {
  const auto key = keyring.pseudonym_key(
      seal::info_of({"abgleich pseudonym", kPseudonymVersion, recipe.identity,
                     versioned_name(recipe.normaliser), contract::name_of(recipe.format)}));
  if (format_ == contract::Format::integer) {
    integers_.emplace(key.bytes(), recipe.identity, recipe.domain);
  } else {
    mac_.emplace(key.bytes());
  }
}

NormalForm::NormalForm(const Recipe& recipe)
    : form_(recipe.form),
      bits_(recipe.bits),
      normaliser_(recipe.normaliser),
      country_(recipe.country) {}

Reason NormalForm::make(const Value& value, std::string_view& out) {
  using contract::Normaliser;
  out = in_form(form_, bits_, value, formed_);
  if (normaliser_ == Normaliser::none) {
    return std::nullopt;
  }
  const bool any_text = value.kind() != Kind::bytes && normaliser_ == Normaliser::text;
  if (!any_text && value.kind() != Kind::text && value.kind() != Kind::integer) {
    return Cause::not_text;
  }
  if (auto why = normalise(normaliser_, out, normal_, scratch_, country_)) {
    return why;
  }
  out = normal_;
  return std::nullopt;
}

Reason Pseudonymiser::make(const Value& value, Value& out) {
  std::string_view bytes;
  if (auto why = normal_form_.make(value, bytes)) {
    return why;
  }
  if (format_ == contract::Format::integer) {
    return value.kind() == Kind::bytes ? Cause::not_integer : make_integer(bytes, out);
  }
  const auto hash = mac_->of(value.kind() == Kind::bytes ? kBytesClass : kTextClass, bytes);
  const auto digits = std::span(hash).first<kBytes>();
  if (format_ == contract::Format::uuid) {
    text_.clear();
    append_uuid8(digits, text_);
    out.set(Kind::uuid, text_);
  } else {
    text_ = prefix_;
    append_base32(digits, text_);
    out.set(Kind::text, text_);
  }
  return std::nullopt;
}

Reason Pseudonymiser::make_integer(std::string_view digits, Value& out) const {
  std::uint64_t pseudonym = 0;
  if (auto why = integers_->make(digits, pseudonym)) {
    return why;
  }
  std::array<char, 20> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), pseudonym);
  out.set(Kind::integer, {text.data(), static_cast<std::size_t>(end.ptr - text.data())});
  return std::nullopt;
}

Value pseudonym(const Keyring& keyring, std::string_view identity, contract::Format format,
                contract::Normaliser normaliser, const Value& value) {
  if (value.is_null()) {
    return {};
  }
  if (value.kind() != Kind::bytes && !is_utf8(value.bytes())) {
    throw Failure(Code::usage, fmt::format("the value is {}", text_of(Cause::not_utf8)));
  }
  if (format == contract::Format::automatic) {
    format = value.kind() == Kind::uuid ? contract::Format::uuid : contract::Format::text;
  }
  Pseudonymiser pseudonymiser(keyring,
                              {.identity = identity, .format = format, .normaliser = normaliser});
  Value out;
  if (const auto why = pseudonymiser.make(value, out)) {
    throw Failure(Code::usage, fmt::format("the value has no pseudonym of identity '{}': {}",
                                           identity, text_of(*why)));
  }
  return out;
}

}  // namespace abgleich::mask
