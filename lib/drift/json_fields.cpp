#include "drift/json_fields.hpp"

#include "contract/words.hpp"
#include "core/error.hpp"
#include "core/shallow_json.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace abgleich::drift {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kHint =
    "restore the file from version control, or write it anew: abgleich drift accept";

[[noreturn]] void fail(const std::filesystem::path& file, std::string_view what) {
  throw Failure{Code::configuration, fmt::format("'{}': {}", file.string(), what),
                std::string{kHint}};
}

/// The line and the column of a byte, both from 1.
std::pair<std::size_t, std::size_t> line_and_column(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte == 0 ? 0 : std::min(byte - 1, text.size()));
  const auto lines = static_cast<std::size_t>(std::ranges::count(before, '\n'));
  const std::size_t start = before.rfind('\n');
  return {lines + 1, before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1};
}

/// Refuses a field that is there twice. A merge in version control easily leaves one, and the
/// parser would take the last.
class Twice {
 public:
  explicit Twice(const std::filesystem::path& file) : file_(file) {}

  bool operator()(Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) {
      open_.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      open_.pop_back();
    } else if (event == Json::parse_event_t::key) {
      const std::string name = parsed.get<std::string>();
      if (!open_.back().insert(name).second) {
        fail(file_, fmt::format("the field {} is there twice", contract::in_quotes(name)));
      }
    }
    return true;
  }

 private:
  const std::filesystem::path& file_;
  std::vector<std::set<std::string>> open_;
};

}  // namespace

Fields::Fields(const Json& object, std::string path, const std::filesystem::path& file)
    : object_(&object), path_(std::move(path)), file_(&file) {
  if (!object.is_object()) {
    fail(file, path_.empty() ? "is not a JSON object" : fmt::format("{} is not an object", path_));
  }
}

std::string Fields::path_of(std::string_view name) const {
  return path_.empty() ? std::string{name} : fmt::format("{}.{}", path_, name);
}

void Fields::refuse(const char* name, std::string_view what) const {
  fail(*file_, fmt::format("{} {}", path_of(name), what));
}

void Fields::expect_only(std::initializer_list<std::string_view> names) const {
  for (const auto& [name, value] : object_->items()) {
    if (std::ranges::find(names, std::string_view{name}) == names.end()) {
      fail(*file_, fmt::format("unknown field {}{}", contract::in_quotes(name),
                               path_.empty() ? "" : fmt::format(" in {}", path_)));
    }
  }
}

bool Fields::has(const char* name) const {
  return object_->contains(name);
}

const Json& Fields::at(const char* name) const {
  const auto found = object_->find(name);
  if (found == object_->end()) {
    refuse(name, "is missing");
  }
  return *found;
}

std::string Fields::text(const char* name) const {
  const Json& value = at(name);
  if (!value.is_string()) {
    refuse(name, "is not a text");
  }
  return value.get<std::string>();
}

std::string Fields::name(const char* name) const {
  std::string found = text(name);
  if (found.empty()) {
    refuse(name, "is empty");
  }
  return found;
}

std::int64_t Fields::number(const char* name) const {
  const Json& value = at(name);
  const bool too_large = value.is_number_unsigned() &&
                         value.get<std::uint64_t>() >
                             static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value.is_number_integer() || too_large) {
    refuse(name, "is not a whole number");
  }
  return value.get<std::int64_t>();
}

std::optional<int> Fields::optional_number(const char* name) const {
  if (!has(name)) {
    return std::nullopt;
  }
  const std::int64_t value = number(name);
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    refuse(name, "is out of range");
  }
  return static_cast<int>(value);
}

bool Fields::truth(const char* name) const {
  const Json& value = at(name);
  if (!value.is_boolean()) {
    refuse(name, "is neither true nor false");
  }
  return value.get<bool>();
}

bool Fields::truth_or(const char* name, bool otherwise) const {
  return has(name) ? truth(name) : otherwise;
}

std::vector<std::string> Fields::texts(const char* name) const {
  const Json& value = at(name);
  if (!value.is_array() || value.empty() ||
      !std::ranges::all_of(value, [](const Json& entry) { return entry.is_string(); })) {
    refuse(name, "is not a list of texts");
  }
  return value.get<std::vector<std::string>>();
}

Fields Fields::object(const char* name) const {
  return {at(name), path_of(name), *file_};
}

std::vector<Fields> Fields::objects(const char* name) const {
  const Json& value = at(name);
  if (!value.is_array()) {
    refuse(name, "is not a list");
  }
  std::vector<Fields> found;
  found.reserve(value.size());
  for (const Json& entry : value) {
    found.emplace_back(entry, fmt::format("{}[{}]", path_of(name), found.size()), *file_);
  }
  return found;
}

JsonDocument::JsonDocument(std::string_view text, const std::filesystem::path& file) : file_(file) {
  try {
    Twice twice{file};
    json_ = std::make_unique<Json>(Json::parse(
        nests_deeply(text) ? std::string_view() : text,
        [&](int, Json::parse_event_t event, Json& parsed) { return twice(event, parsed); }));
  } catch (const nlohmann::json::exception& error) {
    std::size_t byte = 0;
    if (const auto* at = dynamic_cast<const nlohmann::json::parse_error*>(&error)) {
      byte = at->byte;
    }
    const auto [line, column] = line_and_column(text, byte);
    throw Failure{Code::configuration,
                  fmt::format("'{}:{}:{}' is not JSON", file.string(), line, column),
                  std::string{kHint}};
  }
}

JsonDocument::~JsonDocument() = default;

Fields JsonDocument::root() const {
  return {*json_, {}, file_};
}

}  // namespace abgleich::drift
