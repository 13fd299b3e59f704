#include "sync/new_keys.hpp"

#include "core/digest.hpp"

namespace abgleich::sync {

std::string bytes_of(const KeyCells& key) {
  std::string bytes;
  for (const auto& cell : key) {
    append_key_bytes(cell, bytes);
  }
  return bytes;
}

KeyCells key_from(std::string_view bytes) {
  KeyCells key;
  // as append_key_bytes writes: a byte of kind, four of length, little end
  while (!bytes.empty()) {
    const auto kind = static_cast<Kind>(bytes[0]);
    std::size_t size = 0;
    for (std::size_t i = 4; i > 0; --i) {
      size = size << 8U | static_cast<unsigned char>(bytes[i]);
    }
    key.emplace_back(kind, std::string(bytes.substr(5, size)));
    bytes.remove_prefix(5 + size);
  }
  return key;
}

NewKeys::Added NewKeys::add(const std::string& old_key, const std::string& new_key) {
  if (keys_.contains(old_key)) {
    return Added::old_key_known;
  }
  if (!taken_.insert(new_key).second) {
    return Added::new_key_taken;
  }
  keys_.emplace(old_key, new_key);
  return Added::yes;
}

std::optional<std::string> NewKeys::find(const std::string& old_key) const {
  const auto found = keys_.find(old_key);
  return found == keys_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace abgleich::sync
