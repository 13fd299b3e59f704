#include "core/base32.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace abgleich {
namespace {

std::string base32(std::string_view bytes) {
  std::string out;
  append_base32(std::vector<std::uint8_t>(bytes.begin(), bytes.end()), out);
  return out;
}

TEST_CASE("base32 gives the test vectors of RFC 4648, in lower case and without padding") {
  CHECK(base32("").empty());
  CHECK(base32("f") == "my");
  CHECK(base32("fo") == "mzxq");
  CHECK(base32("foo") == "mzxw6");
  CHECK(base32("foob") == "mzxw6yq");
  CHECK(base32("fooba") == "mzxw6ytb");
  CHECK(base32("foobar") == "mzxw6ytboi");
}

TEST_CASE("128 bits are 26 characters") {
  CHECK(base32(std::string(16, '\0')) == std::string(26, 'a'));
  CHECK(base32(std::string(16, '\xff')) == std::string(25, '7') + "4");
}

TEST_CASE("base32 is appended to what is there") {
  std::string out = "p1_";
  append_base32(std::vector<std::uint8_t>{'f'}, out);
  CHECK(out == "p1_my");
}

}  // namespace
}  // namespace abgleich
