// A place in a configuration file, for messages: "contract.toml:12:5".
#pragma once

#include <string>

namespace abgleich::contract {

struct Place {
  std::string file;
  unsigned line = 0;    // from 1; 0: the file as a whole
  unsigned column = 0;  // from 1

  [[nodiscard]] std::string text() const;
};

}  // namespace abgleich::contract
