#include "core/digest.hpp"

#include "core/error.hpp"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <tuple>
#include <utility>

namespace abgleich {

namespace {

constexpr unsigned kWord = 8;         // bytes that SipHash takes at a time
constexpr unsigned kLengthBytes = 4;  // the length of a row's key, which is appended to it
constexpr std::size_t kShortBytes = 64;

const std::uint8_t* bytes_of(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::uint64_t swap_bytes(std::uint64_t word) {
  std::uint64_t swapped = 0;
  for (unsigned shift = 0; shift < 64; shift += 8) {
    swapped = swapped << 8U | (word >> shift & 0xffU);
  }
  return swapped;
}

/// The word whose bytes in memory are little endian, whatever the order of the machine.
std::uint64_t in_order(std::uint64_t word) {
  return std::endian::native == std::endian::little ? word : swap_bytes(word);
}

std::uint64_t load_le(const std::uint8_t* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return in_order(word);
}

/// Fewer than 8 bytes, as the low bytes of a word.
std::uint64_t load_rest(const std::uint8_t* bytes, std::size_t size) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint64_t>(bytes[i]) << (8 * i); };
  std::uint64_t word = 0;
  std::size_t taken = 0;
  if ((size & 4U) != 0) {
    word = at(0) | at(1) | at(2) | at(3);
    taken = 4;
  }
  if ((size & 2U) != 0) {
    word |= at(taken) | at(taken + 1);
    taken += 2;
  }
  return (size & 1U) != 0 ? word | at(taken) : word;
}

void store_le(std::uint64_t word, std::uint8_t* bytes) {
  word = in_order(word);
  std::memcpy(bytes, &word, sizeof word);
}

/// The four words of SipHash's state, its round and its end (section 2 of the paper).
struct SipState {
  std::uint64_t v0, v1, v2, v3;

  explicit SipState(const SipKey& key) {
    const auto k0 = load_le(key.data());
    const auto k1 = load_le(key.data() + 8);
    v0 = k0 ^ 0x736f6d6570736575U;
    v1 = k1 ^ 0x646f72616e646f6dU;
    v2 = k0 ^ 0x6c7967656e657261U;
    v3 = k1 ^ 0x7465646279746573U;
  }

  static SipState of(const std::array<std::uint64_t, 4>& words) {
    SipState state(SipKey{});
    std::tie(state.v0, state.v1, state.v2, state.v3) =
        std::tie(words[0], words[1], words[2], words[3]);
    return state;
  }
  [[nodiscard]] std::array<std::uint64_t, 4> words() const { return {v0, v1, v2, v3}; }

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  }

  std::uint64_t finish() {
    v2 ^= 0xff;
    return last_rounds();
  }

  /// REQUIRES: the state was begun for 128 bits.
  Mac finish128() {
    Mac mac{};
    v2 ^= 0xee;
    store_le(last_rounds(), mac.data());
    v1 ^= 0xdd;
    store_le(last_rounds(), mac.data() + kWord);
    return mac;
  }

  std::uint64_t last_rounds() {
    for (int i = 0; i < 4; ++i) {
      round();
    }
    return v0 ^ v1 ^ v2 ^ v3;
  }

  void absorb_all(std::span<const std::uint8_t> message) {
    const auto whole = message.size() / kWord * kWord;
    for (std::size_t at = 0; at < whole; at += kWord) {
      absorb(load_le(message.data() + at));
    }
    absorb(load_rest(message.data() + whole, message.size() - whole) |
           static_cast<std::uint64_t>(message.size()) << 56U);
  }
};

/// Calls `take` with each whole word of a row's key.
template <class Take>
void each_word_of(std::string_view row_key, Take&& take) {
  const auto* bytes = bytes_of(row_key);
  for (auto words = row_key.size() / kWord; words > 0; --words, bytes += kWord) {
    take(load_le(bytes));
  }
}

