#include "core/base32.hpp"
#include "core/error.hpp"
#include "core/hex.hpp"
#include "core/token.hpp"
#include "exchange/card.hpp"
#include "exchange/manifest.hpp"
#include "exchange/manifest_rules.hpp"
#include "exchange/node.hpp"
#include "exchange/not_applied.hpp"
#include "exchange/record_parser.hpp"
#include "exchange/record_writer.hpp"
#include "fuzz/parser.hpp"
#include "seal/age_header.hpp"
#include "seal/age_key.hpp"
#include "seal/bech32.hpp"
#include "seal/unopened.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <vector>

namespace abgleich::fuzz {

namespace {

const seal::SigningKey& known_key() {
  static const seal::SigningKey kKey(std::array<std::uint8_t, seal::SigningKey::kSeedSize>{1, 2});
  return kKey;
}

std::string known_card() {
  return exchange::card_text({.name = "ga-north",
                              .seals = seal::Identity::generate().recipient(),
                              .signs = known_key().verifier()},
                             known_key());
}

/// Refused with 25, in one line, or understood.
template <class Parse>
Outcome understood_or_untrusted(const Parse& parse) {
  try {
    parse();
    return Outcome::understood;
  } catch (const Failure& failure) {
    const auto& error = failure.error();
    promise(error.code == Code::key_or_trust, "refused with another code");
    promise(!error.message.empty() && error.message.find('\n') == std::string::npos,
            "the message is no line");
    promise(!error.hint.empty() && error.hint.find('\n') == std::string::npos,
            "the hint is no line");
    return Outcome::refused;
  }
}

/// One text stands for one card.
Outcome take_card(std::string_view bytes) {
  return understood_or_untrusted([&] {
    const auto card = exchange::parse_card(bytes, "a.card");
    promise(card.signs != known_key().verifier() || exchange::card_text(card, known_key()) == bytes,
            "a card is not written as it was read");
    promise(exchange::is_peer_name(card.name), "a card has a name that is none");
  });
}

/// Whatever the lines before the signature are, its owner has signed them.
Outcome take_signed_card(std::string_view lines) {
  const auto signature = known_key().sign("abgleich.card/1 signature\n", seal::hash_of(lines));
  return take_card(std::string(lines) + "signature " + hex(signature) + "\n");
}

std::string lines_of(const std::string& card) {
  return card.substr(0, card.rfind("signature "));
}

constexpr const char* kNode =
    "abgleich-node 1\nid aaaqeayeaudaocajbifqydiob4\nserial 1\nname ga-north\n"
    "seals AGE-SECRET-KEY-1GPQ5YS6YG4RYWJZFFF95CN2WFAG9Z5JN2324V46CT9D9KHZATE0S5FAZ64\n"
    "signs 202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f\n"
    "checksum c2127dd33291aba7a9296d74c36f4eaa\n";

Outcome take_node(std::string_view bytes) {
  return understood_or_untrusted([&] {
    const auto text = exchange::Node::parse(bytes, "node.key").text();
    promise(std::ranges::equal(
                text.bytes(), bytes,
                [](std::uint8_t byte, char c) { return byte == static_cast<std::uint8_t>(c); }),
            "a node is not written as it was read");
  });
}

/// One text stands for one header.
Outcome take_age_header(std::string_view bytes) {
  try {
    const auto header = seal::parse_age_header(bytes);
    auto text = seal::age_header_text(header.stanzas);
    promise(text.size() == header.mac_covers, "the MAC covers something else");
    text += seal::age_header_end(header.mac);
    promise(text == bytes.substr(0, header.size), "a header is not written as it was read");
    return Outcome::understood;
  } catch (const seal::Unopened&) {
    return Outcome::refused;
  }
}

/// One text in small letters stands for some bytes, and its capitals for the same.
Outcome take_bech32(std::string_view text) {
  const auto parts = seal::read_bech32(text);
  if (!parts) {
    return Outcome::refused;
  }
  std::string bytes(parts->digits.size() * 5 / 8, '\0');
  const std::span out(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size());
  if (!seal::bytes_of(*parts, out)) {
    return Outcome::refused;
  }
  std::string prefix(parts->prefix);
  std::string small(text);
  for (auto* const part : {&prefix, &small}) {
    std::ranges::transform(*part, part->begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
  }
  std::string again(seal::bech32_size(prefix, bytes.size()), '\0');
  seal::write_bech32(prefix, out, seal::Letters::small, again);
  promise(again == small, "a text is not written as it was read");
  return Outcome::understood;
}

exchange::Manifest known_manifest() {
  exchange::Manifest manifest{.from = {1}, .to = {2}, .box = exchange::BoxName{3}};
  manifest.message = {.mark = {.seq = 7, .id = {4}},
                      .trail = {{6, {5}}, {7, {4}}},
                      .seen = exchange::Mark{.seq = 9, .id = {6}},
                      .rows = exchange::Message::Rows::changes,
                      .from = 6};
  manifest.grants = {{.box = {7}, .key = seal::Identity::generate().recipient()}};
  manifest.tables = {{.name = "visit",
                      .columns = {{.name = "id", .type = "integer", .in_key = true},
                                  {.name = "note", .type = "varchar(20)"}},
                      .rows = 3,
                      .gone = 1}};
  return manifest;
}

/// What is understood is sound, and stays the same when it is written.
Outcome take_manifest(std::string_view bytes) {
  try {
    const auto manifest = exchange::parse_manifest(bytes);
    promise(exchange::is_sound(manifest), "a manifest is not sound");
    promise(exchange::flaw_of(manifest.tables).empty(), "a table has a flaw");
    promise(manifest.message.grants.size() == manifest.grants.size(), "a grant is missing");
    const auto text = exchange::manifest_text(manifest);
    promise(exchange::manifest_text(exchange::parse_manifest(text)) == text,
            "a manifest is not read as it was written");
    return Outcome::understood;
  } catch (const exchange::NotApplied&) {
    return Outcome::refused;
  }
}

/// Two tables: with two rows and the key of one that is gone, and with one row.
const std::vector<exchange::SentTable>& known_tables() {
  static const std::vector<exchange::SentTable> kTables{
      {.name = "visit",
       .columns = {{.name = "id", .in_key = true}, {.name = "note"}, {.name = "weight"}},
       .rows = 2,
       .gone = 1},
      {.name = "guest", .columns = {{.name = "name", .in_key = true}}, .rows = 1}};
  return kTables;
}

std::string known_records(const std::string& text) {
  using What = exchange::Record::What;
  std::string bytes;
  exchange::RecordWriter writer(known_tables(), [&](std::span<const std::uint8_t> part) {
    bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
  });
  writer.add(What::row, 0, {{Kind::integer, "42"}, {Kind::text, text}, {Kind::real, "0.1"}});
  writer.add(What::gone, 0, {{Kind::bytes, text}});
  writer.add(What::row, 0, {{Kind::text, "a"}, {}, {Kind::real, "-1e+22"}});
  writer.add(What::row, 1, {{Kind::bytes, text}});
  writer.end();
  return bytes;
}

/// One text stands for one list of records, in whatever pieces it comes.
Outcome take_records(std::string_view bytes) {
  const std::span all(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  std::string again;
  exchange::RecordWriter writer(known_tables(), [&](std::span<const std::uint8_t> part) {
    again.append(reinterpret_cast<const char*>(part.data()), part.size());
  });
  const auto understood = [&](std::size_t step, const exchange::OnRecord& on_record) {
    try {
      exchange::RecordParser parser(known_tables(), on_record);
      for (std::size_t at = 0; at < all.size(); at += step) {
        parser.add(all.subspan(at, std::min(step, all.size() - at)));
      }
      parser.finish();
      return true;
    } catch (const exchange::NotApplied&) {
      return false;
    }
  };
  std::vector<exchange::Record> whole;
  const bool outcome = understood(bytes.size() + 1, [&](const exchange::Record& record) {
    whole.push_back(record);
    writer.add(record.what, record.table, record.cells);
  });
  std::vector<exchange::Record> pieces;
  promise(understood(3, [&](const auto& record) { pieces.push_back(record); }) == outcome &&
              pieces == whole,
          "records depend on the pieces in which they come");
  if (!outcome) {
    return Outcome::refused;
  }
  writer.end();
  promise(again == bytes, "records are not written as they were read");
  return Outcome::understood;
}

/// One text stands for one token, so that nothing else passes for one.
Outcome take_token(std::string_view text) {
  const auto token = read_token(text);
  if (!token) {
    return Outcome::refused;
  }
  auto again = fmt::format("t{}_{}_", token->epoch, token->issuer);
  append_base32(token->digits, again);
  promise(again == text, "a token is not written as it was read");
  return Outcome::understood;
}

}  // namespace

std::vector<Parser> peer_parsers() {
  const auto card = known_card();
  return {
      {"card", {card}, take_card},
      {"signed-card", {lines_of(card)}, take_signed_card},
      {"node-key", {kNode}, take_node},
      {"age-header",
       {"age-encryption.org/v1\n-> X25519 TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc\n"
        "hjabGXwSLQ9c3S6Lw2i+S2Tu2fiwQHHslbBN6B41FLE\n-> grease a b\n\n"
        "--- WyJp9F/9FOZh7gJdheq2WIJcwHgYc8NIVh3ddwhrcNg\n"},
       take_age_header},
      {"bech32",
       {"age10xnrrmk7r0uunrcjqvkdatwsu7s8jwv0c7rt3rxggmkgntu955dq25yyzj",
        "AGE-SECRET-KEY-1GPQ5YS6YG4RYWJZFFF95CN2WFAG9Z5JN2324V46CT9D9KHZATE0S5FAZ64"},
       take_bech32},
      {"bundle-manifest",
       {exchange::manifest_text(known_manifest()),
        exchange::manifest_text(
            {.from = {1}, .to = {2}, .message = {.mark = {.seq = 1}, .lacks_grants = true}})},
       take_manifest},
      {"bundle-records", {known_records("x"), known_records(std::string(300, 'y'))}, take_records},
      {"token", {"t1_bbbbbb_4zb2xwafjd36indocwmhxhblde"}, take_token},
  };
}

}  // namespace abgleich::fuzz
