#include "progress.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace abgleich::cmd {

void TerminalProgress::at(std::string_view step, std::string_view table, std::int64_t rows) {
  if (show_ == Show::line) {
    redraw(fmt::format("{} {}: {} rows", step, table, rows));
    shown_ = true;
  }
}

void TerminalProgress::done() {
  if (shown_) {
    redraw({});
    shown_ = false;
  }
}

std::unique_ptr<TerminalProgress> make_progress(const Context& context) {
  const bool wanted = !context.no_progress && !context.json &&
                      context.loudness() != Loudness::problems && isatty(2) == 1;
  return std::make_unique<TerminalProgress>(wanted ? TerminalProgress::Show::line
                                                   : TerminalProgress::Show::nothing);
}

}  // namespace abgleich::cmd
