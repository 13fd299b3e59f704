#include "contract/words.hpp"

#include "contract/contract.hpp"

#include <doctest/doctest.h>

using namespace abgleich::contract;

TEST_CASE("a typing error finds the word that was meant, and nonsense finds none") {
  CHECK(nearest("pseudonim", kClasses) == "pseudonym");
  CHECK(nearest("WITHHOLD", kClasses) == "withhold");
  CHECK(nearest("withold", kClasses) == "withhold");
  CHECK(nearest("pliain", kClasses) == "plain");
  CHECK(nearest("generalize", kClasses) == "generalise");
  CHECK(nearest("on_deleet", kTableKeys) == "on_delete");
  CHECK_FALSE(nearest("encrypt", kClasses));
  CHECK_FALSE(nearest("", kClasses));
  CHECK_FALSE(nearest(std::string(1000000, 'p'), kClasses));
}

TEST_CASE("every word stands for the enumerator of its name") {
  CHECK(name_of(Class::plain) == "plain");
  CHECK(name_of(Class::withhold) == "withhold");
  CHECK(name_of(Owner::secondary) == "secondary");
  CHECK(name_of(OnDelete::remove) == "delete");
  CHECK(name_of(OnDelete::erase) == "erase");
  CHECK(name_of(Format::automatic) == "automatic");
  CHECK(name_of(Format::text) == "text");
  CHECK(name_of(Format::integer) == "integer");
  CHECK(name_of(Normaliser::none) == "none");
  CHECK(name_of(Normaliser::email) == "email");
}

TEST_CASE("valid UTF-8 ends before the first byte that is wrong") {
  CHECK(valid_utf8("") == 0);
  CHECK(valid_utf8("aä€😀") == 10);
  CHECK(valid_utf8("a\xC3") == 1);
  CHECK(valid_utf8("\xC0\x80") == 0);          // overlong
  CHECK(valid_utf8("\xE0\x9F\xBF") == 0);      // overlong
  CHECK(valid_utf8("\xED\xA0\x80") == 0);      // surrogate
  CHECK(valid_utf8("\xF4\x90\x80\x80") == 0);  // beyond U+10FFFF
  CHECK(valid_utf8("\xF0\x8F\xBF\xBF") == 0);  // overlong
  CHECK(valid_utf8("ok\x80") == 2);
  CHECK(valid_utf8("\xFF") == 0);
}

TEST_CASE("names in messages stay on one line and are cut at a character") {
  CHECK(in_quotes("a'b") == "'a'b'");
  CHECK(in_quotes("a\r\n\t") == "'a\\x0d\\x0a\\x09'");
  CHECK(in_quotes("\xFFä") == "'\\xffä'");
  std::string endless;
  for (int i = 0; i < 200; ++i) {
    endless += "ä";
  }
  CHECK(in_quotes(endless) == "'" + endless.substr(0, 100) + "…'");
}

TEST_CASE("words are listed as in a sentence") {
  CHECK(listed(kContractKeys) == "format, country, tokens_only or tables");
  CHECK(listed(kOwners) == "both, primary or secondary");
  CHECK(listed(kStateKeys) == "directory");
  CHECK(listed(kKeysKeys) == "file or credential");
}
