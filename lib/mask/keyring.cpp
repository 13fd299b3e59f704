#include "mask/keyring.hpp"

#include "core/error.hpp"
#include "core/hex.hpp"
#include "mask/key_text.hpp"
#include "seal/hkdf.hpp"
#include "seal/secret_file.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <utility>

namespace abgleich::mask {

namespace {

constexpr std::string_view kDigestVersion = "1";
constexpr std::string_view kDomainVersion = "1";
constexpr std::size_t kCheckSize = 8;

std::string_view as_text(const LockedMemory& memory) {
  return {reinterpret_cast<const char*>(memory.bytes().data()), memory.bytes().size()};
}

}  // namespace

void protect_process() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    throw Failure(Code::bug, "core dumps cannot be turned off");
  }
}

struct Keyring::Roots {
  LockedMemory all;  // of every epoch, as `parse_key_text` gives them
  std::string issuer;

  enum Purpose : std::size_t { pseudonyms, digests, date_shifts };

  [[nodiscard]] std::size_t epochs() const { return all.bytes().size() / kEpochSize; }

  /// Of the current epoch.
  [[nodiscard]] std::span<const std::uint8_t> root(Purpose purpose) const {
    return all.bytes().subspan((epochs() - 1) * kEpochSize + purpose * kRootSize, kRootSize);
  }

  [[nodiscard]] LockedSipKey digest_subkey(std::string_view info) const {
    LockedSipKey key;
    seal::hkdf_sha256(root(digests), {}, info, *key);
    return key;
  }
};

void Keyring::generate(const std::filesystem::path& file) {
  start_sodium();
  LockedMemory roots(kEpochSize);
  randombytes_buf(roots.bytes().data(), roots.bytes().size());
  const auto text = key_text(roots.bytes());
  seal::write_secret_file(kKeyFile, file, text.bytes());
}

int Keyring::rotate(const std::filesystem::path& file) {
  const auto roots = parse_key_text(as_text(seal::read_secret_file(kKeyFile, file)), file.string());
  LockedMemory more(roots.bytes().size() + kEpochSize);
  std::ranges::copy(roots.bytes(), more.bytes().begin());
  const auto fresh = more.bytes().last(kEpochSize);
  randombytes_buf(fresh.data(), fresh.size());
  const auto text = key_text(more.bytes());
  seal::replace_secret_file(kKeyFile, file, text.bytes());
  return static_cast<int>(more.bytes().size() / kEpochSize);
}

Keyring Keyring::until(int epoch) const {
  const auto size = static_cast<std::size_t>(epoch) * kEpochSize;
  if (epoch < 1 || size > roots_->all.bytes().size()) {
    throw Failure(Code::bug, "an epoch that the keyring does not have");
  }
  LockedMemory roots(size);
  std::ranges::copy(std::as_const(roots_->all).bytes().first(size), roots.bytes().begin());
  roots.seal();
  return Keyring(std::make_unique<Roots>(Roots{.all = std::move(roots), .issuer = roots_->issuer}));
}

Keyring Keyring::of_domain(std::string_view domain, std::string issuer) const {
  const auto info = seal::info_of({"abgleich domain", kDomainVersion, domain});
  LockedMemory roots(roots_->all.bytes().size());
  std::ranges::copy(std::as_const(roots_->all).bytes(), roots.bytes().begin());
  for (std::size_t at = 0; at < roots.bytes().size(); at += kEpochSize) {
    const auto own = roots.bytes().subspan(at + Roots::pseudonyms * kRootSize, kRootSize);
    Subkey derived;
    seal::hkdf_sha256(own, {}, info, derived.bytes());
    std::ranges::copy(std::as_const(derived).bytes(), own.begin());
  }
  roots.seal();
  return Keyring(
      std::make_unique<Roots>(Roots{.all = std::move(roots), .issuer = std::move(issuer)}));
}

Keyring Keyring::read(const std::filesystem::path& file) {
  return parse(as_text(seal::read_secret_file(kKeyFile, file)), file.string());
}

Keyring Keyring::parse(std::string_view text, const std::string& name) {
  auto roots = parse_key_text(text, name);
  roots.seal();
  return Keyring(std::make_unique<Roots>(Roots{.all = std::move(roots), .issuer = {}}));
}

Keyring::Keyring(std::unique_ptr<Roots> roots) : roots_(std::move(roots)) {}
Keyring::Keyring(Keyring&&) noexcept = default;
Keyring& Keyring::operator=(Keyring&&) noexcept = default;
Keyring::~Keyring() = default;

const std::string& Keyring::issuer() const {
  return roots_->issuer;
}

int Keyring::epoch() const {
  return static_cast<int>(roots_->epochs());
}

Subkey Keyring::pseudonym_key(std::string_view info) const {
  Subkey key;
  seal::hkdf_sha256(roots_->root(Roots::pseudonyms), {}, info, key.bytes());
  return key;
}

Subkey Keyring::shift_key(std::string_view info, int epoch) const {
  Subkey key;
  const auto at = static_cast<std::size_t>(std::clamp(epoch, 1, this->epoch()) - 1);
  const auto roots = std::as_const(roots_->all).bytes().subspan(at * kEpochSize, kEpochSize);
  seal::hkdf_sha256(roots.subspan(Roots::date_shifts * kRootSize, kRootSize), {}, info,
                    key.bytes());
  return key;
}

LockedSipKey Keyring::digest_key(std::string_view table, std::string_view column) const {
  return roots_->digest_subkey(seal::info_of({"abgleich digest", kDigestVersion, table, column}));
}

LockedSipKey Keyring::purpose_key(std::string_view purpose) const {
  return roots_->digest_subkey(seal::info_of({"abgleich purpose", kDigestVersion, purpose}));
}

std::optional<int> Keyring::epoch_of(std::string_view check_value) const {
  for (int one = epoch(); one > 0; --one) {
    if (until(one).check_value() == check_value) {
      return one;
    }
  }
  return std::nullopt;
}

std::string Keyring::check_value() const {
  std::array<std::uint8_t, kCheckSize> check{};
  seal::hkdf_sha256(roots_->all.bytes(), {}, seal::info_of({"abgleich check", kDigestVersion}),
                    check);
  return hex(check);
}

}  // namespace abgleich::mask
