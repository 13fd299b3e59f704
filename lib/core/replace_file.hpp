// A file that is another one in an instant: whoever reads it finds the old or the new one, whole.
#pragma once

#include <filesystem>
#include <string_view>

namespace abgleich {

/// Writes a file beside it, `path`.new- and the process, then renames that. `mode` is the new
/// file's, whatever the umask says. Throws std::system_error; the old file is as it was then.
void replace_file(const std::filesystem::path& path, std::string_view text, unsigned mode);

}  // namespace abgleich
