// Strict reading of a JSON file: every field is asked for by name and type, and every error names
// its path ("tables[3].columns[0].nullable").
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace abgleich::drift {

/// One JSON object. All functions throw Failure{configuration}. Points into its document.
class Fields {
 public:
  Fields(const nlohmann::ordered_json& object, std::string path, const std::filesystem::path& file);

  void expect_only(std::initializer_list<std::string_view> names) const;
  [[nodiscard]] bool has(const char* name) const;

  [[nodiscard]] std::string text(const char* name) const;
  [[nodiscard]] std::string name(const char* name) const;  // a text that is not empty
  [[nodiscard]] std::int64_t number(const char* name) const;
  [[nodiscard]] std::optional<int> optional_number(const char* name) const;
  [[nodiscard]] bool truth(const char* name) const;
  [[nodiscard]] bool truth_or(const char* name, bool otherwise) const;
  [[nodiscard]] std::vector<std::string> texts(const char* name) const;
  [[nodiscard]] Fields object(const char* name) const;
  [[nodiscard]] std::vector<Fields> objects(const char* name) const;

  /// Throws: `what` is about the field ("is not a text").
  [[noreturn]] void refuse(const char* name, std::string_view what) const;

 private:
  [[nodiscard]] std::string path_of(std::string_view name) const;
  [[nodiscard]] const nlohmann::ordered_json& at(const char* name) const;

  const nlohmann::ordered_json* object_;
  std::string path_;
  const std::filesystem::path* file_;
};

/// A whole file. Throws Failure{configuration} where it is not JSON (with line and column), names a
/// field twice, or is no object. `file` is for messages and must outlive the document.
class JsonDocument {
 public:
  JsonDocument(std::string_view text, const std::filesystem::path& file);
  ~JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  [[nodiscard]] Fields root() const;

 private:
  std::unique_ptr<nlohmann::ordered_json> json_;
  const std::filesystem::path& file_;
};

}  // namespace abgleich::drift
