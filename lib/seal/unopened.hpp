// A sealed file that does not open: an expected outcome for whoever reads what strangers can write.
#pragma once

#include <cstdint>
#include <stdexcept>

namespace abgleich::seal {

class Unopened : public std::runtime_error {
 public:
  enum class Why : std::uint8_t {
    malformed,  // the header is none that this reads
    others,     // it is sealed to others
    header,     // the header was altered
    payload,    // what it holds was altered, cut or made longer
  };

  explicit Unopened(Why why) : std::runtime_error("a sealed file does not open"), why_(why) {}

  [[nodiscard]] Why why() const { return why_; }

 private:
  Why why_;
};

}  // namespace abgleich::seal
