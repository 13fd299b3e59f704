// Where what is tested lies. Known to one file only, so that the others are compiled to the same
// wherever the project lies.
#pragma once

namespace abgleich::test {

extern const char* const kSourceTree;
extern const char* const kProgram;     // the program that is tested
extern const char* const kAnotherDay;  // to preload: a clock that says something else
extern const char* const kForkServer;  // likewise: see fork_server.hpp; empty: there is none

}  // namespace abgleich::test
