// Writing TOML: names and strings quoted so that any database's names come back unchanged.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace abgleich::contract {

/// A basic string, in double quotes. REQUIRES: valid UTF-8.
std::string toml_string(std::string_view text);

/// A key: bare where TOML allows, else a basic string. REQUIRES: valid UTF-8.
std::string toml_key(std::string_view name);

/// A list of basic strings on one line.
std::string toml_list(std::span<const std::string> texts);

}  // namespace abgleich::contract
