// catalog.json: the accepted catalogue as a file that people read and review in git.
#pragma once

#include "core/catalog.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace abgleich::drift {

/// Canonical JSON text: sorted, two spaces, one column or key per line, newline at the end. The
/// same catalogue always gives the same bytes. Holds no value and no statistic.
std::string catalog_to_json(const Catalog& catalog);

/// Inverse. Throws Failure{configuration}: not JSON (with line and column), another format version,
/// a field missing or of the wrong type (with its path). `file` is for messages.
Catalog catalog_from_json(std::string_view text, const std::filesystem::path& file);

/// Reads the file, then `catalog_from_json`.
Catalog read_catalog(const std::filesystem::path& file);
/// Atomic: a temporary file in the same directory, fsync, rename.
void write_catalog(const Catalog& catalog, const std::filesystem::path& file);

}  // namespace abgleich::drift
