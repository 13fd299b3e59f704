// The same parsers under libFuzzer, one at a time: ABGLEICH_FUZZ names it. See tests/fuzz/run.
#include "fuzz/parser.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace {

abgleich::fuzz::Parser chosen() {
  const char* name = std::getenv("ABGLEICH_FUZZ");
  for (auto& parser : abgleich::fuzz::all_parsers()) {
    if (name != nullptr && parser.name == name) {
      return parser;
    }
  }
  std::fputs("ABGLEICH_FUZZ has to be one of:\n", stderr);
  for (const auto& parser : abgleich::fuzz::all_parsers()) {
    std::fprintf(stderr, "%s\n", parser.name.c_str());
  }
  std::exit(64);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  const char* directory = std::getenv("ABGLEICH_FUZZ_SEEDS");
  if (directory != nullptr) {
    int number = 0;
    for (const auto& seed : chosen().seeds) {
      std::ofstream(std::filesystem::path(directory) / ("seed" + std::to_string(++number)),
                    std::ios::binary)
          << seed;
    }
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto parser = chosen();
  try {
    parser.take({reinterpret_cast<const char*>(data), size});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s: %s\n", parser.name.c_str(), typeid(error).name(), error.what());
    std::abort();
  }
  return 0;
}
