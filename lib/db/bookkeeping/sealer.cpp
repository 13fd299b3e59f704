#include "db/bookkeeping/sealer.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <span>
#include <sys/random.h>

namespace abgleich::db {

namespace {

constexpr std::size_t kNonceSize = 16;
constexpr std::size_t kHexDigits = 16;  // of 64 bits

std::span<const std::uint8_t> bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string text_of(const Mac& mac) {
  return {reinterpret_cast<const char*>(mac.data()), mac.size()};
}

/// The fields of a row one after the other, written so that different rows give different bytes.
class Message {
 public:
  explicit Message(const SipKey& key) : mac_(key) {}

  Message& operator<<(std::string_view field) {
    add<std::uint32_t>(static_cast<std::uint32_t>(field.size()));
    add_bytes(field);
    return *this;
  }
  Message& operator<<(std::int64_t number) {
    add(static_cast<std::uint64_t>(number));
    return *this;
  }
  template <class Text>
  Message& operator<<(const std::optional<Text>& field) {
    if (field) {
      return *this << std::string_view(*field);
    }
    add(kAbsent);
    return *this;
  }
  [[nodiscard]] std::string mac() {
    flush();
    return text_of(mac_.finish());
  }

 private:
  static constexpr std::uint32_t kAbsent = 0xffff'ffff;

  /// Little endian.
  template <class Number>
  void add(Number number) {
    std::array<char, sizeof number> bytes{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes.at(i) = static_cast<char>(number >> (8 * i) & 0xffU);
    }
    add_bytes({bytes.data(), bytes.size()});
  }

  void add_bytes(std::string_view bytes) {
    if (bytes.size() > gathered_.size() - size_) {
      flush();
    }
    if (bytes.size() > gathered_.size()) {
      mac_.add(bytes);
      return;
    }
    std::ranges::copy(bytes, gathered_.begin() + static_cast<std::ptrdiff_t>(size_));
    size_ += bytes.size();
  }

  void flush() {
    mac_.add({gathered_.data(), size_});
    size_ = 0;
  }

  MacOfParts mac_;
  std::array<char, 1024> gathered_;  // small fields, which are faster added to the MAC together
  std::size_t size_ = 0;
};

void random_bytes(std::span<std::uint8_t> bytes) {
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Failure(Code::bug, "the kernel gives no random bytes");
  }
}

}  // namespace

JournalFields fields_of(const JournalRow& row) {
  return {.epoch = row.epoch,
          .tracked = row.tracked,
          .key_text = row.key_text,
          .fate = row.fate,
          .before = row.before,
          .after = row.after,
          .moved = row.base.moved,
          .base_before = row.base.before,
          .base_after = row.base.after};
}

Sealer::Sealer(const SealKeys& keys, std::string_view lineage) : keys_(keys), lineage_(lineage) {
  for (auto* key :
       {&keys_->head, &keys_->run, &keys_->tracked, &keys_->fact, &keys_->journal, &keys_->conflict,
        &keys_->quarantine, &keys_->base, &keys_->sums, &keys_->seals, &keys_->deeds}) {
    *key = siphash128(*key, bytes_of(lineage));
  }
}

std::string Sealer::mac(const HeadRow& row) const {
  Message message(keys_->head);
  message << row.lineage << row.epoch << row.hash << row.run << row.key_check << row.primary_id
          << row.paused << row.seals;
  return message.mac();
}

std::string Sealer::mac(const RunRow& row) const {
  Message message(keys_->run);
  message << row.epoch << row.id << row.kind << row.started << row.finished << row.operator_
          << row.reason << row.counts << row.nonce << row.deeds << row.previous << row.hash
          << row.purged << row.entries << row.sum;
  return message.mac();
}

std::string Sealer::mac(const TrackedRow& row) const {
  Message message(keys_->tracked);
  message << row.id << row.source << row.target << row.key_columns << row.columns << row.since;
  return message.mac();
}

std::string Sealer::mac(const FactRow& row) const {
  Message message(keys_->fact);
  message << row.kind << row.name << row.value << row.epoch;
  return message.mac();
}

std::string Sealer::mac(const ConflictRow& row) const {
  Message message(keys_->conflict);
  message << row.id << row.tracked << row.key_text << row.kind << row.detail << row.epoch;
  return message.mac();
}

std::string Sealer::mac(const QuarantineRow& row) const {
  Message message(keys_->quarantine);
  message << row.tracked << row.key_text << row.column << row.reason << row.rows << row.epoch;
  return message.mac();
}

std::string Sealer::mac(const JournalFields& row) const {
  Message message(keys_->journal);
  message << row.epoch << row.tracked << row.key_text << row.fate << row.before << row.after
          << row.moved << row.base_before << row.base_after;
  return message.mac();
}

std::string Sealer::mac_of_seals(std::string_view all) const {
  return text_of(siphash128(keys_->seals, bytes_of(all)));
}

std::string Sealer::mac_of_deeds(std::string_view deeds) const {
  std::string text;
  for (const auto byte : siphash128(keys_->deeds, bytes_of(deeds))) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

Seal Sealer::share(std::string_view mac) const {
  return {.rows = 1, .sum = siphash(keys_->sums, bytes_of(mac))};
}

LockedSipKey Sealer::base_key(std::int64_t tracked) const {
  LockedSipKey key;
  *key = siphash128(keys_->base, bytes_of(std::to_string(tracked)));
  return key;
}

std::string Sealer::hidden(std::uint64_t sum) const {
  return hidden_number(sum, keys_->seals);
}

std::optional<std::uint64_t> Sealer::revealed(std::string_view text) const {
  return revealed_number(text, keys_->seals);
}

std::string hidden_number(std::uint64_t number, const SipKey& key) {
  const auto nonce = random_nonce();
  return fmt::format("{}{:016x}", nonce, number + siphash(key, bytes_of(nonce)));
}

std::optional<std::uint64_t> revealed_number(std::string_view text, const SipKey& key) {
  if (text.size() != 2 * kNonceSize + kHexDigits) {
    return std::nullopt;
  }
  const auto nonce = text.substr(0, 2 * kNonceSize);
  const auto digits = text.substr(nonce.size());
  std::uint64_t masked = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), masked, 16);
  if (error != std::errc{} || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return masked - siphash(key, bytes_of(nonce));
}

std::string random_nonce() {
  std::array<std::uint8_t, kNonceSize> bytes{};
  random_bytes(bytes);
  std::string text;
  for (const auto byte : bytes) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

}  // namespace abgleich::db
