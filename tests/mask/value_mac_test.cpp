#include "mask/value_mac.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace abgleich::mask {

namespace {

ValueMac::Mac expected(const std::vector<std::uint8_t>& key, char input_class,
                       const std::string& bytes) {
  std::string message(1, input_class);
  for (unsigned shift = 0; shift < 32; shift += 8) {
    message += static_cast<char>((bytes.size() >> shift) & 0xffU);
  }
  message += bytes;
  ValueMac::Mac mac{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(), mac.data(), &size);
  REQUIRE(size == mac.size());
  return mac;
}

}  // namespace

TEST_CASE("value mac: HMAC-SHA-256 of class, length and bytes, whatever their lengths") {
  for (const std::size_t key_size :
       {std::size_t{0}, std::size_t{1}, std::size_t{32}, std::size_t{64}}) {
    const std::vector<std::uint8_t> key(key_size, 0xaa);
    const ValueMac mac(key);
    for (const std::size_t size : {0, 1, 49, 50, 51, 58, 59, 60, 100, 1'000, 70'000}) {
      CAPTURE(key_size);
      CAPTURE(size);
      const std::string bytes(size, 'v');
      CHECK(mac.of('t', bytes) == expected(key, 't', bytes));
      CHECK(mac.of('b', bytes) == expected(key, 'b', bytes));
    }
  }
}

TEST_CASE("value mac: a key that would have to be hashed first is refused") {
  CHECK_THROWS(ValueMac(std::vector<std::uint8_t>(65)));
}

}  // namespace abgleich::mask