void append_le32(std::size_t number, std::string& out) {
  const std::array<char, 4> bytes{
      static_cast<char>(number & 0xffU), static_cast<char>(number >> 8U & 0xffU),
      static_cast<char>(number >> 16U & 0xffU), static_cast<char>(number >> 24U & 0xffU)};
  out.append(bytes.data(), bytes.size());
}

}  // namespace

std::uint64_t siphash(const SipKey& key, std::span<const std::uint8_t> message) {
  SipState state(key);
  state.absorb_all(message);
  return state.finish();
}

Mac siphash128(const SipKey& key, std::span<const std::uint8_t> message) {
  SipState state(key);
  state.v1 ^= 0xee;
  state.absorb_all(message);
  return state.finish128();
}

MacOfParts::MacOfParts(const SipKey& key) {
  SipState state(key);
  state.v1 ^= 0xee;
  state_ = state.words();
}

void MacOfParts::add(std::string_view part) {
  auto state = SipState::of(state_);
  const auto held = size_ % kWord;
  size_ += part.size();
  if (held > 0) {
    const auto more = std::min<std::size_t>(kWord - held, part.size());
    std::copy_n(part.begin(), more, rest_.begin() + static_cast<std::ptrdiff_t>(held));
    part.remove_prefix(more);
    if (held + more < kWord) {
      return;
    }
    state.absorb(load_le(rest_.data()));
  }
  for (; part.size() >= kWord; part.remove_prefix(kWord)) {
    state.absorb(load_le(bytes_of(part)));
  }
  std::ranges::copy(part, rest_.begin());
  state_ = state.words();
}

Mac MacOfParts::finish() {
  auto state = SipState::of(state_);
  state.absorb(load_rest(rest_.data(), size_ % kWord) | static_cast<std::uint64_t>(size_) << 56U);
  return state.finish128();
}

void append_key_bytes(const Value& key_cell, std::string& out) {
  out += static_cast<char>(key_cell.kind());
  append_le32(key_cell.bytes().size(), out);
  out += key_cell.bytes();
}

std::optional<Value> take_key_cell(std::string_view& bytes) {
  constexpr std::size_t kLength = 4;
  constexpr std::size_t kHead = 1 + kLength;
  if (bytes.size() < kHead) {
    return std::nullopt;
  }
  std::size_t size = 0;
  for (std::size_t i = kLength; i > 0; --i) {
    size = size << 8U | static_cast<unsigned char>(bytes[i]);
  }
  if (bytes.size() - kHead < size) {
    return std::nullopt;
  }
  Value cell(static_cast<Kind>(bytes[0]), std::string(bytes.substr(kHead, size)));
  bytes.remove_prefix(kHead + size);
  return cell;
}

Digest digest_cell(const SipKey& column_key, std::string_view row_key, const Value& value) {
  return RowDigester(row_key).digest(column_key, value);
}

