#include "sync/peers/revoke.hpp"

#include "core/clock.hpp"
#include "core/error.hpp"
#include "db/peer/peer_database.hpp"
#include "exchange/hello_name.hpp"
#include "exchange/mailbox.hpp"
#include "exchange/node.hpp"
#include "exchange/peer_state.hpp"
#include "state/anchor.hpp"
#include "state/operator_name.hpp"
#include "sync/peers/peer_channel.hpp"
#include "sync/peers/peer_pairing.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <system_error>

namespace abgleich::sync {

namespace {

constexpr exchange::Moment kDay = 86'400;

/// The names of files in the mailbox: of ours for the peer, and of its own for us.
struct InMailbox {
  std::vector<std::string> ours;
  std::vector<std::string> theirs;
};

void add_hellos(const contract::Config& node, const exchange::Card& card, InMailbox& names) {
  const auto keys = exchange::Node::read(node.identity);
  const auto today = now_seconds() / kDay;
  for (const auto day : {today - 1, today, today + 1}) {
    const auto& ours = keys.card().id;
    if (auto name = exchange::hello_name(keys.seals(), card.seals, ours, card.id, day)) {
      names.ours.push_back(std::move(*name));
    }
    if (auto name = exchange::hello_name(keys.seals(), card.seals, card.id, ours, day)) {
      names.theirs.push_back(std::move(*name));
    }
  }
}

InMailbox boxes_of(db::PeerDatabase& kept) {
  InMailbox names;
  if (const auto text = kept.channel()) {
    const auto channel = exchange::parse_peer_state(*text).channel;
    for (const auto& box : channel.posted) {
      names.ours.push_back(exchange::box_text(box));
    }
    for (const auto* const boxes : {&channel.open, &channel.used}) {
      for (const auto& box : *boxes) {
        names.theirs.push_back(exchange::box_text(box));
      }
    }
  }
  return names;
}

/// Their bytes are overwritten, so that nothing that was sealed to them can be opened any more.
void destroy_grants(db::PeerDatabase& kept) {
  kept.begin();
  for (const auto& [box, sealed] : kept.grants()) {
    kept.remove_grant(box);
  }
  kept.commit();
}

void empty_mailbox(const contract::Config& node, InMailbox names, Revoked& done) {
  const auto* const section = contract::section_of(node.exchange, done.card.name);
  try {
    add_hellos(node, done.card.card, names);
  } catch (const Failure& failure) {  // the node's key cannot be read: then the boxes at least
    done.problem = failure.error().message;
  }
  try {
    const exchange::Mailbox mailbox(section != nullptr && section->mailbox ? *section->mailbox
                                                                           : node.exchange.mailbox);
    for (const auto* const some : {&names.ours, &names.theirs}) {
      for (const auto& name : *some) {
        if (mailbox.has(name)) {
          mailbox.remove(name);
          ++done.files;
        }
      }
    }
  } catch (const Failure& failure) {
    done.problem = failure.error().message;
    done.left = std::move(names.ours);
  }
}

void remove_database(const std::filesystem::path& file) {
  try {
    db::PeerDatabase::remove(file);
  } catch (const std::system_error& failed) {
    throw Failure(
        Code::configuration,
        fmt::format("'{}' cannot be removed: {}", file.string(), failed.code().message()),
        "look at the state directory, its owner and rights, then repeat this. The peer is revoked");
  }
}

}  // namespace

Revoked revoke(const contract::Config& node, const std::string& name, const std::string& reason) {
  const auto lock = lock_exchange(node);
  Revoked done{.card = exchange::revoke_card(node.cards, name,
                                             {.at = now_utc(),
                                              .by = state::operator_name(),
                                              .reason = reason})};  // counts from here on
  const PeerFiles files(node, name);
  std::error_code unreadable;
  done.has_sent = std::filesystem::exists(files.directory / "from", unreadable);
  remove_database(files.outbox);
  if (std::filesystem::exists(files.directory / "to", unreadable)) {
    state::clear_anchor(files.directory / "to");  // of the outbox
  }
  if (!std::filesystem::exists(files.channel, unreadable)) {
    return done;
  }
  done.keys_destroyed = false;
  try {
    auto kept = db::PeerDatabase::open(files.channel);
    destroy_grants(kept);
    done.keys_destroyed = true;
    empty_mailbox(node, boxes_of(kept), done);
  } catch (const Failure& failure) {
    done.problem = failure.error().message;
    if (failure.error().code == Code::integrity) {
      remove_database(files.channel);  // damaged: nothing more can be done with it
    }
    return done;
  }
  if (done.problem.empty()) {
    remove_database(files.channel);
  }  // else it has the names of what is left in the mailbox
  return done;
}

}  // namespace abgleich::sync
