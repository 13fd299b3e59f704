// A sealed file that cannot be opened: to be expected wherever strangers can write the file.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace abgleich::seal {

class Unopened : public std::runtime_error {
 public:
  enum class Why : std::uint8_t {
    malformed,  // the header cannot be read
    others,     // it is sealed to other recipients
    header,     // the header was altered
    payload,    // the content was altered, cut off or made longer
  };

  explicit Unopened(Why why) : std::runtime_error("a sealed file does not open"), why_(why) {}

  [[nodiscard]] Why why() const { return why_; }

 private:
  Why why_;
};

}  // namespace abgleich::seal
