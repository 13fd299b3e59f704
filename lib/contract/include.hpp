// `include` at the top of a configuration: a file with what several of them share. What the
// including file says, it says alone, key by key.
#pragma once

#include "contract/document.hpp"

#include <filesystem>
#include <optional>
#include <string_view>

namespace abgleich::contract {

/// The file that a configuration includes, absolute; empty: none. Throws Failure{configuration}
/// where the configuration is no TOML or `include` is no text. Nothing of the file is read.
std::optional<std::filesystem::path> find_include(std::string_view text,
                                                  const std::filesystem::path& file);

/// The document with what it includes: every key of a section that it does not have comes from
/// there, with its own place. Throws Failure{configuration}: the file cannot be read, is no TOML,
/// is the file itself or includes another one.
Node with_included(Node own, const std::filesystem::path& file);

/// Where a path is relative to: the directory of the file that it stands in.
std::filesystem::path directory_of(const Place& place);

}  // namespace abgleich::contract
