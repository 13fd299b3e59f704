// What we make of the bytes of an encoding, against what the server makes of them.
#include "db/postgresql/encoding.hpp"
#include "support/postgres.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

using abgleich::db::postgresql::PartialEncoding;
using abgleich::test::PlainConnection;
using abgleich::test::TemporaryDatabase;

namespace {

/// By encoding: what each byte from 1 to 255 is in UTF-8; 0xff where it is no character.
std::map<std::string, std::string> told_by_server() {
  const TemporaryDatabase database;
  PlainConnection server(database.url());
  server.run(R"(
    CREATE FUNCTION pg_temp.in_utf8(byte int, encoding text) RETURNS bytea LANGUAGE plpgsql AS $$
    BEGIN
      RETURN convert_to(convert_from(set_byte('\x00', 0, byte), encoding), 'UTF8');
    EXCEPTION WHEN untranslatable_character THEN
      RETURN '\xff';
    END $$)");
  std::map<std::string, std::string> told;
  server.each(
      "SELECT pg_encoding_to_char(n), substr(string_agg(pg_temp.in_utf8(byte, "
      "pg_encoding_to_char(n)), '' ORDER BY byte)::text, 3) FROM generate_series(1, 41) n, "
      "generate_series(1, 255) byte WHERE pg_encoding_max_length(n) = 1 GROUP BY n",
      [&](int, char** values) { told[values[0]] = values[1]; });
  return told;
}

std::string in_hex(const std::string& bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

}  // namespace

TEST_CASE("a byte of an encoding of one byte a character is here what it is to the server") {
  std::string every_byte;
  for (int byte = 1; byte < 256; ++byte) {
    every_byte += static_cast<char>(byte);
  }
  const auto told = told_by_server();
  CHECK(told.size() > 20);
  for (const auto& [name, utf8] : told) {
    CAPTURE(name);
    const auto ours = std::ranges::find(PartialEncoding::all(), name, &PartialEncoding::name);
    const bool known = ours != PartialEncoding::all().end();
    CHECK(known == (utf8.find("ff") != std::string::npos));
    if (known) {
      std::string here;
      ours->to_utf8(every_byte, here);
      CHECK(in_hex(here) == utf8);
    }
  }
}
