// Scripts for completion in shells, one for each, made from the program's own commands and options.
#pragma once

#include "shape.hpp"

#include <string>

namespace abgleich::cmd {

/// For /usr/share/bash-completion/completions/abgleich; shellcheck finds nothing in it.
std::string bash_completion(const CommandShape& program);
/// For /usr/share/zsh/vendor-completions/_abgleich, or any directory of $fpath.
std::string zsh_completion(const CommandShape& program);
/// For /usr/share/fish/vendor_completions.d/abgleich.fish.
std::string fish_completion(const CommandShape& program);

}  // namespace abgleich::cmd
