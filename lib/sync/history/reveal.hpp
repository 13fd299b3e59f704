// Re-identification for those who may, on the primary's side only: pseudonyms to keys by
// recomputation, and values to pseudonyms.
#pragma once

#include "sync/pairing.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::sync {

struct Revealed {
  std::string pseudonym;
  std::string column;      // of the primary
  std::string_view value;  // as the primary has it: for the eyes of who has asked, and nothing else
};

/// Reads the table's pseudonymised key columns and tells of every row whose pseudonym is asked for
/// (one that several rows have in part of their key is told of once). Logs the question before it
/// answers. Throws Failure{usage} for a pseudonym that is not found, and says what is known of it:
/// of another epoch, another identity, another key; the others have been told of by then.
void reveal(const Pairing& given, const std::string& table_name,
            const std::vector<std::string>& pseudonyms, const std::string& reason,
            const std::function<void(const Revealed&)>& found);

struct Token {
  std::string pseudonym;
  std::string format;      // "text", "uuid", "integer"
  std::string normaliser;  // "phone"
};

/// The pseudonyms that a value has as this identity: one for every format and normaliser that the
/// contract has for it. Logged with the pseudonyms, never the value. Throws Failure{usage} for an
/// identity that the contract does not have, and a value that has no pseudonym.
std::vector<Token> token(const Pairing& given, const std::string& identity,
                         const std::string& value, const std::string& reason);

}  // namespace abgleich::sync
