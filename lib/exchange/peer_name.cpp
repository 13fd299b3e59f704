#include "exchange/peer_name.hpp"

#include "core/base32.hpp"

#include <algorithm>

namespace abgleich::exchange {

std::string id_text(const PeerId& id) {
  std::string text;
  append_base32(id, text);
  return text;
}

bool read_id(std::string_view text, PeerId& id) {
  return read_base32(text, id);
}

bool is_peer_name(std::string_view name) {
  constexpr std::size_t kLongestName = 63;
  return !name.empty() && name.size() <= kLongestName && !name.starts_with('-') &&
         !name.ends_with('-') && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

}  // namespace abgleich::exchange
