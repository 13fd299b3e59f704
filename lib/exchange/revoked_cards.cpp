#include "exchange/revoked_cards.hpp"

#include "contract/trust.hpp"
#include "core/error.hpp"
#include "core/replace_file.hpp"
#include "core/shallow_json.hpp"
#include "core/shell_word.hpp"
#include "core/shortage.hpp"
#include "exchange/card_directory.hpp"
#include "exchange/pinned_cards.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <system_error>

namespace abgleich::exchange {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema = "abgleich.revoked/1";

constexpr const char* kRemedy =
    "put it back from a backup; the peer is held off as long as it is there";

[[noreturn]] void refuse_damaged(const fs::path& file) {
  throw Failure(
      Code::key_or_trust,
      fmt::format("'{}' does not say who is revoked, as this abgleich writes it", file.string()),
      kRemedy);
}

RevokedCard read_revoked(const fs::path& file) {
  contract::expect_own(file, "what says that a peer is revoked");
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto json = parse_shallow<Json>(text);
  const auto field = [&](const char* name) -> std::string {
    const auto found = json.is_object() ? json.find(name) : json.end();
    if (!json.is_object() || found == json.end() || !found->is_string()) {
      refuse_damaged(file);
    }
    return found->get<std::string>();
  };
  if (field("schema") != kSchema) {
    refuse_damaged(file);
  }
  const auto card = field("card");
  return {.name = file.stem().string(),
          .file = file,
          .card = parse_card(card, file.string(), kRemedy),
          .fingerprint = fingerprint_of_card(card),
          .revocation = {.at = field("at"), .by = field("by"), .reason = field("reason")}};
}

void write_revoked(const CardDirectory& directory, const fs::path& file, std::string_view card,
                   const Revocation& revocation) {
  const Json json{{"schema", kSchema},
                  {"at", revocation.at},
                  {"by", revocation.by},
                  {"reason", revocation.reason},
                  {"card", card}};
  try {
    replace_file(file, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n",
                 S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
    directory.sync();
  } catch (const std::system_error& failed) {
    const auto shortage = shortage_of(failed.code().value());
    throw Failure(shortage ? shortage->code : Code::key_or_trust,
                  fmt::format("'{}' cannot be written: {}", file.string(), failed.code().message()),
                  shortage ? std::string(shortage->hint)
                           : fmt::format("look at the directory's rights: `ls -ld {}`. The peer is "
                                         "not revoked",
                                         in_shell(file.parent_path().string())));
  }
}

fs::path revoked_file(const fs::path& directory, const std::string& name) {
  return directory / (name + std::string(kRevokedExtension));
}

}  // namespace

bool is_revoked(const fs::path& directory, const std::string& name) {
  std::error_code unreadable;
  return fs::exists(revoked_file(directory, name), unreadable);
}

std::vector<RevokedCard> revoked_cards(const fs::path& directory) {
  contract::expect_own(directory, "the directory of the peers' cards");
  std::vector<RevokedCard> all;
  std::error_code error;  // `pinned_cards` complains about a directory that cannot be read
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == kRevokedExtension) {
      all.push_back(read_revoked(entry->path()));
    }
  }
  std::ranges::sort(all, {}, &RevokedCard::name);
  return all;
}

RevokedCard revoke_card(const fs::path& directory, const std::string& name,
                        const Revocation& revocation) {
  const auto file = revoked_file(directory, name);
  const auto card = directory / (name + std::string(kCardExtension));
  if (!is_revoked(directory, name)) {
    const auto all = pinned_cards(directory);
    if (std::ranges::find(all, name, &PinnedCard::name) == all.end()) {
      throw Failure(Code::usage, fmt::format("no peer is pinned as '{}'", name),
                    "see the pinned peers: abgleich peer list. Nothing was changed");
    }
    if (revocation.reason.size() > kMostReason) {
      throw Failure(Code::usage, fmt::format("the reason has more than {} characters", kMostReason),
                    "write a shorter one. Nothing was changed");
    }
    const CardDirectory locked(directory);
    write_revoked(locked, file, read_card_file(card.string()), revocation);
  }
  std::error_code error;
  fs::remove(card, error);  // it does not count any more, even if it stays
  return read_revoked(file);
}

}  // namespace abgleich::exchange
