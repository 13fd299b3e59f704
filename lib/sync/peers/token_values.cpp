#include "sync/peers/token_values.hpp"

#include "contract/document.hpp"
#include "contract/issued_tokens.hpp"
#include "contract/tokens.hpp"
#include "contract/words.hpp"
#include "core/error.hpp"
#include "core/fingerprint.hpp"
#include "db/primary/source.hpp"
#include "mask/returned_tokens.hpp"
#include "sync/mapping/settle_identities.hpp"
#include "sync/mapping/table_mapping.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace abgleich::sync {

namespace {

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

/// Throws where the contract by which rows go to the peer makes no token of this column.
void expect_issued(const KnownPeer& peer, const contract::Column& column) {
  const auto& resolves = *column.resolves;
  const auto name = fmt::format("{}.{}", resolves.table, resolves.column);
  if (!peer.section.sends) {
    contract::refuse(
        column.place,
        fmt::format("tokens of {} cannot come back from peer {}: nothing goes to it",
                    contract::in_quotes(name), contract::in_quotes(peer.pinned.name)),
        fmt::format("write sends = \"CONTRACT\" into {}", contract::header_of(peer.section)));
  }
  const auto sent = contract::read_contract(*peer.section.sends);
  const auto* table = sent.find_table(resolves.table);
  const auto* issued = table == nullptr ? nullptr : table->find_column(resolves.column);
  if (issued == nullptr || !contract::is_issued(*issued)) {
    contract::refuse(
        column.place,
        fmt::format("the contract {} makes no tokens of {}",
                    contract::in_quotes(peer.section.sends->string()), contract::in_quotes(name)),
        fmt::format("name a column as TABLE.COLUMN that has class = \"token\" and an identity "
                    "there"));
  }
}

}  // namespace

void resolve_tokens(const contract::Config& node, const KnownPeer& peer, Pairing& from,
                    const OnStatement& on_statement) {
  for (auto& table : from.contract.tables) {
    for (auto& column : table.columns) {
      if (!column.resolves) {
        continue;
      }
      expect_issued(peer, column);
      column.issued = std::make_shared<TokenValues>(
          node, peer,
          TokenValues::Returned{
              .file = from.config.primary, .table = table.name, .column = column.name},
          *column.resolves, on_statement);
    }
  }
}

}  // namespace abgleich::sync
