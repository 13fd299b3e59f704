// Text that others have written, for a terminal or a log: whatever would steer it, reorder it or
// hide in it is spelled out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich {

/// What line ends are: part of one thing that stays on its line, or our own between several.
enum class Lines : std::uint8_t { one, several };

/// Spells out control characters (C0, DEL, C1), format characters (category Cf: bidirectional
/// marks, zero-width ones, tags), line and paragraph separators as JSON does (\u202e, beyond the
/// first plane as two), and bytes that are no UTF-8 as \xff. With Lines::several, newlines, tabs
/// and the colours that `colour_mark` has put there stay what they are. What comes out passes
/// through unchanged again, and JSON stays the same JSON.
std::string visible(std::string_view text, Lines lines = Lines::one);

/// What switches the terminal to a colour where `visible` lets it through; `code` is the number of
/// an SGR attribute ("31"). Begins with a byte that no UTF-8 has, so that no text of others is one.
std::string colour_mark(std::string_view code);

}  // namespace abgleich
