// What a person reads page by page: kept until the work is done and no database waits for a reader,
// then shown by the program that $PAGER names.
#pragma once

#include <cstdint>
#include <string_view>

namespace abgleich::cmd {

/// Whether what is printed from now on is for a pager.
enum class Paging : std::uint8_t { off, on };
void set_paging(Paging paging);

/// Keeps what is printed, in memory only, until `finish_pager`. False where it is not for a pager;
/// what was too much for one has been printed then.
bool keep_for_pager(std::string_view text);

/// Keeps what is to be said on the terminal behind text that waits for a pager. False where none
/// waits.
bool keep_until_read(std::string_view text);

/// Shows what was kept, and waits until the person has read it. What is printed afterwards is not
/// paged any more. Without $PAGER it is less, with LESS=FRX where that is not set: what fits the
/// screen stays on it. Where the user's rights are not the caller's (sudo), it is less whatever
/// $PAGER says, and less runs no commands. A pager that cannot be run, or that fails before it has
/// read anything, has shown nothing: the text is printed then.
void finish_pager();

}  // namespace abgleich::cmd
