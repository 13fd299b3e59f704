// Which rows of a contract with `route` and `follows` each peer gets. Pure: conditions are made of
// what the peers take, and servers answer them.
#pragma once

#include "contract/contract.hpp"
#include "contract/peers.hpp"
#include "contract/place.hpp"
#include "core/condition.hpp"

#include <optional>
#include <string>
#include <vector>

namespace abgleich::contract {

/// What one peer takes of a contract, and what the other peers do that get the same one.
struct Routes {
  Takes own;
  std::vector<Takes> others;
  std::string issuer;  // the mark of the peer in the tokens that it issues
  std::string header;  // of the peer's section, and its place: for messages
  Place place;
};

/// The contract as this peer gets it. Of a table with `route`, it gets the rows whose value it
/// takes and, unless the table is `shared`, no other peer does; where that value is a token, those
/// whose token it has issued; of a table with `follows`, those whose row of the other table it
/// gets. Throws Failure{configuration} where it takes nothing of a
/// table that is routed, or something by which none is.
Contract routed(Contract contract, const Routes& routes);

/// Throws Failure{configuration} where a table is routed: the contract is not one that peers get.
void expect_not_routed(const Contract& contract);

/// The rows of one routed table, as conditions on it. Whatever is in `all` and not in `going` goes
/// to no peer.
struct RoutedRows {
  std::string table;
  std::string column;              // that it is routed by; where it follows others: of the first
  std::optional<Condition> all;    // that may leave; empty: every row
  std::optional<Condition> going;  // to one peer, or with a row that goes; empty: none
  std::optional<Condition>
      disputed;  // that several peers take, so that none gets them; empty: none
};

/// All peers that get one contract.
struct Takers {
  std::vector<Takes> takes;          // of each section
  std::vector<std::string> issuers;  // the mark of each peer in the tokens that it issues
};

/// One for each table that is routed, in their order. A peer that lacks a column counts as one that
/// takes nothing by it.
std::vector<RoutedRows> routed_rows(const Contract& contract, const Takers& all);

}  // namespace abgleich::contract
