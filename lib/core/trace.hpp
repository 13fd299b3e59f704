// What `-vv` shows of every statement that is sent to a database.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace abgleich {

enum class Role : std::uint8_t;

struct TracedStatement {
  Role role{};
  std::string text;       // one line, `?` in place of every value; without parameters
  std::int64_t rows = 0;  // read, or changed
  std::chrono::microseconds took{};
};

/// May be called from several threads.
using OnStatement = std::function<void(const TracedStatement&)>;

}  // namespace abgleich
