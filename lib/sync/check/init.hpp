// A pairing's first files, and the same again when the primary has moved on.
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
  std::filesystem::path ignore;                 // what is not for git
  std::optional<std::filesystem::path> grants;  // none where neither database has roles
  std::size_t tables = 0;                       // of the primary
  std::size_t exported = 0;                     // of these: in the contract
  contract::GuessedAgain again;                 // its text is in the contract
};

/// Where everything begins: URLs as typed, relative to the working directory.
struct Beginning {
  std::string primary;
  std::string secondary;
  std::filesystem::path directory;
};

/// Writes all files; the primary's catalogue is read, never a value. Throws
/// Failure{configuration} where one is there already, and then nothing was written.
Made init(const Beginning& beginning, const OnStatement& on_statement);

/// Keeps configuration, catalogue, key, and what the contract says. Adds to the contract what is
/// new in the primary, and writes grants.sql again; a contract that is gone is guessed from
/// nothing. Throws Failure{configuration} where the configuration is not there.
Made init_again(const std::filesystem::path& config, const OnStatement& on_statement);

}  // namespace abgleich::sync
