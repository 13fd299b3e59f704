// Text that others have written, made safe for a terminal or a log: characters that control the
// terminal, change the order of the text or are invisible are spelled out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich {

/// Whether the text is one item, which has to stay on one line, or several lines, with line ends
/// that are our own.
enum class Lines : std::uint8_t { one, several };

/// Spells out control characters (C0, DEL, C1), format characters (category Cf: bidirectional
/// marks, zero-width ones, tags), line and paragraph separators as JSON does (\u202e; beyond U+FFFF
/// as two escapes), and bytes that are not UTF-8 as \xff. With Lines::several, newlines, tabs and
/// the marks of `colour_mark` are not spelled out. Without such marks, a second pass changes
/// nothing. JSON keeps its meaning.
std::string visible(std::string_view text, Lines lines = Lines::one);

/// The mark that `visible` turns into the escape sequence of a colour; `code` is the number of an
/// SGR attribute ("31"). It begins with a byte that never occurs in UTF-8, so that text of others
/// cannot contain one.
std::string colour_mark(std::string_view code);

}  // namespace abgleich
