// Replaces a file in one step: a reader finds either the old file or the new one, each complete.
#pragma once

#include <filesystem>
#include <string_view>

namespace abgleich {

/// Writes `text` to the file `path`.new-PID and renames that to `path`. `mode` is the mode of the
/// new file, whatever the umask is. Throws std::system_error; the old file is then unchanged.
void replace_file(const std::filesystem::path& path, std::string_view text, unsigned mode);

}  // namespace abgleich
