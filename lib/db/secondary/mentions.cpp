#include "db/secondary/mentions.hpp"

#include "db/engine/cell_values.hpp"
#include "db/engine/engine.hpp"
#include "db/secondary/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace abgleich::db {

namespace {

/// Counts the rows of a query of which a cell mentions the text. `epoch`: the first cell is the
/// number of a run.
struct MentionSearch {
  Target& target;
  std::string_view text;
  std::vector<Mention>& found;

  void look(Mention mention, const std::string& sql, std::size_t first = 0) const {
    target.connection().read(sql, [&](std::span<const Cell> cells) {
      if (std::ranges::any_of(cells.subspan(first), [&](const Cell& cell) {
            return cell.storage != Cell::Storage::null && mentions(cell.bytes, text);
          })) {
        ++mention.rows;
        mention.epoch = std::max(mention.epoch, first > 0 ? number(cells[0]) : 0);
      }
    });
    if (mention.rows > 0) {
      found.push_back(std::move(mention));
    }
  }

  void look_in_books(Mention::In in, std::string_view table, std::string_view columns,
                     std::size_t first = 0) const {
    look({.in = in, .table = std::string(table)},
         fmt::format("SELECT {} FROM {}", columns, target.session().own_table(table)), first);
  }
};

}  // namespace

bool mentions(std::string_view value, std::string_view text) {
  constexpr std::size_t kNoAccident = 16;
  return value == text || (text.size() >= kNoAccident
                               ? value.find(text) != std::string_view::npos
                               : value.find(fmt::format(":{}\"", text)) != std::string_view::npos);
}

std::vector<Mention> find_mentions(Target& target, const std::vector<TrackedRow>& tracked,
                                   std::string_view text) {
  using In = Mention::In;
  std::vector<Mention> found;
  const MentionSearch search{target, text, found};
  const auto& session = target.session();
  for (const auto& row : tracked) {
    if (target.catalog().find_table(row.target) != nullptr) {
      search.look(
          {.in = In::data, .table = row.target},
          fmt::format("SELECT * FROM {}", target.dialect().table(session.schema, row.target)));
    }
  }
  for (const auto& row : tracked) {
    const auto base = fmt::format("base_{}", row.id);
    if (target.books().has_table(base)) {
      search.look({.in = In::base, .table = row.target},
                  fmt::format("SELECT * FROM {}", session.own_table(base)));
    }
  }
  search.look_in_books(In::journal, "journal", "epoch, key_text, before, after", 1);
  search.look_in_books(In::conflict, "conflict", "key_text, detail");
  search.look_in_books(In::quarantine, "quarantine", "key_text, reason");
  search.look_in_books(In::run, "run", "epoch, reason", 1);
  search.look_in_books(In::head, "head", "paused");
  return found;
}

}  // namespace abgleich::db
