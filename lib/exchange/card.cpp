#include "exchange/card.hpp"

#include "core/error.hpp"
#include "core/hex.hpp"
#include "core/shell_word.hpp"
#include "core/shortage.hpp"
#include "exchange/fields.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace abgleich::exchange {

namespace {

constexpr std::string_view kCardWord = "abgleich-card";
constexpr std::string_view kCardVersion = "1";
constexpr std::string_view kSigned = "abgleich.card/1 signature\n";
constexpr std::string_view kReadOut = "abgleich.card/1 fingerprint\n";
constexpr std::string_view kSignsLine = "signs ";
constexpr std::string_view kSignatureLine = "signature ";
constexpr std::size_t kGroups = 8;
constexpr std::size_t kDigitsOfGroup = 5;

[[noreturn]] void refuse_card(const std::string& file, std::string_view what, std::string hint) {
  throw Failure(Code::key_or_trust, fmt::format("'{}' {}", file, what), std::move(hint));
}

[[noreturn]] void refuse_form(const std::string& file, const std::string& remedy = {}) {
  refuse_card(file, "is no card of abgleich",
              remedy.empty() ? "ask for the file that `abgleich peer card` writes, as an "
                               "attachment: a mail program must not change a byte of it"
                             : remedy);
}

/// Where a card's signature stands, and the key that made it: both at a fixed distance from the
/// end, so that the signature is checked before anything is parsed.
struct Tail {
  std::string_view covered;
  std::string_view signs;
  std::string_view signature;
};

std::optional<Tail> tail_of(std::string_view text) {
  constexpr auto kSignatureDigits = 2 * std::tuple_size_v<seal::Signature>;
  constexpr auto kSignsDigits = 2 * std::tuple_size_v<seal::Verifier>;
  constexpr auto kLast = kSignatureLine.size() + kSignatureDigits + 1;
  constexpr auto kBefore = kSignsLine.size() + kSignsDigits + 1;
  if (text.size() < kLast + kBefore) {
    return std::nullopt;
  }
  Tail tail{.covered = text.substr(0, text.size() - kLast)};
  const auto before = tail.covered.substr(tail.covered.size() - kBefore);
  const auto last = text.substr(tail.covered.size());
  if (!before.starts_with(kSignsLine) || !before.ends_with('\n') ||
      !last.starts_with(kSignatureLine) || !last.ends_with('\n')) {
    return std::nullopt;
  }
  tail.signs = before.substr(kSignsLine.size(), kSignsDigits);
  tail.signature = last.substr(kSignatureLine.size(), kSignatureDigits);
  return tail;
}

void check_version(std::string_view text, const std::string& file, const std::string& remedy) {
  const auto version = Fields(text).take(kCardWord);
  if (!version) {
    refuse_form(file, remedy);
  }
  if (*version != kCardVersion) {
    refuse_card(file, "is a card of a format that this abgleich does not know",
                "use a newer abgleich on this side, or " +
                    (remedy.empty() ? "ask for a card of format 1" : remedy));
  }
}

/// Reads the lines before the signature.
std::optional<Card> fields_of(std::string_view covered) {
  Fields fields(covered);
  Card card;
  (void)fields.take(kCardWord);
  const auto id = fields.take("id");
  const auto serial = fields.take("serial");
  const auto name = fields.take("name");
  const auto seals = fields.take("seals");
  const auto signs = fields.take("signs");
  if (!id || !serial || !name || !seals || !signs || !fields.at_end()) {
    return std::nullopt;
  }
  const auto number = read_serial(*serial);
  const auto recipient = seal::recipient_from(*seals);
  if (!read_id(*id, card.id) || !number || !is_peer_name(*name) || !recipient ||
      !read_hex(*signs, card.signs)) {
    return std::nullopt;
  }
  card.serial = *number;
  card.name = *name;
  card.seals = *recipient;
  return card;
}

class CardFile {
 public:
  explicit CardFile(const std::string& file)
      // without O_NONBLOCK, opening a named pipe would wait for a writer
      : number_(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  CardFile(const CardFile&) = delete;
  CardFile& operator=(const CardFile&) = delete;
  ~CardFile() {
    if (number_ >= 0) {
      ::close(number_);
    }
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

std::string card_text(const Card& card, const seal::SigningKey& key) {
  auto text = fmt::format("{} {}\nid {}\nserial {}\nname {}\nseals {}\n{}{}\n", kCardWord,
                          kCardVersion, id_text(card.id), card.serial, card.name,
                          seal::recipient_text(card.seals), kSignsLine, hex(card.signs));
  const auto signature = key.sign(kSigned, seal::hash_of(text));
  return text += fmt::format("{}{}\n", kSignatureLine, hex(signature));
}

Card parse_card(std::string_view text, const std::string& file, const std::string& remedy) {
  if (text.size() > kMostCard) {
    refuse_form(file, remedy);
  }
  check_version(text, file, remedy);
  const auto tail = tail_of(text);
  seal::Verifier signs;
  seal::Signature signature;
  if (!tail || !read_hex(tail->signs, signs) || !read_hex(tail->signature, signature)) {
    refuse_form(file, remedy);
  }
  if (!seal::verify(signs, kSigned, seal::hash_of(tail->covered), signature)) {
    refuse_card(file, "is a card whose signature is wrong",
                remedy.empty()
                    ? "somebody has changed it on the way: ask for it again, by other means"
                    : remedy);
  }
  auto card = fields_of(tail->covered);
  if (!card) {
    refuse_form(file, remedy);
  }
  return std::move(*card);
}

std::string fingerprint_of_card(std::string_view text) {
  constexpr std::uint64_t kMod = 100'000;
  constexpr std::size_t kBytesOfGroup = 5;
  seal::Hasher hasher;
  hasher.add(kReadOut);
  hasher.add(text);
  const auto hash = hasher.finish();
  std::string digits;
  for (std::size_t group = 0; group < kGroups; ++group) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < kBytesOfGroup; ++i) {
      number = number << 8U | hash[group * kBytesOfGroup + i];
    }
    digits += fmt::format("{}{:05}", group == 0 ? "" : " ", number % kMod);
  }
  return digits;
}

std::optional<std::string> fingerprint_typed(std::string_view typed) {
  std::string digits;
  std::size_t count = 0;
  for (const char c : typed) {
    if (c >= '0' && c <= '9') {
      if (count > 0 && count % kDigitsOfGroup == 0) {
        digits += ' ';
      }
      digits += c;
      ++count;
    } else if (c != ' ' && c != '-') {
      return std::nullopt;
    }
  }
  return count == kGroups * kDigitsOfGroup ? std::optional(digits) : std::nullopt;
}

void expect_fingerprint(std::string_view text, const std::string& file, std::string_view typed) {
  if (text.size() > kMostCard) {
    refuse_form(file);
  }
  if (fingerprint_of_card(text) == typed) {
    return;
  }
  if (text.find('\r') != std::string_view::npos) {
    refuse_card(file, "has Windows line ends, which a card has not",
                fmt::format("something has changed it on the way; run `sed -i 's/\\r$//' {}`, then "
                            "this again. Nothing was added",
                            in_shell(file)));
  }
  refuse_card(file, "is not the card whose fingerprint you have typed",
              "compare the digits once more on the telephone; if they were right, somebody has "
              "put another card in its place. Nothing was added");
}

std::string read_card_file(const std::string& file, const std::string& remedy) {
  const CardFile in(file);
  struct stat status {};
  if (in.number() < 0 || ::fstat(in.number(), &status) != 0) {
    const auto error = errno;
    const auto shortage = shortage_of(error);
    throw Failure(
        shortage ? shortage->code : Code::key_or_trust,
        fmt::format("card '{}' cannot be read: {}", file, std::generic_category().message(error)),
        shortage ? std::string(shortage->hint)
                 : fmt::format("look at its path and rights: `ls -l {}`", in_shell(file)));
  }
  if (!S_ISREG(status.st_mode)) {
    refuse_card(file, "is not a regular file", remedy.empty() ? "name the card's file" : remedy);
  }
  std::array<char, kMostCard + 1> buffer{};
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const auto got = ::read(in.number(), buffer.data() + filled, buffer.size() - filled);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      break;
    }
    filled += static_cast<std::size_t>(got);
  }
  return {buffer.data(), filled};
}

}  // namespace abgleich::exchange
