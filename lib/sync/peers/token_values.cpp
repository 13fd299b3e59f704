#include "sync/peers/token_values.hpp"

#include "contract/document.hpp"
#include "contract/issued_tokens.hpp"
#include "contract/tokens.hpp"
#include "contract/words.hpp"
#include "core/error.hpp"
#include "core/fingerprint.hpp"
#include "core/token.hpp"
#include "db/primary/source.hpp"
#include "db/secondary/target.hpp"
#include "mask/returned_tokens.hpp"
#include "report/peer_commands.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"
#include "sync/run/books_key.hpp"
#include "sync/run/leaving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace abgleich::sync {

namespace {

/// Throws where the contract by which rows go to the peer makes no token of this column.
void expect_issued(const contract::Contract& sent, const contract::Resolves& resolves) {
  const auto* table = sent.find_table(resolves.table);
  const auto* issued = table == nullptr ? nullptr : table->find_column(resolves.column);
  if (issued == nullptr || !contract::is_issued(*issued)) {
    throw Failure(
        Code::configuration,
        fmt::format("the contract {} makes no tokens of {}, which a contract of what comes back "
                    "names in 'resolves'",
                    contract::in_quotes(sent.file.string()),
                    contract::in_quotes(resolves.table + "." + resolves.column)),
        "name a column as TABLE.COLUMN that has class = \"token\" and an identity there. Nothing "
        "was changed");
  }
}

/// As long as nobody has decided that other rows may go to the peer, it is not known which tokens
/// stand for something.
void expect_decided(const Pairing& sent, const std::string& peer, const Catalog& primary) {
  std::error_code unreadable;
  if (!std::filesystem::exists(sent.config.secondary.file, unreadable)) {
    return;
  }
  db::Target target(sent.config.secondary, db::Mode::dry);
  const auto head = open_to_look(sent, target);
  const auto keyring = keyring_of(head, read_keyring(sent.config));
  if (auto wider = refuse_widening(sent, target, head, keyring, primary)) {
    wider->hint = report::for_peer(wider->hint, text_of(PeerWay{.peer = peer, .way = Way::to}));
    throw Failure(std::move(*wider));
  }
}

/// The tokens of one column of a peer's rows.
class TokenValues final : public contract::IssuedTokens {
 public:
  struct Returned {
    Endpoint file;  // where the peer's rows are
    std::string table;
    std::string column;
  };

  TokenValues(contract::Config node, KnownPeer peer, Returned returned, contract::Resolves resolves,
              OnStatement on_statement)
      : node_(std::move(node)),
        peer_(std::move(peer)),
        returned_(std::move(returned)),
        resolves_(std::move(resolves)),
        on_statement_(std::move(on_statement)) {}

  std::optional<std::string_view> value_of(std::string_view token) override {
    read();
    return tokens_->value_of(token);
  }

  std::uint64_t mark() override {
    read();
    return mark_;
  }

 private:
  void read() {
    if (tokens_) {
      return;
    }
    const auto sent = complete_peer_pairing(node_, peer_, Way::to, on_statement_);
    expect_issued(sent.contract, resolves_);
    mask::ReturnedTokens tokens(sent.config.issuer);
    ask(tokens);
    if (!tokens.epochs().empty()) {
      learn(sent, tokens);
    }
    tokens_.emplace(std::move(tokens));
  }

  /// What the peer's rows have.
  void ask(mask::ReturnedTokens& tokens) const {
    db::Source source(returned_.file);
    const auto* table = source.catalog().find_table(returned_.table);
    const auto* column = table == nullptr ? nullptr : table->find_column(returned_.column);
    if (column == nullptr) {
      return;  // a drift of the peer's schema, which the run judges
    }
    source.read(table->name, {column}, [&](const RawRow& row) { tokens.ask(row.cells.front()); });
  }

  /// Makes the tokens of all values that go to this peer.
  void learn(const Pairing& sent, mask::ReturnedTokens& tokens) {
    db::Source source(sent.config.primary, filters_of(sent.contract));
    const auto& catalog = source.catalog();
    expect_decided(sent, peer_.pinned.name, catalog);
    const auto settled = settle_identities(sent, catalog);
    const auto* table = settled.contract.find_table(resolves_.table);
    const auto* there = catalog.find_table(resolves_.table);
    const auto* source_column = there == nullptr ? nullptr : there->find_column(resolves_.column);
    if (source_column == nullptr) {
      throw Failure(Code::drift_decision,
                    fmt::format("the primary has no column '{}.{}', which tokens of peer '{}' "
                                "stand for",
                                resolves_.table, resolves_.column, peer_.pinned.name),
                    fmt::format("look at it: abgleich drift --peer to:{}. Nothing of this peer was "
                                "changed",
                                peer_.pinned.name));
    }
    const auto keyring = mask::Keyring::read(sent.config.key_file);
    for (const int epoch : tokens.epochs()) {
      if (epoch > keyring.epoch()) {
        continue;  // of a key that was lost: they stand for nothing
      }
      const auto of_epoch = keyring.until(epoch).of_domain(sent.config.domain, sent.config.issuer);
      tokens.look(epoch,
                  {.column = *table->find_column(resolves_.column),
                   .source = source_column->type,
                   .keyring = of_epoch},
                  [&](const std::function<void(const RawRow&)>& on_row) {
                    source.read(table->name, {source_column}, on_row);
                  });
    }
    mark_ = tokens.mark(Fingerprinter(keyring.purpose_key("tokens")));
  }

  contract::Config node_;
  KnownPeer peer_;
  Returned returned_;
  contract::Resolves resolves_;
  OnStatement on_statement_;
  std::optional<mask::ReturnedTokens> tokens_;
  std::uint64_t mark_ = 0;
};

/// Throws where nothing that the peer gets has tokens of this column.
void expect_sent(const KnownPeer& peer, const contract::Column& column) {
  if (!peer.section.sends) {
    contract::refuse(
        column.place,
        fmt::format("tokens cannot come back from peer {}: nothing goes to it",
                    contract::in_quotes(peer.pinned.name)),
        fmt::format("write sends = \"CONTRACT\" into {}", contract::header_of(peer.section)));
  }
  expect_issued(contract::read_contract(*peer.section.sends), *column.resolves);
}

}  // namespace

void resolve_tokens(const contract::Config& node, const KnownPeer& peer, Pairing& from,
                    const OnStatement& on_statement) {
  for (auto& table : from.contract.tables) {
    for (auto& column : table.columns) {
      if (column.cls == contract::Class::token && !column.resolves &&
          std::ranges::find(table.key, column.name) != table.key.end()) {
        // else one peer could have what is written for its row sent to another one
        column.issuer = issuer_of(exchange::id_text(peer.pinned.card.id));
      }
      if (!column.resolves) {
        continue;
      }
      expect_sent(peer, column);
      column.issued = std::make_shared<TokenValues>(
          node, peer,
          TokenValues::Returned{
              .file = from.config.primary, .table = table.name, .column = column.name},
          *column.resolves, on_statement);
    }
  }
}

}  // namespace abgleich::sync
