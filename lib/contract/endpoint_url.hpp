// Reading a database's URL, without ever repeating it: a password may be in it.
#pragma once

#include "core/endpoint.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace abgleich::contract {

/// What is wrong with a URL, and what to write instead. Of the URL, it holds at most the name of an
/// engine.
struct UrlProblem {
  std::string message;
  std::string hint;
};

/// `parse_endpoint` for callers that know the place to put in front of the message.
std::variant<Endpoint, UrlProblem> understand_url(Role role, std::string_view url,
                                                  const std::filesystem::path& directory);

/// A parameter of a server's URL, as libpq reads it; empty where the URL does not have it.
std::optional<std::string> parameter_of(const Endpoint& endpoint, std::string_view name);

/// The user that the URL names; empty where it names none, and for a file.
std::string user_of(const Endpoint& endpoint);

}  // namespace abgleich::contract
