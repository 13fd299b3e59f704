// The manifest of a bundle: from whom and to whom it is, what it says of the channel, and of which
// tables it has how many rows. schemas/bundle.md, section 4, describes every field.
#pragma once

#include "exchange/channel.hpp"
#include "exchange/peer_name.hpp"
#include "seal/age_key.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::exchange {

/// No manifest has more bytes.
inline constexpr std::size_t kMostManifest = std::size_t{4} << 20U;

struct SentColumn {
  std::string name;
  std::string type;  // as the sender's storage declares it; may be empty
  bool in_key = false;

  bool operator==(const SentColumn&) const = default;
};

struct SentTable {
  std::string name;
  std::vector<SentColumn> columns;
  std::uint64_t rows = 0;  // that the bundle has
  std::uint64_t gone = 0;  // keys of rows that are gone

  bool operator==(const SentTable&) const = default;
};

/// A box that the sender gives away, and the key that a bundle in it has to be sealed to.
struct Grant {
  BoxName box{};
  seal::Recipient key{};

  bool operator==(const Grant&) const = default;
};

struct Manifest {
  PeerId from{};
  PeerId to{};
  std::uint32_t serial = 1;    // of the sender's card
  std::optional<BoxName> box;  // the grant that it is sealed to; none: a hello
  Message message;             // its `grants` are the boxes of those below
  std::vector<Grant> grants;
  std::vector<SentTable> tables;
  std::int64_t sent = 0;  // Unix time, for people: nothing is decided by it
};

/// JSON, with the keys in a fixed order; has `grants`, and not those of `message`. REQUIRES:
/// `is_sound(manifest)`, and `flaw_of` finds nothing in its tables (`manifest_rules.hpp`).
std::string manifest_text(const Manifest& manifest);

/// The inverse. Throws NotApplied: `another_format` where it is of a later version, `too_large`
/// beyond `kMostManifest`, else `malformed`. Its format is looked at before all other fields.
Manifest parse_manifest(std::string_view text);

}  // namespace abgleich::exchange
