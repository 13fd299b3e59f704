// Progress on a terminal: one line on stderr that overwrites itself.
#pragma once

#include "command.hpp"
#include "sync/progress.hpp"

#include <memory>
#include <string>

namespace abgleich::cmd {

class TerminalProgress : public sync::Progress {
 public:
  enum class Show : std::uint8_t { nothing, line };
  explicit TerminalProgress(Show show) : show_(show) {}
  ~TerminalProgress() override { done(); }
  TerminalProgress(const TerminalProgress&) = delete;
  TerminalProgress& operator=(const TerminalProgress&) = delete;

  void at(std::string_view step, std::string_view table, std::int64_t rows) override;
  /// Wipes the line.
  void done();

 private:
  Show show_;
  bool shown_ = false;
};

/// Shows only on a terminal, and not with --no-progress, --quiet or --json.
std::unique_ptr<TerminalProgress> make_progress(const Context& context);

}  // namespace abgleich::cmd
