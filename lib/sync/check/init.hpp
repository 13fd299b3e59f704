// Makes a pairing's first files, and updates them when the primary's schema has changed.
#pragma once

#include "contract/guess_again.hpp"
#include "core/trace.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace abgleich::sync {

/// The files of a pairing that `init` writes.
struct Made {
  std::filesystem::path config;
  std::filesystem::path contract;
  std::filesystem::path catalog;
  std::filesystem::path key;
  std::filesystem::path ignore;                 // .gitignore: what must not get into git
  std::optional<std::filesystem::path> grants;  // none where neither database has roles
  std::size_t tables = 0;                       // of the primary
  std::size_t exported = 0;                     // of these, in the contract
  contract::GuessedAgain again;                 // what is new; its text is the contract's
};

/// What `init` is given. Files in URLs are relative to the working directory.
struct Beginning {
  std::string primary;
  std::string secondary;
  std::filesystem::path directory;
};

/// Writes all files. Of the primary it reads the catalogue, never a value. Throws
/// Failure{configuration} where one of the files exists; then nothing was written.
Made init(const Beginning& beginning, const OnStatement& on_statement);

/// Keeps configuration, catalogue, key, and what the contract says. Adds to the contract what is
/// new in the primary, and writes grants.sql again. A missing contract is guessed as by `init`.
/// Throws Failure{configuration} where there is no configuration, or a grants.sql that `init` has
/// not made.
Made init_again(const std::filesystem::path& config, const OnStatement& on_statement);

}  // namespace abgleich::sync
