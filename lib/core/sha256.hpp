// SHA-256 of a file, as `sha256sum` prints it.
#pragma once

#include <filesystem>
#include <string>

namespace abgleich {

/// 64 lower-case hexadecimal digits. Reads the file in bounded memory. Throws std::system_error
/// where it cannot be read, and where it is no regular file but, for example, a symbolic link.
std::string sha256_of(const std::filesystem::path& file);

}  // namespace abgleich