RowDigester::RowDigester(std::string_view row_key) : row_key_(row_key) {
  const auto held = static_cast<unsigned>(row_key.size() % kWord);
  const auto length = static_cast<std::uint64_t>(row_key.size() & 0xffff'ffffU);
  rest_ = load_rest(bytes_of(row_key) + (row_key.size() - held), held) | length << (8 * held);
  rest_bytes_ = held + kLengthBytes;
  if (rest_bytes_ >= kWord) {
    last_word_ = rest_;
    rest_ = length >> (8 * (kWord - held));
  }
}

/// Calls `take_word` with each word that follows the whole words of the row's key. The last one has
/// the message's length in its highest byte (section 2.2 of the paper).
template <class Take>
void RowDigester::each_word_behind(const Value& value, Take&& take_word) const {
  auto held = rest_bytes_;  // bytes in `carry`
  if (held >= kWord) {
    take_word(last_word_);
    held -= kWord;
  }
  std::uint64_t carry = rest_ | static_cast<std::uint64_t>(value.kind()) << (8 * held);
  if (++held == kWord) {
    take_word(std::exchange(carry, 0));
    held = 0;
  }
  const auto take = [&](std::uint64_t word) {
    take_word(carry | word << (8 * held));
    carry = held == 0 ? 0 : word >> (8 * (kWord - held));
  };
  const auto* bytes = bytes_of(value.bytes());
  auto left = value.bytes().size();
  for (; left >= kWord; left -= kWord, bytes += kWord) {
    take(load_le(bytes));
  }
  const auto last = load_rest(bytes, left);
  if (held + left >= kWord) {
    take(last);
  } else {
    carry |= last << (8 * held);
  }
  const auto size = row_key_.size() + kLengthBytes + 1 + value.bytes().size();
  take_word(carry | static_cast<std::uint64_t>(size) << 56U);
}

Digest RowDigester::digest(const SipKey& column_key, const Value& value) const {
  SipState state(column_key);
  each_word_of(row_key_, [&](std::uint64_t word) { state.absorb(word); });
  each_word_behind(value, [&](std::uint64_t word) { state.absorb(word); });
  return {state.finish()};
}

/// The same for two cells at once. The two computations are independent, so the processor can run
/// them in parallel.
void RowDigester::digest_two(const SipKey* column_keys, const Value* values,
                             Digest* digests) const {
  if (std::max(values[0].bytes().size(), values[1].bytes().size()) > kShortBytes) {
    digests[0] = digest(column_keys[0], values[0]);
    digests[1] = digest(column_keys[1], values[1]);
    return;
  }
  std::array<std::uint64_t, kShortBytes / kWord + 3> first;
  std::array<std::uint64_t, kShortBytes / kWord + 3> second;
  std::size_t firsts = 0;
  std::size_t seconds = 0;
  each_word_behind(values[0], [&](std::uint64_t word) { first[firsts++] = word; });
  each_word_behind(values[1], [&](std::uint64_t word) { second[seconds++] = word; });
  SipState one(column_keys[0]);
  SipState other(column_keys[1]);
  each_word_of(row_key_, [&](std::uint64_t word) {
    one.absorb(word);
    other.absorb(word);
  });
  std::size_t at = 0;
  for (; at < std::min(firsts, seconds); ++at) {
    one.absorb(first[at]);
    other.absorb(second[at]);
  }
  for (auto i = at; i < firsts; ++i) {
    one.absorb(first[i]);
  }
  for (auto i = at; i < seconds; ++i) {
    other.absorb(second[i]);
  }
  digests[0].bits = one.finish();
  digests[1].bits = other.finish();
}

void RowDigester::digest(std::span<const SipKey> column_keys, std::span<const Value> values,
                         std::span<Digest> digests) const {
  std::size_t i = 0;
  for (; i + 1 < digests.size(); i += 2) {
    digest_two(&column_keys[i], &values[i], &digests[i]);
  }
  if (i < digests.size()) {
    digests[i] = digest(column_keys[i], values[i]);
  }
}

std::string pack(std::span<const Digest> digests) {
  std::string packed;
  pack(digests, packed);
  return packed;
}

void pack(std::span<const Digest> digests, std::string& packed) {
  packed.resize(digests.size() * sizeof(Digest::bits));
  char* to = packed.data();
  for (const auto digest : digests) {
    const auto word = in_order(digest.bits);
    std::memcpy(to, &word, sizeof word);
    to += sizeof word;
  }
}

std::vector<Digest> unpack_digests(std::string_view packed) {
  if (packed.size() % 8 != 0) {
    throw Failure(
        Code::integrity,
        "the base in the secondary is damaged: a row does not hold a whole number of digests",
        "restore the secondary from its backup, then run: abgleich adopt --reason TEXT. "
        "Nothing was changed");
  }
  std::vector<Digest> digests(packed.size() / 8);
  for (std::size_t i = 0; i < digests.size(); ++i) {
    digests[i].bits = load_le(reinterpret_cast<const std::uint8_t*>(packed.data()) + 8 * i);
  }
  return digests;
}

std::uint64_t fingerprint(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace abgleich
