// The manual pages, made of what --help says and of the schemas of the files, so that none of them
// can differ.
#pragma once

#include "shape.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace abgleich::cmd {

struct ManualPage {
  std::string file;  // "man1/abgleich-sync.1"
  std::string text;  // roff with the macros of man(7)
};

/// abgleich(1). `exit_codes` is the text that ends every --help.
std::string manual_page(const CommandShape& program, const std::string& version,
                        const std::string& exit_codes);

/// All pages: abgleich(1), one for each command, abgleich-exit-codes(7), and, from the JSON schemas
/// in the directory `schemas`, abgleich.toml(5) and contract.toml(5). Throws Failure{configuration}
/// where a schema cannot be read.
std::vector<ManualPage> manual_pages(const CommandShape& program, const std::string& version,
                                     const std::string& exit_codes,
                                     const std::filesystem::path& schemas);

}  // namespace abgleich::cmd
