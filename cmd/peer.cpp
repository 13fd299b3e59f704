// `abgleich peer`: this node among others, and the cards of those that a person has vouched for.
#include "command.hpp"
#include "contract/config.hpp"
#include "contract/words.hpp"
#include "core/replace_file.hpp"
#include "core/shortage.hpp"
#include "exchange/node.hpp"
#include "exchange/pinned_cards.hpp"
#include "exchange/revoked_cards.hpp"
#include "sync/peers/revoke.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <sys/stat.h>
#include <system_error>

namespace abgleich::cmd {

namespace {

struct InitArguments {
  std::string name;
};

struct CardArguments {
  std::optional<std::string> file;
};

struct RevokeArguments {
  std::string name;
  std::string reason;
};

struct AddArguments {
  std::string file;
  std::optional<std::string> fingerprint;
  std::optional<std::string> as;
};

void expect_peer_name(const std::string& name) {
  if (!exchange::is_peer_name(name)) {
    throw Failure(Code::usage, fmt::format("{} cannot be a peer's name", contract::in_quotes(name)),
                  std::string(exchange::kPeerNameRule));
  }
}

/// Writes the node's card, unless it is there already; never over another file.
void write_card(const std::filesystem::path& file, const std::string& text) {
  std::error_code error;
  if (std::filesystem::exists(std::filesystem::symlink_status(file, error))) {
    if (exchange::read_card_file(file.string()) == text) {
      return;
    }
    throw Failure(Code::key_or_trust,
                  fmt::format("'{}' exists already, and is not this node's card", file.string()),
                  "write the card somewhere else: abgleich peer card FILE");
  }
  try {
    replace_file(file, text, S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  } catch (const std::system_error& failed) {
    const auto shortage = shortage_of(failed.code().value());
    throw Failure(
        shortage ? shortage->code : Code::key_or_trust,
        fmt::format("the card '{}' cannot be written: {}", file.string(), failed.code().message()),
        shortage ? std::string(shortage->hint)
                 : "write it somewhere else: abgleich peer card FILE");
  }
}

std::filesystem::path place_of_card(const contract::Config& config, const exchange::Node& node) {
  return config.identity.parent_path() / (node.card().name + ".card");
}

nlohmann::ordered_json json_of(std::string_view schema, const std::string& name,
                               const exchange::Card& card, const std::filesystem::path& file,
                               const std::string& fingerprint) {
  return {{"schema", schema},      {"name", name},          {"id", exchange::id_text(card.id)},
          {"serial", card.serial}, {"file", file.string()}, {"fingerprint", fingerprint}};
}

/// What a peer needs from this node: the file, and the digits, which are sent separately.
std::string how_to_hand_over(const std::filesystem::path& file, const std::string& fingerprint) {
  return fmt::format(
      "card: {}\nfingerprint: {}\nsend the card to your peers by any means; read the fingerprint "
      "out to them on the telephone, never beside the card\n",
      file.string(), fingerprint);
}

Code init(const Context& context, const InitArguments& arguments) {
  expect_peer_name(arguments.name);
  const auto config = sync::load_config(context.config_file());
  const auto node = exchange::Node::generate(arguments.name, config.identity);
  const auto card = place_of_card(config, node);
  const auto text = node.signed_card();
  write_card(card, text);
  const auto fingerprint = exchange::fingerprint_of_card(text);
  if (context.json) {
    auto json = json_of("abgleich.peer-init/1", arguments.name, node.card(), card, fingerprint);
    json["identity"] = config.identity.string();
    print_json(json);
  } else if (context.loudness() != Loudness::problems) {
    print(fmt::format("made '{}', the secret keys of node '{}'; keep a copy of it in a safe\n{}",
                      config.identity.string(), arguments.name,
                      how_to_hand_over(card, fingerprint)));
  }
  return Code::done;
}

Code card(const Context& context, const CardArguments& arguments) {
  const auto config = sync::load_config(context.config_file());
  const auto node = exchange::Node::read(config.identity);
  const auto file =
      arguments.file ? std::filesystem::path(*arguments.file) : place_of_card(config, node);
  const auto text = node.signed_card();
  write_card(file, text);
  const auto fingerprint = exchange::fingerprint_of_card(text);
  if (context.json) {
    print_json(json_of("abgleich.peer-card/1", node.card().name, node.card(), file, fingerprint));
  } else if (context.loudness() != Loudness::problems) {
    print(how_to_hand_over(file, fingerprint));
  }
  return Code::done;
}

/// The digits in the form in which they are compared. Throws Failure where none were typed: the
/// card could be anybody's.
std::string typed_fingerprint(const AddArguments& arguments) {
  if (!arguments.fingerprint) {
    throw Failure(
        Code::key_or_trust,
        fmt::format("'{}' can be anybody's card: nobody has vouched for it", arguments.file),
        "call the peer, have `abgleich peer card` read out to you, and run: abgleich peer "
        "add FILE --fingerprint DIGITS. Nothing was added");
  }
  const auto typed = exchange::fingerprint_typed(*arguments.fingerprint);
  if (!typed) {
    throw Failure(Code::usage, "a fingerprint is 8 groups of 5 digits",
                  "write them in quotes: --fingerprint '12345 67890 …'");
  }
  return *typed;
}

Code add(const Context& context, const AddArguments& arguments) {
  if (arguments.as) {
    expect_peer_name(*arguments.as);
  }
  const auto typed = typed_fingerprint(arguments);
  const auto config = sync::load_config(context.config_file());
  const auto text = exchange::read_card_file(arguments.file);
  exchange::expect_fingerprint(text, arguments.file, typed);
  std::optional<exchange::Card> own;
  if (std::filesystem::exists(config.identity)) {
    own = exchange::Node::read(config.identity).card();
  }
  const auto [pinning, pinned] = exchange::pin_card(
      config.cards, {.text = text, .file = arguments.file, .name = arguments.as}, own);
  const bool added = pinning == exchange::Pinning::added;
  if (context.json) {
    auto json =
        json_of("abgleich.peer-add/1", pinned.name, pinned.card, pinned.file, pinned.fingerprint);
    json["added"] = added;
    print_json(json);
  } else if (context.loudness() != Loudness::problems) {
    print(fmt::format("{} '{}' in '{}'\n", added ? "pinned peer" : "it is pinned already: peer",
                      pinned.name, pinned.file.string()));
  }
  return Code::done;
}

Code revoke(const Context& context, const RevokeArguments& arguments) {
  const auto config = sync::load_config(context.config_file());
  const auto done = sync::revoke(config, arguments.name, arguments.reason);
  const auto& revoked = done.card;
  const auto code = done.problem.empty() ? Code::done : Code::try_again;
  if (context.json) {
    nlohmann::ordered_json json{{"schema", "abgleich.peer-revoke/1"},
                                {"name", revoked.name},
                                {"id", exchange::id_text(revoked.card.id)},
                                {"file", revoked.file.string()},
                                {"removed", done.files},
                                {"keys_destroyed", done.keys_destroyed},
                                {"exit", static_cast<int>(code)}};
    if (!done.problem.empty()) {
      json["problem"] = done.problem;
      json["left"] = done.left;
    }
    print_json(json);
    return code;
  }
  if (context.loudness() != Loudness::problems) {
    print(fmt::format(
        "revoked peer '{}'; {} removed from the mailbox{}\n{}", revoked.name,
        done.files == 1 ? "1 file" : fmt::format("{} files", done.files),
        done.keys_destroyed ? ", and the keys for it are destroyed" : "",
        done.has_sent ? fmt::format("its rows stay in the secondary: their bookkeeping is '{}'\n",
                                    books_of_peer(exchange::id_text(revoked.card.id)))
                      : std::string()));
  }
  if (!done.problem.empty()) {
    complain(fmt::format(
        "error: peer '{}' is revoked, but files that it can open may be left in the mailbox: {}\n"
        "hint: when that is mended, repeat: abgleich peer revoke {} --reason TEXT{}\n",
        revoked.name, done.problem, revoked.name,
        done.left.empty()
            ? std::string()
            : fmt::format("; or have the mailbox's host remove {}", fmt::join(done.left, ", "))));
  }
  return code;
}

Code list(const Context& context) {
  const auto config = sync::load_config(context.config_file());
  const auto all = exchange::pinned_cards(config.cards);
  const auto revoked = exchange::revoked_cards(config.cards);
  for (const auto& pinned : all) {
    if (context.json) {
      auto json =
          json_of("abgleich.peer/1", pinned.name, pinned.card, pinned.file, pinned.fingerprint);
      json["calls_itself"] = pinned.card.name;
      print_json(json);
    } else {
      print(fmt::format("{}{}  fingerprint {}\n", pinned.name,
                        pinned.card.name == pinned.name
                            ? std::string()
                            : fmt::format(" (calls itself {})", pinned.card.name),
                        pinned.fingerprint));
    }
  }
  for (const auto& card : revoked) {
    const auto& [at, by, reason] = card.revocation;
    if (context.json) {
      auto json = json_of("abgleich.peer/1", card.name, card.card, card.file, card.fingerprint);
      json["calls_itself"] = card.card.name;
      json["revoked"] = {{"at", at}, {"by", by}, {"reason", reason}};
      print_json(json);
    } else {
      print(fmt::format("{}  revoked at {} by {}: {}\n", card.name, at, by, reason));
    }
  }
  if (all.empty() && revoked.empty() && !context.json && context.loudness() != Loudness::problems) {
    print("no peers; add one: abgleich peer add FILE --fingerprint DIGITS\n");
  }
  return Code::done;
}

}  // namespace

void setup_peer(CommandLine app, Context& context) {
  auto command = app.add_subcommand("peer", "other abgleichs: this node's card, and theirs");
  command.require_subcommand();
  command.fallthrough();

  auto making = command.add_subcommand("init", "make this node's keys and card; never overwrites");
  const auto made = std::make_shared<InitArguments>();
  making
      .add_option("--name", made->name, "what this node is called: small letters, digits, hyphens")
      .required()
      .type_name("NAME");
  making.callback(
      [&context, made] { context.run = [&context, made] { return init(context, *made); }; });

  auto showing = command.add_subcommand("card", "write this node's card and show its fingerprint");
  const auto shown = std::make_shared<CardArguments>();
  showing.add_option("FILE", shown->file, "where to; NAME.card beside the node's keys")
      .type_name("");
  showing.callback(
      [&context, shown] { context.run = [&context, shown] { return card(context, *shown); }; });

  auto adding = command.add_subcommand("add", "pin a peer's card, whose fingerprint was read out");
  const auto added = std::make_shared<AddArguments>();
  adding.add_option("FILE", added->file, "the card").required().type_name("");
  adding
      .add_option("--fingerprint", added->fingerprint,
                  "40 digits that the peer has read out to you on the telephone")
      .type_name("DIGITS");
  adding.add_option("--as", added->as, "what it is called here; without it, as it calls itself")
      .type_name("NAME");
  adding.callback(
      [&context, added] { context.run = [&context, added] { return add(context, *added); }; });

  auto revoking = command.add_subcommand(
      "revoke", "stop the exchange with a peer for good, and destroy its keys");
  const auto gone = std::make_shared<RevokeArguments>();
  revoking.add_option("PEER", gone->name, "what it is called here").required().type_name("");
  revoking.add_option("--reason", gone->reason, "why, for those who ask later")
      .required()
      .type_name("TEXT");
  revoking.callback(
      [&context, gone] { context.run = [&context, gone] { return revoke(context, *gone); }; });

  command.add_subcommand("list", "the peers that are pinned, and those that were revoked")
      .callback([&context] { context.run = [&context] { return list(context); }; });
}

}  // namespace abgleich::cmd
