// Hints for a table that loses its key: by which other column its rows could be identified.
#pragma once

#include "drift/columns.hpp"

#include <string>
#include <string_view>

namespace abgleich::drift {

/// The table's name, with its schema, as SQL has it.
std::string qualified_table(const TablePair& pair);

/// The hint how a column of the key gets NOT NULL again.
std::string not_null_again(const TablePair& pair, std::string_view column);

/// "; or write key = …" where another exported column identifies the primary's rows; empty where
/// none does.
std::string or_another_key(const TablePair& pair);

/// What to do where a column of the key is gone for good.
std::string without_key_column(const TablePair& pair, std::string_view column);

}  // namespace abgleich::drift
