// The paths of what is tested. Only one file knows them, so that the others are compiled to the
// same code wherever the project is.
#pragma once

namespace abgleich::test {

extern const char* const kSourceTree;
extern const char* const kProgram;     // the program that is tested
extern const char* const kAnotherDay;  // to preload: a clock with another time
extern const char* const kKilledAt;    // likewise: kills it at its n-th change of a file
extern const char* const kForkServer;  // likewise: see fork_server.hpp; empty: there is none

}  // namespace abgleich::test
