// The key file and what is derived from it: locked, zeroed memory; HKDF-SHA256 subkeys.
#pragma once

#include "core/digest.hpp"
#include "core/locked_memory.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::mask {

/// Turns core dumps and tracing by other processes off, for good. `main` calls it before anything
/// is read. Throws Failure{bug} where the kernel will not.
void protect_process();

/// The roots of one epoch: separate 32-byte random keys for pseudonyms, digests and date shifts.
/// Movable, not copyable; threads may share it. Its memory is locked and zeroed (sodium_malloc).
class Keyring {
 public:
  /// Makes a new key file with mode 0600; never overwrites. Throws Failure{key_or_trust}.
  static void generate(const std::filesystem::path& file);

  /// Reads a key file. Refused (Failure{key_or_trust}, with what to type) unless it is a regular
  /// file (no symbolic link), of the own user, mode 0600 or less, whole, with a true checksum.
  static Keyring read(const std::filesystem::path& file);

  /// Parses the text of a key file; `name` is for messages. For `read`, tests and fuzzing.
  static Keyring parse(std::string_view text, const std::string& name);

  Keyring(Keyring&&) noexcept;
  Keyring& operator=(Keyring&&) noexcept;
  Keyring(const Keyring&) = delete;
  Keyring& operator=(const Keyring&) = delete;
  ~Keyring();

  /// The key file with one epoch more, put in its place in one step: whoever reads it meanwhile
  /// gets the old one or the new one. Returns the new epoch. Throws Failure{key_or_trust}.
  static int rotate(const std::filesystem::path& file);

  /// The same keys without the epochs behind `epoch`: the keyring as it was then.
  [[nodiscard]] Keyring until(int epoch) const;

  /// The epoch in which the keyring had this check value, if it ever had.
  [[nodiscard]] std::optional<int> epoch_of(std::string_view check_value) const;

  /// The epoch that new pseudonyms are made in; from 1.
  [[nodiscard]] int epoch() const;

  /// HKDF-SHA256 (RFC 5869) of the pseudonym root; `info` is the purpose.
  [[nodiscard]] Subkey pseudonym_key(std::string_view info) const;

  /// HKDF-SHA256 of the date shift root of an epoch, or of the last one where there are fewer: the
  /// first, unless the contract says otherwise, since two shifts of one date say more of it than
  /// one.
  [[nodiscard]] Subkey shift_key(std::string_view info, int epoch = 1) const;

  /// The key of one column's cell digests, bound to table and column (names in the primary).
  [[nodiscard]] LockedSipKey digest_key(std::string_view table, std::string_view column) const;

  /// The key of a purpose other than cells ("fingerprint", "conflict-id").
  [[nodiscard]] LockedSipKey purpose_key(std::string_view purpose) const;

  /// Key check value: 16 lower-case hex digits that say whether two keyrings are the same, and
  /// nothing else about them. Kept in the secondary's head.
  [[nodiscard]] std::string check_value() const;

 private:
  struct Roots;
  explicit Keyring(std::unique_ptr<Roots> roots);
  std::unique_ptr<Roots> roots_;
};

}  // namespace abgleich::mask
