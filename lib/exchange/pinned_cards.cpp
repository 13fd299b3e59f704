#include "exchange/pinned_cards.hpp"

#include "contract/trust.hpp"
#include "core/error.hpp"
#include "core/replace_file.hpp"
#include "core/shell_word.hpp"
#include "core/token.hpp"
#include "exchange/card_directory.hpp"
#include "exchange/revoked_cards.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <sys/stat.h>
#include <system_error>
#include <utility>

namespace abgleich::exchange {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTrusted = "the peers' card";

/// The hint for a file that is not a card any more: how to put the card of this peer in its place.
std::string pin_again(const fs::path& file, const std::string& name) {
  return fmt::format(
      "take it away and pin the peer's card again: `rm {}`, then `abgleich peer add "
      "FILE --fingerprint DIGITS --as {}`",
      in_shell(file.string()), name);
}

[[noreturn]] void refuse_pin(std::string message, std::string hint) {
  throw Failure(Code::key_or_trust, std::move(message), std::move(hint));
}

PinnedCard read_pinned(const fs::path& file) {
  const auto name = file.stem().string();
  if (!is_peer_name(name)) {
    refuse_pin(fmt::format("'{}' is not named as a peer can be", file.string()),
               fmt::format("{}.card; rename the file, or take it away: `rm {}`", kPeerNameRule,
                           in_shell(file.string())));
  }
  contract::expect_own(file, kTrusted);
  const auto remedy = pin_again(file, name);
  const auto text = read_card_file(
      file.string(), "only cards belong into the directory of cards: move it elsewhere");
  return {.name = name,
          .file = file,
          .card = parse_card(text, file.string(), remedy),
          .fingerprint = fingerprint_of_card(text)};
}

/// What two cards have in common that only one may have; empty: nothing.
std::string_view shared(const Card& a, const Card& b) {
  return a.id == b.id         ? "is of the same node"
         : a.signs == b.signs ? "has the same key to sign"
         : a.seals == b.seals ? "has the same key to seal to"
         // one in 2^30; the tokens of the two could not be told apart
         : issuer_of(id_text(a.id)) == issuer_of(id_text(b.id)) ? "has an id that begins the same"
                                                                : "";
}

void expect_no_other(const std::vector<PinnedCard>& all, const Card& card, const NewCard& fresh) {
  for (const auto& pinned : all) {
    if (const auto what = shared(pinned.card, card); !what.empty()) {
      refuse_pin(fmt::format("'{}' {} as the pinned peer '{}', and is another card", fresh.file,
                             what, pinned.name),
                 fmt::format("ask them what has happened; if they have new keys, take the old card "
                             "away (`rm {}`) and add the new one",
                             in_shell(pinned.file.string())));
    }
  }
}

void expect_not_revoked(const fs::path& directory, const Card& card, const NewCard& fresh,
                        const std::string& name) {
  for (const auto& revoked : revoked_cards(directory)) {
    if (!shared(revoked.card, card).empty()) {
      refuse_pin(
          fmt::format("'{}' is of a node that was revoked: peer '{}', at {} by {}: {}", fresh.file,
                      revoked.name, revoked.revocation.at, revoked.revocation.by,
                      revoked.revocation.reason),
          fmt::format("if it is to be a peer again, take that back (`rm {}`) and add it anew",
                      in_shell(revoked.file.string())));
    }
    if (revoked.name == name) {
      refuse_pin(fmt::format("a peer that was revoked is called '{}'", name),
                 "names are yours to give: repeat it with --as and another name");
    }
  }
}

}  // namespace

std::vector<PinnedCard> pinned_cards(const fs::path& directory) {
  contract::expect_own(directory, "the directory of the peers' cards");
  std::vector<PinnedCard> all;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == kCardExtension &&
        !is_revoked(directory, entry->path().stem().string())) {
      all.push_back(read_pinned(entry->path()));
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    CardDirectory::cannot(directory, error.value());
  }
  std::ranges::sort(all, {}, &PinnedCard::name);
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t other = i + 1; other < all.size(); ++other) {
      if (const auto what = shared(all[i].card, all[other].card); !what.empty()) {
        refuse_pin(
            fmt::format("'{}' {} as '{}'", all[other].file.string(), what, all[i].file.string()),
            fmt::format("a peer is pinned once: take one of the two away, `rm {}` or `rm {}`",
                        in_shell(all[other].file.string()), in_shell(all[i].file.string())));
      }
    }
  }
  for (const auto& revoked : revoked_cards(directory)) {
    for (const auto& pinned : all) {
      if (const auto what = shared(pinned.card, revoked.card); !what.empty()) {
        refuse_pin(fmt::format("'{}' {} as '{}', which was revoked", pinned.file.string(), what,
                               revoked.name),
                   fmt::format("take the card away: `rm {}`; or, if it is to be a peer again: `rm "
                               "{}`",
                               in_shell(pinned.file.string()), in_shell(revoked.file.string())));
      }
    }
  }
  return all;
}

Pin pin_card(const fs::path& directory, const NewCard& fresh, const std::optional<Card>& own) {
  auto card = parse_card(fresh.text, fresh.file);
  if (own && !shared(*own, card).empty()) {
    refuse_pin(fmt::format("'{}' is this node's own card, or has one of its keys", fresh.file),
               "add the card that the peer has sent you");
  }
  const auto name = fresh.name.value_or(card.name);
  const auto file = directory / (name + std::string(kCardExtension));
  if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    CardDirectory::cannot(directory, errno);
  }
  const CardDirectory locked(directory);
  const auto all = pinned_cards(directory);
  const auto fingerprint = fingerprint_of_card(fresh.text);
  const auto same = std::ranges::find(all, fingerprint, &PinnedCard::fingerprint);
  if (same != all.end()) {
    return {.pinning = Pinning::was_there, .card = *same};
  }
  expect_no_other(all, card, fresh);
  expect_not_revoked(directory, card, fresh, name);
  if (std::ranges::find(all, name, &PinnedCard::name) != all.end()) {
    refuse_pin(fmt::format("another peer is pinned as '{}'", name),
               "names are yours to give: repeat it with --as and another name");
  }
  try {
    replace_file(file, fresh.text, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
    locked.sync();
  } catch (const std::system_error& error) {
    CardDirectory::cannot(directory, error.code().value());
  }
  return {
      .card = {.name = name, .file = file, .card = std::move(card), .fingerprint = fingerprint}};
}

}  // namespace abgleich::exchange
