#include "support/places.hpp"

namespace abgleich::test {

const char* const kSourceTree = ABGLEICH_SOURCE_DIR;
const char* const kProgram = ABGLEICH_BINARY;
const char* const kAnotherDay = ABGLEICH_ANOTHER_DAY;
const char* const kKilledAt = ABGLEICH_KILLED_AT;
const char* const kForkServer = ABGLEICH_FORK_SERVER;

}  // namespace abgleich::test
