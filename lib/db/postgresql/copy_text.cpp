#include "db/postgresql/copy_text.hpp"

#include "db/postgresql/hex.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace abgleich::db::postgresql {

namespace {

/// The letter that follows the backslash for a byte that the server does not write into a field as
/// it is; 0 for every other byte.
constexpr std::array<char, 256> escape_letters() {
  std::array<char, 256> letters{};
  letters['\\'] = '\\';
  letters['\b'] = 'b';
  letters['\f'] = 'f';
  letters['\n'] = 'n';
  letters['\r'] = 'r';
  letters['\t'] = 't';
  letters['\v'] = 'v';
  return letters;
}
constexpr auto kEscapeLetters = escape_letters();

/// Whether one of the bytes may have to be escaped: a backslash, or a byte below the space. Checks
/// eight at a time (Warren, Hacker's Delight, section 6-1).
bool may_need_escapes(std::string_view bytes) {
  constexpr std::uint64_t kOnes = 0x0101'0101'0101'0101U;
  constexpr std::uint64_t kHighest = 0x80 * kOnes;
  constexpr auto below = [](std::uint64_t word, std::uint64_t limit) {
    return (word - limit * kOnes) & ~word & kHighest;
  };
  std::uint64_t found = 0;
  for (; bytes.size() >= sizeof(std::uint64_t); bytes.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    found |= below(word, ' ') | below(word ^ '\\' * kOnes, 1);
  }
  for (const char c : bytes) {
    found |= static_cast<unsigned char>(kEscapeLetters[static_cast<unsigned char>(c)]);
  }
  return found != 0;
}

void append_escaped(std::string_view bytes, std::string& out) {
  if (!may_need_escapes(bytes)) {
    out += bytes;
    return;
  }
  std::size_t copied = 0;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const char letter = kEscapeLetters[static_cast<unsigned char>(bytes[at])];
    if (letter != 0) {
      out.append(bytes, copied, at - copied);
      out += '\\';
      out += letter;
      copied = at + 1;
    }
  }
  out.append(bytes, copied);
}

/// Appends the line of a row that has nothing to escape, like most rows. False: it has something to
/// escape, and nothing was appended.
bool append_plain_line(std::span<const Cell> row, std::string& out) {
  std::size_t size = row.size();  // a tab or the newline after each cell
  for (const auto& cell : row) {
    if (cell.storage == Cell::Storage::blob ||
        (cell.storage != Cell::Storage::null && may_need_escapes(cell.bytes))) {
      return false;
    }
    size += cell.storage == Cell::Storage::null ? 2 : cell.bytes.size();
  }
  const auto begin = out.size();
  out.resize(begin + std::max<std::size_t>(size, 1));
  char* to = out.data() + begin;
  for (const auto& cell : row) {
    if (cell.storage == Cell::Storage::null) {
      *to++ = '\\';
      *to++ = 'N';
    } else {
      to = std::copy(cell.bytes.begin(), cell.bytes.end(), to);
    }
    *to++ = '\t';
  }
  out.back() = '\n';
  return true;
}

char unescaped(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return letter;  // the server writes no other escapes, not even octal or hexadecimal ones
  }
}

Cell unescape(char* begin, const char* end) {
  const auto size = static_cast<std::size_t>(end - begin);
  if (size == 2 && begin[0] == '\\' && begin[1] == 'N') {
    return {};
  }
  auto* from = static_cast<char*>(std::memchr(begin, '\\', size));
  if (from == nullptr) {
    return text_cell({begin, size});
  }
  char* to = from;
  while (from != end) {
    if (*from == '\\' && from + 1 != end) {
      *to++ = unescaped(from[1]);
      from += 2;
    } else {
      *to++ = *from++;
    }
  }
  return text_cell({begin, static_cast<std::size_t>(to - begin)});
}

}  // namespace

void append_copy_line(std::span<const Cell> row, std::string& out) {
  if (append_plain_line(row, out)) {
    return;
  }
  bool first = true;
  for (const auto& cell : row) {
    if (!first) {
      out += '\t';
    }
    first = false;
    switch (cell.storage) {
      case Cell::Storage::null:
        out += "\\N";
        break;
      case Cell::Storage::blob:
        out += '\\';  // escapes the backslash of \x
        append_hex(cell.bytes, out);
        break;
      default:
        append_escaped(cell.bytes, out);
    }
  }
  out += '\n';
}

std::string_view copy_fields(std::string_view line, std::size_t count) {
  std::size_t end = 0;
  for (std::size_t i = 0; i < count; ++i) {
    end = std::min(line.find_first_of("\t\n", i == 0 ? 0 : end + 1), line.size());
  }
  return line.substr(0, end);
}

void split_copy_line(std::span<char> line, std::vector<Cell>& cells) {
  cells.clear();
  char* at = line.data();
  char* end = at + line.size();
  if (at != end && end[-1] == '\n') {
    --end;
  }
  const bool escapes = std::memchr(at, '\\', static_cast<std::size_t>(end - at)) != nullptr;
  for (;;) {
    const auto left = static_cast<std::size_t>(end - at);
    auto* tab = left == 0 ? nullptr : static_cast<char*>(std::memchr(at, '\t', left));
    char* stop = tab == nullptr ? end : tab;
    cells.push_back(escapes ? unescape(at, stop)
                            : text_cell({at, static_cast<std::size_t>(stop - at)}));
    if (tab == nullptr) {
      return;
    }
    at = tab + 1;
  }
}

}  // namespace abgleich::db::postgresql
