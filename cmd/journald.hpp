// Levels for journald: where standard error is its stream, each line begins with "<N>".
#pragma once

#include <string>
#include <string_view>

namespace abgleich::cmd {

/// Whether standard error goes to the journal itself: $JOURNAL_STREAM names its device and inode.
bool stderr_is_journal();

/// Puts its level before each line, by how messages begin: error 3, warning 4, note 5, everything
/// else 6; a hint has the level of what it belongs to.
std::string with_levels(std::string_view text);

}  // namespace abgleich::cmd
