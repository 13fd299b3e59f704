#include "exchange/hello_name.hpp"

#include "core/locked_memory.hpp"
#include "exchange/mailbox.hpp"
#include "seal/hkdf.hpp"

namespace abgleich::exchange {

namespace {

constexpr std::string_view kHelloPurpose = "abgleich hello";
constexpr std::string_view kHelloVersion = "1";

}  // namespace

std::optional<std::string> hello_name(const seal::Identity& ours, const seal::Recipient& theirs,
                                      const PeerId& from, const PeerId& to, std::int64_t day) {
  Subkey secret;
  if (!ours.agree(theirs, std::span<std::uint8_t, 32>(secret.bytes()))) {
    return std::nullopt;
  }
  const auto info = seal::info_of(
      {kHelloPurpose, kHelloVersion, id_text(from), id_text(to), std::to_string(day)});
  BoxName name{};
  seal::hkdf_sha256(secret.bytes(), {}, info, name);
  return box_text(name);
}

}  // namespace abgleich::exchange
