// Re-identification, only for those who have the key and can read the primary: finds the keys
// behind pseudonyms by making the pseudonyms again, and makes the pseudonyms of a value.
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
  std::string_view value;  // as the primary has it; only for the person who has asked
};

/// Reads the table's pseudonymised key columns and calls `found` for every pseudonym that is asked
/// for: once for each column, even where several rows have it in part of their key. Logs the
/// question before it answers. Throws Failure{usage} for what cannot be a pseudonym of this key,
/// before anything is read, and for a pseudonym that is not found, after `found` was called for the
/// others. It says what is known: another epoch, another identity, another key.
void reveal(const Pairing& given, const std::string& table_name,
            const std::vector<std::string>& pseudonyms, const std::string& reason,
            const std::function<void(const Revealed&)>& found);

struct Token {
  std::string pseudonym;
  std::string format;      // "text", "uuid", "integer"
  std::string normaliser;  // "phone"
};

/// The pseudonyms that a value has in this identity: one for every format and normaliser that the
/// contract uses for it. Logged with the pseudonyms, never the value. Throws Failure{usage} for an
/// identity that the contract does not have, and a value that has no pseudonym.
std::vector<Token> token(const Pairing& given, const std::string& identity,
                         const std::string& value, const std::string& reason);

}  // namespace abgleich::sync
