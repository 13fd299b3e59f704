// Levels for journald: where standard error goes to the journal, each line begins with "<N>".
#pragma once

#include <string>
#include <string_view>

namespace abgleich::cmd {

/// Whether standard error goes to the journal itself: $JOURNAL_STREAM names its device and inode.
bool stderr_is_journal();

/// Puts a level before each line, by how the message begins: error 3, warning 4, note 5, everything
/// else 6. A hint has the level of the message before it.
std::string with_levels(std::string_view text);

}  // namespace abgleich::cmd
