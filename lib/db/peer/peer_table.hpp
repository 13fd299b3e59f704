// The tables that two nodes exchange, as one describes them to the other: names, declared types and
// keys. They come from another node, so everything about them is checked before they are made.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::db {

struct PeerColumn {
  std::string name;
  std::string type;  // as it is declared in the sender's file, see `is_peer_type`
  bool in_key = false;

  bool operator==(const PeerColumn&) const = default;
};

struct PeerTable {
  std::string name;
  std::vector<PeerColumn> columns;

  /// The places of the key's columns. A key's cells are always in this order.
  [[nodiscard]] std::vector<std::size_t> key() const;

  bool operator==(const PeerTable&) const = default;
};

/// What a peer has sent cannot be kept as it is; the text says why, without a name or a value of
/// the peer. Whoever reads the message refuses all of it.
class Unstorable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Whether a declared type may be sent: at most 64 letters, digits, blanks, and the characters
/// ( ) , _ without a blank at either end. Empty: the column has no type.
bool is_peer_type(std::string_view type);

/// Throws Unstorable where these tables cannot be made: a name is empty or not UTF-8, has a NUL, is
/// there twice (the case of ASCII letters does not count), or is one that only the database or this
/// program may use; a table has no key; a type is none.
void expect_storable(const std::vector<PeerTable>& tables);

}  // namespace abgleich::db
