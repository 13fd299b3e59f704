#include "contract/config.hpp"
#include "contract/document.hpp"
#include "contract/include.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace abgleich::contract {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEnding = ".toml";

/// Removes files that others of them include: shared defaults are not a pairing.
void leave_out_included(std::vector<fs::path>& files) {
  std::vector<fs::path> included;
  for (const auto& file : files) {
    try {
      if (auto shared = find_include(read_text(file), file)) {
        included.push_back(std::move(*shared));
      }
    } catch (const Failure&) {  // NOLINT(bugprone-empty-catch)
      // the error is shown where the file is opened
    }
  }
  std::erase_if(files, [&](const fs::path& file) {
    return std::ranges::any_of(included, [&](const fs::path& one) {
      std::error_code error;
      return fs::equivalent(one, file, error);
    });
  });
}

/// A contract has a `format`, and a configuration has none.
bool is_contract(const fs::path& file) {
  try {
    return read_toml(read_text(file), file.string()).find("format") != nullptr;
  } catch (const Failure&) {
    return false;
  }
}

}  // namespace

fs::path find_profile(const fs::path& directory, const std::string& name) {
  if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) {
    throw Failure(Code::usage, fmt::format("{} is not the name of a pairing", in_quotes(name)),
                  fmt::format("write NAME of {}/NAME{}", directory.string(), kEnding));
  }
  auto file = directory / (name + std::string(kEnding));
  std::error_code error;
  if (!fs::exists(file, error)) {
    throw Failure(
        Code::configuration,
        fmt::format("no configuration {}, which --profile names", in_quotes(file.string())),
        fmt::format("look at what there is: ls {}", in_shell(directory.string())));
  }
  return file;
}

std::vector<fs::path> all_profiles(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (auto at = fs::directory_iterator(directory, error); !error && at != fs::end(at);
       at.increment(error)) {
    const auto& file = at->path();
    if (file.extension() == kEnding && !file.filename().string().starts_with('.') &&
        !is_contract(file)) {
      files.push_back(file);
    }
  }
  leave_out_included(files);
  if (error || files.empty()) {
    throw Failure(
        Code::configuration,
        fmt::format("no configuration in {}{}", in_quotes(directory.string()),
                    error ? ": " + error.message() : std::string()),
        fmt::format("put one there for each pairing, {0}/NAME{1}, or see one alone: abgleich "
                    "--config FILE status",
                    directory.string(), kEnding));
  }
  std::ranges::sort(files);
  return files;
}

std::string name_of_pairing(const fs::path& config) {
  return config.stem().string();
}

}  // namespace abgleich::contract
