// A strict reader of Prometheus' text format, version 0.0.4, as its documentation describes it. It
// is stricter than Prometheus itself, which accepts bad style (metrics without HELP and TYPE, a
// metric in two places, samples twice).
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>

namespace abgleich::test {

class PrometheusText {
 public:
  using Labels = std::map<std::string, std::string>;

  /// Fails the test if the text does not have the right form.
  explicit PrometheusText(const std::string& text) {
    REQUIRE_MESSAGE((!text.empty() && text.ends_with('\n')), "the last line has no end");
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(line);
      read(line);
    }
    for (const auto& [name, type] : types_) {
      CHECK_MESSAGE(values_.count(name) == 1, "a metric without a sample: ", name);
    }
  }

  /// The value with exactly these labels. Fails the test if there is none.
  [[nodiscard]] double value(const std::string& name, const Labels& labels) const {
    const auto metric = values_.find(name);
    REQUIRE_MESSAGE(metric != values_.end(), "no metric ", name);
    const auto sample = metric->second.find(labels);
    REQUIRE_MESSAGE(sample != metric->second.end(), "no such sample of ", name);
    return sample->second;
  }
  [[nodiscard]] bool has(const std::string& name) const { return values_.count(name) > 0; }
  [[nodiscard]] std::size_t metrics() const { return types_.size(); }
  /// Every label `name` of every sample.
  [[nodiscard]] std::set<std::string> all(const std::string& label) const {
    std::set<std::string> found;
    for (const auto& [name, samples] : values_) {
      for (const auto& [labels, value] : samples) {
        const auto one = labels.find(label);
        found.insert(one == labels.end() ? "(none)" : one->second);
      }
    }
    return found;
  }

 private:
  void read(const std::string& line) {
    static const std::regex kHelp("# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\\\]|\\\\[\\\\n])+)");
    static const std::regex kType(
        "# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)");
    static const std::regex kSample(
        "([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\\{(.*)\\})? "
        "([-+]?[0-9]+(?:\\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)");
    std::smatch found;
    if (std::regex_match(line, found, kHelp)) {
      CHECK_MESSAGE(helps_.insert(found[1]).second, "HELP twice");
      CHECK_MESSAGE(types_.count(found[1]) == 0, "HELP behind TYPE");
      at_ = found[1];
    } else if (std::regex_match(line, found, kType)) {
      CHECK_MESSAGE(types_.emplace(found[1], found[2]).second, "TYPE twice");
      CHECK_MESSAGE(at_ == found[1], "TYPE without its HELP before it");
      CHECK_MESSAGE((found[2] == "counter") == std::string(found[1]).ends_with("_total"),
                    "a counter's name, and no other's, ends in _total");
    } else if (std::regex_match(line, found, kSample)) {
      CHECK_MESSAGE((at_ == found[1] && types_.count(at_) == 1), "a sample apart from its metric");
      CHECK_MESSAGE(values_[found[1]]
                        .emplace(labels_of(found[2]), std::strtod(found[3].str().c_str(), nullptr))
                        .second,
                    "a sample twice");
    } else {
      FAIL("no line of the format: ", line);
    }
  }

  static Labels labels_of(std::string text) {
    static const std::regex kLabel(
        "([a-zA-Z_][a-zA-Z0-9_]*)=\"((?:[^\"\\\\\n]|\\\\[\\\\\"n])*)\"(,|$)");
    Labels labels;
    std::smatch found;
    while (!text.empty()) {
      REQUIRE_MESSAGE(
          std::regex_search(text, found, kLabel, std::regex_constants::match_continuous),
          "no label: ", text);
      std::string value;
      const std::string raw = found[2];
      for (std::size_t i = 0; i < raw.size(); ++i) {
        const bool escaped = raw[i] == '\\';
        i += escaped ? 1 : 0;
        value += escaped && raw[i] == 'n' ? '\n' : raw[i];
      }
      CHECK_MESSAGE(labels.emplace(found[1], value).second, "a label twice");
      const bool more = found[3] == ",";
      text = found.suffix();
      REQUIRE_MESSAGE(more == !text.empty(), "a comma without a label behind it");
    }
    return labels;
  }

  std::set<std::string> helps_;
  std::map<std::string, std::string> types_;
  std::map<std::string, std::map<Labels, double>> values_;
  std::string at_;
};

}  // namespace abgleich::test
