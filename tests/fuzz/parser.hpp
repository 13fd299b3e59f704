// The parsers of bytes from outside, each with what has to hold whatever the bytes are, and texts
// to start from. Used twice: by parsers_test.cpp, which mutates the texts a fixed number of times,
// and by libfuzzer.cpp, which does so for as long as one likes (tests/fuzz/run).
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::fuzz {

enum class Outcome { understood, refused };

struct Parser {
  std::string name;
  std::vector<std::string> seeds;  // understood, each of them
  /// Throws Broken, or anything at all, where a promise is broken.
  std::function<Outcome(std::string_view bytes)> take;
};

struct Broken : std::logic_error {
  using std::logic_error::logic_error;
};

inline void promise(bool holds, const char* what) {
  if (!holds) {
    throw Broken(what);
  }
}

std::vector<Parser> file_parsers();   // files that people or abgleich itself write
std::vector<Parser> value_parsers();  // what databases hand over
std::vector<Parser> peer_parsers();   // what other nodes send, and this one's own file

inline std::vector<Parser> all_parsers() {
  auto all = file_parsers();
  for (auto* const more : {value_parsers, peer_parsers}) {
    for (auto& parser : more()) {
      all.push_back(std::move(parser));
    }
  }
  return all;
}

}  // namespace abgleich::fuzz
