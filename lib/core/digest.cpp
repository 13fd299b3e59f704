#include "core/digest.hpp"

#include "core/error.hpp"

#include <xxhash.h>

#include <array>
#include <bit>
#include <cstring>

namespace abgleich {

namespace {

std::uint64_t swap_bytes(std::uint64_t word) {
  std::uint64_t swapped = 0;
  for (unsigned shift = 0; shift < 64; shift += 8) {
    swapped = swapped << 8U | (word >> shift & 0xffU);
  }
  return swapped;
}

/// Little endian in memory, whatever the machine's order.
std::uint64_t in_order(std::uint64_t word) {
  return std::endian::native == std::endian::little ? word : swap_bytes(word);
}

std::uint64_t load_le(const std::uint8_t* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return in_order(word);
}

/// The four words of SipHash's state and its round (section 2.2 of the paper).
struct SipState {
  std::uint64_t v0, v1, v2, v3;

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
};

void append_le32(std::size_t number, std::string& out) {
  const std::array<char, 4> bytes{
      static_cast<char>(number & 0xffU), static_cast<char>(number >> 8U & 0xffU),
      static_cast<char>(number >> 16U & 0xffU), static_cast<char>(number >> 24U & 0xffU)};
  out.append(bytes.data(), bytes.size());
}

}  // namespace

std::uint64_t siphash(const SipKey& key, std::span<const std::uint8_t> message) {
  const auto k0 = load_le(key.data());
  const auto k1 = load_le(key.data() + 8);
  SipState state{k0 ^ 0x736f6d6570736575U, k1 ^ 0x646f72616e646f6dU, k0 ^ 0x6c7967656e657261U,
                 k1 ^ 0x7465646279746573U};
  const auto whole = message.size() / 8 * 8;
  for (std::size_t at = 0; at < whole; at += 8) {
    state.absorb(load_le(message.data() + at));
  }
  std::uint64_t last = static_cast<std::uint64_t>(message.size()) << 56U;
  for (std::size_t at = whole; at < message.size(); ++at) {
    last |= static_cast<std::uint64_t>(message[at]) << (8 * (at - whole));
  }
  state.absorb(last);
  state.v2 ^= 0xff;
  for (int i = 0; i < 4; ++i) {
    state.round();
  }
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

void append_key_bytes(const Value& key_cell, std::string& out) {
  out += static_cast<char>(key_cell.kind());
  append_le32(key_cell.bytes().size(), out);
  out += key_cell.bytes();
}

Digest digest_cell(const SipKey& column_key, std::string_view row_key, const Value& value,
                   std::string& scratch) {
  scratch.assign(row_key);
  append_le32(row_key.size(), scratch);
  scratch += static_cast<char>(value.kind());
  scratch += value.bytes();
  return {
      siphash(column_key, {reinterpret_cast<const std::uint8_t*>(scratch.data()), scratch.size()})};
}

std::string pack(std::span<const Digest> digests) {
  std::string packed(digests.size() * sizeof(Digest::bits), '\0');
  char* to = packed.data();
  for (const auto digest : digests) {
    const auto word = in_order(digest.bits);
    std::memcpy(to, &word, sizeof word);
    to += sizeof word;
  }
  return packed;
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
