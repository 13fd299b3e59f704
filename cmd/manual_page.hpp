// The manual page abgleich(1), made of what --help says, so that the two cannot differ.
#pragma once

#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace abgleich::cmd {

/// The page as roff with the macros of man(7). `exit_codes` is the text that ends every --help.
std::string manual_page(const CLI::App& app, const std::string& version,
                        const std::string& exit_codes);

}  // namespace abgleich::cmd
