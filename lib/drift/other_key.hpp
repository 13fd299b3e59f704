// What is to be done where a table's key goes: by which other column its rows could be told, in
// words to follow.
#pragma once

#include "drift/columns.hpp"

#include <string>
#include <string_view>

namespace abgleich::drift {

/// The table's name as the primary's administrator writes it.
std::string qualified_table(const TablePair& pair);

/// What gives a column of the key its NOT NULL again.
std::string not_null_again(const TablePair& pair, std::string_view column);

/// "; or write key = …" where another exported column tells the primary's rows apart; empty where
/// none does.
std::string or_another_key(const TablePair& pair);

/// What to do where a column of the key is gone for good.
std::string without_key_column(const TablePair& pair, std::string_view column);

}  // namespace abgleich::drift
