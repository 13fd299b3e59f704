// Fuzzing of both parsers with libFuzzer; not part of the build. In the repository's directory:
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Ilib -o contract_fuzz
//     tests/fuzz/contract_fuzz.cpp lib/contract/*.cpp lib/core/*.cpp
//     $(pkg-config --cflags --libs tomlplusplus fmt libxxhash)
#include "contract/config.hpp"
#include "contract/contract.hpp"
#include "core/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

/// Whatever is not understood is refused as configuration, and as nothing else.
template <class Parse>
void expect_refusal_at_worst(const Parse& parse) {
  try {
    parse();
  } catch (const abgleich::Failure& failure) {
    if (failure.error().code != abgleich::Code::configuration) {
      std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  expect_refusal_at_worst(
      [&] { static_cast<void>(abgleich::contract::parse_contract(text, "contract.toml")); });
  expect_refusal_at_worst(
      [&] { static_cast<void>(abgleich::contract::parse_config(text, "abgleich.toml")); });
  return 0;
}
