#include "exchange/node.hpp"

#include "core/checked_text.hpp"
#include "core/error.hpp"
#include "core/hex.hpp"
#include "core/shell_word.hpp"
#include "exchange/fields.hpp"
#include "seal/secret_file.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <utility>

namespace abgleich::exchange {

namespace {

constexpr std::string_view kNodeWord = "abgleich-node";
constexpr std::string_view kNodeVersion = "1";

constexpr auto kRestore =
    "restore the file from your backup; new keys are a new node, which every peer has to add again";

[[noreturn]] void refuse_node(const std::string& file, std::string_view what,
                              std::string hint = kRestore) {
  throw Failure(Code::key_or_trust, fmt::format("node key '{}' {}", file, what), std::move(hint));
}

Checksum checksum_of(std::string_view text) {
  return checksum_from(seal::hash_of(text));
}

}  // namespace

Node::Node(Card card, seal::Identity seals, seal::SigningKey signs)
    : card_(std::move(card)), seals_(std::move(seals)), signs_(std::move(signs)) {
  card_.seals = seals_.recipient();
  card_.signs = signs_.verifier();
}

Node Node::generate(const std::string& name, const std::filesystem::path& file) {
  start_sodium();
  Card card{.name = name};
  randombytes_buf(card.id.data(), card.id.size());
  Node node(std::move(card), seal::Identity::generate(), seal::SigningKey::generate());
  seal::write_secret_file(kNodeFile, file, node.text().bytes());
  return node;
}

Node Node::read(const std::filesystem::path& file) {
  const auto text = seal::read_secret_file(kNodeFile, file);
  return parse({reinterpret_cast<const char*>(text.bytes().data()), text.bytes().size()},
               file.string());
}

Node Node::parse(std::string_view text, const std::string& file) {
  if (text.find("\r\n") != std::string_view::npos) {
    refuse_node(file, "has Windows line ends",
                fmt::format("run `sed -i 's/\\r$//' {}`", in_shell(file)));
  }
  const auto version = Fields(text).take(kNodeWord);
  if (!version) {
    refuse_node(file, "is not the key of a node");
  }
  if (*version != kNodeVersion) {
    refuse_node(file, "has a version that this abgleich does not know",
                "use the version of abgleich that wrote it, or a newer one");
  }
  const auto [body, wrong] = checked_text(text, checksum_of);
  if (!wrong.empty()) {
    refuse_node(file, wrong);
  }
  Fields fields(body);
  (void)fields.take(kNodeWord);
  const auto id = fields.take("id");
  const auto serial = fields.take("serial");
  const auto name = fields.take("name");
  const auto seals = fields.take("seals");
  const auto signs = fields.take("signs");
  if (!id || !serial || !name || !seals || !signs || !fields.at_end()) {
    refuse_node(file, "is damaged: a line is missing or one too many");
  }
  Card card;
  const auto number = read_serial(*serial);
  auto identity = seal::Identity::from_text(*seals);
  Subkey seed;
  if (!read_id(*id, card.id) || !number || !is_peer_name(*name) || !identity ||
      !read_hex(*signs, seed.bytes())) {
    refuse_node(file, "is damaged: a line is not as it has to be");
  }
  card.serial = *number;
  card.name = *name;
  return {std::move(card), std::move(*identity),
          seal::SigningKey(std::as_const(seed).bytes().first<seal::SigningKey::kSeedSize>())};
}

LockedMemory Node::text() const {
  const auto head = fmt::format("{} {}\nid {}\nserial {}\nname {}\nseals ", kNodeWord, kNodeVersion,
                                id_text(card_.id), card_.serial, card_.name);
  constexpr std::string_view kSigns = "\nsigns ";
  constexpr auto kSeedDigits = 2 * seal::SigningKey::kSeedSize;
  const auto body = head.size() + seal::Identity::kTextSize + kSigns.size() + kSeedDigits + 1;
  LockedMemory text(body + kChecksumLine);
  auto* const begin = reinterpret_cast<char*>(text.bytes().data());
  auto* to = std::ranges::copy(head, begin).out;
  seals_.write_text(std::span<char, seal::Identity::kTextSize>(to, seal::Identity::kTextSize));
  to = std::ranges::copy(kSigns, to + seal::Identity::kTextSize).out;
  // directly into the locked text: the line end that follows overwrites the NUL
  write_hex(signs_.seed(), to);
  to += kSeedDigits;
  *to++ = '\n';
  const auto checksum = hex(checksum_of({begin, body}));
  to = std::ranges::copy(kChecksumWord, to).out;
  to = std::ranges::copy(checksum, to).out;
  *to = '\n';
  return text;
}

}  // namespace abgleich::exchange
