// `include` at the top of a configuration: a file with settings that several configurations share.
// For every key, the value of the including file wins; a section [peers.NAME] wins as a whole.
#pragma once

#include "contract/document.hpp"

#include <filesystem>
#include <optional>
#include <string_view>

namespace abgleich::contract {

/// The file that a configuration includes, absolute; empty: none. Throws Failure{configuration}
/// where the configuration is not TOML or `include` is not a text. Does not read the included file.
std::optional<std::filesystem::path> find_include(std::string_view text,
                                                  const std::filesystem::path& file);

/// The document, with every key that it lacks taken from the file that it includes, and every
/// [peers.NAME] that it lacks; what is taken keeps its own place. Throws Failure{configuration}
/// where that file cannot be read, is not TOML, is a contract, is the document's own file or
/// includes another one.
Node with_included(Node own, const std::filesystem::path& file);

/// The directory that a path is relative to: that of the file in which the path is written.
std::filesystem::path directory_of(const Place& place);

}  // namespace abgleich::contract
