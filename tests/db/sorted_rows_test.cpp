#include "db/secondary/sorted_rows.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

using abgleich::db::Cell;
using abgleich::db::RowsNotKept;
using abgleich::db::SortedRows;
using abgleich::db::text_cell;

namespace {

class Directory {
 public:
  Directory() {
    auto name = (std::filesystem::temp_directory_path() / "abgleich-rows.XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Directory() { std::filesystem::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::filesystem::path path;
};

/// The numbers below `count` in an order that is not theirs, each once.
std::vector<int> shuffled(int count) {
  std::vector<int> numbers;
  for (int i = 0; i < count; ++i) {
    numbers.push_back(static_cast<int>((static_cast<long>(i) * 7919L) % count));
  }
  return numbers;
}

std::string key_of(int number) {
  auto digits = std::to_string(number);
  return "same beginning " + std::string(8 - digits.size(), '0') + digits;
}

/// What comes out, of rows that hold less than `memory` bytes at a time.
std::vector<std::string> sorted(const Directory& directory, int count, std::size_t memory) {
  SortedRows rows(directory.path, memory);
  for (const int number : shuffled(count)) {
    const auto text = std::to_string(number);
    const Cell cells[] = {text_cell(text), {}, {Cell::Storage::blob, text}};
    rows.add(key_of(number), cells);
  }
  CHECK(std::filesystem::is_empty(directory.path));  // no name, also while they are there
  std::vector<std::string> out;
  rows.take([&](std::span<const Cell> cells) {
    REQUIRE(cells.size() == 3);
    CHECK(cells[0].storage == Cell::Storage::text);
    CHECK(cells[1].storage == Cell::Storage::null);
    CHECK(cells[2].storage == Cell::Storage::blob);
    CHECK(cells[0].bytes == cells[2].bytes);
    out.emplace_back(cells[0].bytes);
  });
  return out;
}

std::vector<std::string> numbers(int count) {
  std::vector<std::string> texts;
  for (int i = 0; i < count; ++i) {
    texts.push_back(std::to_string(i));
  }
  return texts;
}

}  // namespace

TEST_CASE("sorted rows: every row comes once, in the order of the keys, from memory or from disk") {
  const Directory directory;
  for (const int count : {0, 1, 2, 1009, 5003}) {
    CAPTURE(count);
    CHECK(sorted(directory, count, 1U << 20U) == numbers(count));
    CHECK(sorted(directory, count, 4096) == numbers(count));
    CHECK(sorted(directory, count, 256) == numbers(count));  // more files than are read at once
  }
}

TEST_CASE("sorted rows: a row may be larger than all that is held, or have no cells") {
  const Directory directory;
  SortedRows rows(directory.path, 4096);
  const std::vector<std::size_t> sizes{3'000'000, 0, 30, 31, 32, 100'000, 2'000'000};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::string value(sizes[i], static_cast<char>('a' + i));
    const Cell cells[] = {text_cell(value)};
    rows.add(std::string(1, static_cast<char>('z' - i)), cells);
  }
  rows.add("", {});
  std::vector<std::size_t> out;
  rows.take([&](std::span<const Cell> cells) {
    if (cells.empty()) {
      CHECK(out.empty());
      return;
    }
    out.push_back(cells[0].bytes.size());
    CHECK(std::ranges::count(cells[0].bytes, cells[0].bytes.empty() ? ' ' : cells[0].bytes[0]) ==
          static_cast<std::ptrdiff_t>(cells[0].bytes.size()));
  });
  CHECK(out == std::vector<std::size_t>(sizes.rbegin(), sizes.rend()));
}

TEST_CASE("sorted rows: keys are compared as bytes, zeros and a high bit included") {
  const Directory directory;
  SortedRows rows(directory.path);
  const std::vector<std::string> keys{std::string(),
                                      std::string(1, '\0'),
                                      std::string(2, '\0'),
                                      std::string("\0\1", 2),
                                      "\x7f",
                                      "\x80",
                                      "\xff"};
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    const Cell cells[] = {text_cell(*key)};
    rows.add(*key, cells);
  }
  std::vector<std::string> out;
  rows.take([&](std::span<const Cell> cells) { out.emplace_back(cells[0].bytes); });
  CHECK(out == keys);
}

TEST_CASE("sorted rows: what waits on disk holds no value and no key") {
  const Directory directory;
  const auto on_disk = [&] {
    std::string all;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      std::error_code gone;  // the descriptor of this very list
      const auto target = std::filesystem::read_symlink(entry.path(), gone).string();
      if (!gone && target.starts_with(directory.path.string())) {
        std::ifstream file(entry.path(), std::ios::binary);
        all.append(std::istreambuf_iterator<char>(file), {});
      }
    }
    return all;
  };
  SortedRows rows(directory.path, 4096);
  const std::string value = "p1_MASKED-AND-NOBODYS-BUSINESS";
  for (int i = 0; i < 1000; ++i) {
    const Cell cells[] = {text_cell(value)};
    rows.add(key_of(i), cells);
  }
  const auto found = on_disk();
  CHECK(found.size() > 30'000);
  CHECK(found.find("NOBODYS") == std::string::npos);
  CHECK(found.find("same beginning") == std::string::npos);
  // the control: the same place, the same look
  const auto plain = directory.path / "plain";
  std::ofstream(plain) << value;
  const std::ifstream open(plain);
  CHECK(on_disk().find("NOBODYS") != std::string::npos);
}

TEST_CASE("sorted rows: where nothing can be written, that is said") {
  SortedRows rows("/proc/self", 16);
  const Cell cells[] = {text_cell("a value that is longer than what may be held")};
  CHECK_THROWS_AS(rows.add("key", cells), RowsNotKept);
}
