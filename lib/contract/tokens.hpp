// Tokens: pseudonyms that come back. In which contracts they may be, and what one has that sends
// nothing else about persons.
#pragma once

#include "contract/config.hpp"
#include "contract/contract.hpp"

#include <string_view>

namespace abgleich::contract {

/// Whether the column has tokens that this node makes.
bool is_issued(const Column& column);

/// With `tokens_only`: the key of every table is one token that is made here, and every other
/// column that leaves is a token, generalised, or of a list of codes; all but tokens are among the
/// quasi-identifiers. Throws Failure{configuration}.
void expect_only_tokens(const Contract& contract);

/// Throws Failure{configuration} where a contract has tokens that are not for it: made for anybody
/// but a peer; turned back anywhere but where rows of a peer come into a secondary that is the
/// primary's side of the wall (`inbox`); or `tokens_only`, and no k.
void expect_tokens_fit(const Config& config, const Contract& contract);

/// Reads what tokens of the contract stand for. To be called before a run locks a database, which
/// may be the one that is read here. Throws what IssuedTokens::mark throws.
void read_issued(const Contract& contract);

}  // namespace abgleich::contract
