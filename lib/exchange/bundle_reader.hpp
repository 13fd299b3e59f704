// Reads a bundle that a peer may have written, and believes nothing that the peer has not signed.
// schemas/bundle.md describes every byte and every step.
#pragma once

#include "exchange/card.hpp"
#include "exchange/manifest.hpp"
#include "exchange/peer_name.hpp"
#include "exchange/record.hpp"
#include "exchange/signed_bytes.hpp"
#include "seal/age_key.hpp"
#include "seal/age_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace abgleich::exchange {

/// Gives the file from its start, each time it is called. Others may change the file meanwhile:
/// what differs between the two passes is refused.
using OpenFeed = std::function<seal::Feed()>;

/// Memory is bounded: the manifest, one record (130 MiB at most, usually a few hundred bytes)
/// and 2 MB. Nothing may be asked of a reader that has thrown.
class BundleReader {
 public:
  using Record = exchange::Record;

  /// Reads the whole file and checks the signature of `peer` before anything in it is parsed; then
  /// begins to read it again. `opens` is the secret key of the grant, `box` its name; for a hello
  /// they are the node's own key and none. Throws NotApplied; exceptions of the feed are passed on.
  BundleReader(const seal::Identity& opens, const Card& peer, const PeerId& us,
               const std::optional<BoxName>& box, const OpenFeed& open);

  /// To be acted on once `read` has returned: only then it is certain that the file did not change
  /// between the two passes.
  [[nodiscard]] const Manifest& manifest() const { return manifest_; }

  /// Calls for each record, in the order of the file; exceptions are passed on. Throws NotApplied:
  /// then everything that came before is void. REQUIRES: it is called once.
  void read(const OnRecord& on_record);

 private:
  bool fill();
  std::string take(std::size_t size);
  void read_manifest();
  void read_records(const OnRecord& on_record);
  void blame_peer(const std::function<void()>& part);

  SignedBytes::End end_;                // as in the first pass
  SignedBytes bytes_;                   // of the second one
  std::span<const std::uint8_t> rest_;  // of the present piece
  Manifest manifest_;
};

}  // namespace abgleich::exchange
