// The file that `password_file` names: in libpq's .pgpass format, or one line that is the password.
#pragma once

#include "core/endpoint.hpp"

#include <filesystem>
#include <string>

namespace abgleich::db::postgresql {

enum class PasswordForm : std::uint8_t { pgpass, bare };

/// What to hand to libpq. The destructor wipes the password.
struct PasswordFile {
  PasswordForm form = PasswordForm::pgpass;
  std::string password;  // of the bare form

  PasswordFile() = default;
  PasswordFile(const PasswordFile&) = delete;
  PasswordFile& operator=(const PasswordFile&) = delete;
  ~PasswordFile();
};

/// Reads the file into `out`. A line with at least four unescaped colons makes it a .pgpass file
/// (PostgreSQL manual, "The Password File"). Throws Failure{key_or_trust} unless it is a regular
/// file of this user with mode 0600 or less that holds a password.
void read_password_file(const std::filesystem::path& file, Role role, PasswordFile& out);

}  // namespace abgleich::db::postgresql
