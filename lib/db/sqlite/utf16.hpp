// Text of a UTF-16 database. SQLite's own conversion replaces malformed text by other characters
// without an error.
#pragma once

#include <string>
#include <string_view>

namespace abgleich::db::sqlite {

/// Appends the text as UTF-8. A surrogate without its other half becomes three bytes that are not
/// valid UTF-8, so that the value is found to be malformed instead of being altered.
void append_utf8(std::u16string_view text, std::string& out);

/// Whether a UTF-16 database stores this UTF-8 text without a change: it is valid, and without
/// U+FFFE and U+FFFF, for which SQLite would store U+FFFD.
bool survives_utf16(std::string_view text);

}  // namespace abgleich::db::sqlite
