#include "core/checked_text.hpp"

#include "core/hex.hpp"

namespace abgleich {

CheckedText checked_text(std::string_view text, ChecksumOf checksum_of) {
  const auto body = text.substr(0, text.size() < kChecksumLine ? 0 : text.size() - kChecksumLine);
  const auto last = text.substr(body.size());
  Checksum stored;
  if (!body.ends_with('\n') || !last.starts_with(kChecksumWord) || !last.ends_with('\n') ||
      !read_hex(last.substr(kChecksumWord.size(), kChecksumDigits), stored)) {
    return {.body = {}, .wrong = "is cut off, or something follows its checksum"};
  }
  if (stored != checksum_of(body)) {
    return {.body = {}, .wrong = "is damaged: its checksum is wrong"};
  }
  return {.body = body, .wrong = {}};
}

}  // namespace abgleich
