#include "report/peer_commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace abgleich::report {

namespace {

constexpr std::string_view kProgram = "abgleich ";
constexpr std::string_view kOption = " --peer ";

/// The commands that work on one pairing.
constexpr std::array<std::string_view, 17> kOfPairing{
    "adopt", "check",  "conflicts", "contract", "diff",   "drift", "log",  "privacy", "quarantine",
    "rekey", "reveal", "resolve",   "resume",   "revert", "show",  "sync", "verify"};

bool is_of_pairing(std::string_view word) {
  return std::ranges::find(kOfPairing, word) != kOfPairing.end();
}

}  // namespace

std::string for_peer(std::string_view text, std::string_view peer) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  std::string out;
  while (!text.empty()) {
    const auto at = text.find(kProgram);
    if (at == std::string_view::npos) {
      return out.append(text);
    }
    out.append(text.substr(0, at + kProgram.size()));
    text.remove_prefix(at + kProgram.size());
    const auto end = std::min(text.find_first_not_of(kLetters), text.size());
    if (is_of_pairing(text.substr(0, end)) && !text.substr(end).starts_with(kOption)) {
      out += fmt::format("--peer {} ", peer);
    }
  }
  return out;
}

}  // namespace abgleich::report
