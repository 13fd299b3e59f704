// Reading a database's URL, without ever repeating it: a password may be in it.
#pragma once

#include "core/endpoint.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace abgleich::contract {

/// What is wrong with a URL, and what to write instead. Holds no part of the URL.
struct UrlProblem {
  std::string message;
  std::string hint;
};

/// `parse_endpoint` for callers that know the place to put in front of the message.
std::variant<Endpoint, UrlProblem> understand_url(Role role, std::string_view url,
                                                  const std::filesystem::path& directory);

/// What a PostgreSQL URL says behind the question mark, as libpq reads it.
std::optional<std::string> parameter_of(const Endpoint& endpoint, std::string_view name);

/// The user that a URL names; empty where it leaves that to the environment, or there are none.
std::string user_of(const Endpoint& endpoint);

}  // namespace abgleich::contract
