// Output that a person reads page by page: kept until the work is done, so that no database waits
// for the reader, then shown by the program that $PAGER names.
#pragma once

#include <cstdint>
#include <string_view>

namespace abgleich::cmd {

/// Whether what is printed from now on is for a pager.
enum class Paging : std::uint8_t { off, on };
void set_paging(Paging paging);

/// Keeps what is printed, in memory only, until `finish_pager`. False: paging is off, and nothing
/// was kept. Where it gets too much for a pager, all of it is printed at once and paging is off
/// from then on.
bool keep_for_pager(std::string_view text);

/// Keeps a message for the terminal until the text that waits for a pager was shown. False: no text
/// waits, or stderr is no terminal.
bool keep_until_read(std::string_view text);

/// Shows what was kept, and waits until the person has read it. What is printed afterwards is not
/// paged any more. Without $PAGER it is less, with LESS=FRX where that is not set: what fits the
/// screen stays on it. Where the program runs with other rights than the caller's (sudo), it is
/// less whatever $PAGER says, and less runs no commands. Where the pager cannot be run, or fails
/// before it has read anything, the text is printed.
void finish_pager();

}  // namespace abgleich::cmd
