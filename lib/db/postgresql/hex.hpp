// PostgreSQL's hexadecimal text form of bytea: `\x` and two lower-case digits per byte.
#pragma once

#include <string>
#include <string_view>

namespace abgleich::db::postgresql {

/// Appends `\x…` to `out`.
void append_hex(std::string_view bytes, std::string& out);

/// Replaces `bytes` by what `\x…` stands for; false where the text is not of that form.
bool bytes_from_hex(std::string_view text, std::string& bytes);

}  // namespace abgleich::db::postgresql
