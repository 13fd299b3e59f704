// The key file and what is derived from it: locked, zeroed memory; HKDF-SHA256 subkeys.
#pragma once

#include "core/digest.hpp"
#include "core/locked_memory.hpp"
#include "seal/secret_file.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace abgleich::mask {

/// What messages say of the key file.
inline constexpr seal::SecretFile kKeyFile{.called = "key file",
                                           .setting = "[keys] file",
                                           .made_by = "abgleich keys generate",
                                           .changed_by = "abgleich keys rotate",
                                           .checked_by = "abgleich keys check"};

/// Turns core dumps and tracing by other processes off, for good. `main` calls it before anything
/// is read. Throws Failure{bug} where the kernel will not.
void protect_process();

/// The roots of all epochs: for each, 32 random bytes for pseudonyms, for digests and for date
/// shifts. Movable, not copyable; threads may share it. Its memory is locked and zeroed
/// (sodium_malloc).
class Keyring {
 public:
  /// Makes a new key file with mode 0600; never overwrites. Throws Failure{key_or_trust}.
  static void generate(const std::filesystem::path& file);

  /// Reads a key file. Throws Failure{key_or_trust}, with what to type, unless it is a regular file
  /// (no symbolic link) of this user, with mode 0600 or less, complete and with the right checksum.
  static Keyring read(const std::filesystem::path& file);

  /// Parses the text of a key file; `name` is for messages. For `read`, tests and fuzzing.
  static Keyring parse(std::string_view text, const std::string& name);

  Keyring(Keyring&&) noexcept;
  Keyring& operator=(Keyring&&) noexcept;
  Keyring(const Keyring&) = delete;
  Keyring& operator=(const Keyring&) = delete;
  ~Keyring();

  /// Adds an epoch to the key file, which is replaced in one step: a reader gets the old file or
  /// the new one. Returns the new epoch. Throws Failure{key_or_trust}.
  static int rotate(const std::filesystem::path& file);

  /// The same keys without the epochs after `epoch`: the keyring as it was then. Throws
  /// Failure{bug} where there is no such epoch.
  [[nodiscard]] Keyring until(int epoch) const;

  /// Keys for other pseudonyms, the same for everything else: who has those of one domain cannot
  /// join them with those of another. schemas/pseudonyms.md, section 2.
  /// `issuer`: the mark of this node in the tokens that it makes; empty: it makes none.
  [[nodiscard]] Keyring of_domain(std::string_view domain, std::string issuer = {}) const;

  /// See `of_domain`.
  [[nodiscard]] const std::string& issuer() const;

  /// The epoch in which the keyring had this check value, if it ever had.
  [[nodiscard]] std::optional<int> epoch_of(std::string_view check_value) const;

  /// The epoch that new pseudonyms are made in; from 1.
  [[nodiscard]] int epoch() const;

  /// HKDF-SHA256 (RFC 5869) of the pseudonym root; `info` is the purpose.
  [[nodiscard]] Subkey pseudonym_key(std::string_view info) const;

  /// HKDF-SHA256 of the date shift root of `epoch`, or of the last epoch where there are fewer. The
  /// first epoch is used even after a rotation, unless the contract says otherwise: two shifts of
  /// one date tell more about it than one.
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
