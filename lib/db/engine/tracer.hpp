// Reports statements where `-vv` asks for them; costs nothing otherwise.
#pragma once

#include "core/endpoint.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace abgleich::db {

/// The statement in one line, with `?` in place of every number and text, which may be from a row.
std::string without_values(std::string_view sql);

class Tracer {
 public:
  explicit Tracer(const Endpoint& endpoint)
      : role_(endpoint.role), on_statement_(endpoint.on_statement) {}

  /// Lives from the start of a statement to the end of its rows.
  class Running {
   public:
    Running(const Tracer& tracer, std::string_view sql);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    void rows(std::int64_t count) { rows_ = count; }
    void row() { ++rows_; }

   private:
    const Tracer& tracer_;
    std::string text_;
    std::int64_t rows_ = 0;
    std::chrono::steady_clock::time_point began_;
  };

  [[nodiscard]] bool wanted() const { return static_cast<bool>(on_statement_); }
  void tell(std::string_view sql, std::int64_t rows, std::chrono::nanoseconds took) const;

 private:
  Role role_;
  OnStatement on_statement_;
};

}  // namespace abgleich::db
