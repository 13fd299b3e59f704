// Text of a UTF-16 database. SQLite's own conversion makes other characters of what is malformed,
// without a word.
#pragma once

#include <string>
#include <string_view>

namespace abgleich::db::sqlite {

/// The text as UTF-8. A surrogate without its other half becomes the three bytes that stand for it,
/// which are no valid UTF-8, so that the value is seen to be malformed instead of being altered.
void append_utf8(std::u16string_view text, std::string& out);

/// Whether SQLite keeps this UTF-8 text in a UTF-16 database: it is valid, and without U+FFFE and
/// U+FFFF, for which SQLite would store U+FFFD.
bool survives_utf16(std::string_view text);

}  // namespace abgleich::db::sqlite
