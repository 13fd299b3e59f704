// The refusal of a text by a parser, for tests that check its words.
#pragma once

#include "contract/config.hpp"
#include "contract/contract.hpp"
#include "core/error.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <optional>
#include <string>

namespace abgleich::contract {

template <class Action>
Error refusal_of(const Action& action) {
  try {
    action();
  } catch (const Failure& failure) {
    CHECK(failure.error().code == Code::configuration);
    CHECK_FALSE(failure.error().hint.empty());
    return failure.error();
  }
  FAIL("was not refused");
  return {};
}

inline Error contract_refusal(const std::string& text) {
  return refusal_of([&] { static_cast<void>(parse_contract(text, "contract.toml")); });
}

inline Error config_refusal(const std::string& text) {
  return refusal_of([&] { static_cast<void>(parse_config(text, "abgleich.toml")); });
}

inline bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace abgleich::contract
