#include "core/token.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace abgleich {
namespace {

constexpr const char* kDigits = "4zb2xwafjd36indocwmhxhblde";

TEST_CASE("token: it has an epoch, its issuer and 26 characters") {
  const auto text = std::string("t12_abc234_") + kDigits;
  const auto token = read_token(text);
  REQUIRE(token.has_value());
  CHECK(token->epoch == 12);
  CHECK(token->issuer == "abc234");
  CHECK(issuer_of("abc234defghijklmnopqrstuvw") == "abc234");
  CHECK(pattern_of_tokens("abc234") == "t%\\_abc234\\_%");
}

TEST_CASE("token: anything else is none") {
  const std::string digits = kDigits;
  const std::vector<std::string> others{"",
                                        "t",
                                        "t1",
                                        "t1_",
                                        "t1_abc234_",
                                        "t1_abc234" + digits,
                                        "t_abc234_" + digits,
                                        "t0_abc234_" + digits,
                                        "t01_abc234_" + digits,
                                        "t-1_abc234_" + digits,
                                        "t+1_abc234_" + digits,
                                        "t99999999999_abc234_" + digits,
                                        "T1_abc234_" + digits,
                                        "p1_" + digits,
                                        "t1_abc23_" + digits,
                                        "t1_abc2345_" + digits,
                                        "t1_ABC234_" + digits,
                                        "t1_abc190_" + digits,
                                        "t1_abc234_" + digits + "a",
                                        "t1_abc234_" + digits.substr(1),
                                        "t1_abc234_" + digits.substr(0, 25) + "z",
                                        "t1_abc234_" + digits + " ",
                                        " t1_abc234_" + digits,
                                        "t1_abc234_" + digits + '\0'};
  for (const auto& text : others) {
    CAPTURE(text);
    CHECK_FALSE(read_token(text).has_value());
  }
}

}  // namespace
}  // namespace abgleich
