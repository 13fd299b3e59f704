#include "sync/rotate/new_keys.hpp"

#include "core/digest.hpp"
#include "core/error.hpp"

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
  while (!bytes.empty()) {
    auto cell = take_key_cell(bytes);
    if (!cell) {
      throw Failure(Code::bug, "the bytes of a key are not whole");
    }
    key.push_back(*std::move(cell));
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
