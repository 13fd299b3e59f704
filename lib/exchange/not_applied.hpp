// A bundle that is not applied: to be expected wherever others write bundles.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace abgleich::exchange {

class NotApplied : public std::runtime_error {
 public:
  enum class Why : std::uint8_t {
    altered,         // nothing that the peer has signed, or not as it was signed
    not_for_us,      // signed by the peer, but for another node, with other keys or for another box
    another_format,  // of a later version of abgleich
    malformed,       // signed by the peer, but not as schemas/bundle.md has it
    too_large,       // more than the manifest or the format allows
  };

  explicit NotApplied(Why why);

  [[nodiscard]] Why why() const { return why_; }

 private:
  Why why_;
};

/// The reason as one word, for people and programs.
constexpr std::string_view name_of(NotApplied::Why why) {
  switch (why) {
    case NotApplied::Why::altered:
      return "altered";
    case NotApplied::Why::not_for_us:
      return "not_for_us";
    case NotApplied::Why::another_format:
      return "another_format";
    case NotApplied::Why::malformed:
      return "malformed";
    case NotApplied::Why::too_large:
      return "too_large";
  }
  return {};
}

inline NotApplied::NotApplied(Why why)
    : std::runtime_error("a bundle is not applied: " + std::string(name_of(why))), why_(why) {}

}  // namespace abgleich::exchange
