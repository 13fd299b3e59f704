// Whether this is a build with the address sanitizer. It takes a multiple of the program's memory
// and locks none, so how much the program takes, and what it locks, is tested in the other builds.
#pragma once

namespace abgleich::test {

#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace abgleich::test
