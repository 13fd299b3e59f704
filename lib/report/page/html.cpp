#include "report/page/html.hpp"

#include "report/markup_text.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>

namespace abgleich::report {

namespace {

/// Elements that stand within a line. Others are followed by a line end, for people who read the
/// file.
constexpr auto kInLine =
    std::to_array<std::string_view>({"bdi", "code", "em", "strong", "span", "a", "small", "input"});

bool in_line(HtmlName name) {
  return std::ranges::find(kInLine, name.text()) != kInLine.end();
}

}  // namespace

Html::Element::~Element() {
  html_.close(name_);
}

Html::Element Html::open(HtmlName name, Attributes attributes) {
  begin(name, attributes, ">");
  return {*this, name};
}

void Html::leaf(HtmlName name, std::string_view text, Attributes attributes) {
  begin(name, attributes, ">");
  body_ += markup_text(text);
  close(name);
}

void Html::empty(HtmlName name, Attributes attributes) {
  begin(name, attributes, in_line(name) ? " />" : " />\n");
}

void Html::text(std::string_view text) {
  body_ += markup_text(text);
}

void Html::style(HtmlVerbatim text) {
  body_ += fmt::format("<style>{}</style>\n", text.text());
}

void Html::script(HtmlVerbatim text) {
  body_ += fmt::format("<script>{}</script>\n", text.text());
}

std::string Html::document() const {
  return "<!DOCTYPE html>\n" + body_;
}

void Html::begin(HtmlName name, Attributes attributes, std::string_view end) {
  body_ += fmt::format("<{}", name.text());
  for (const auto& [key, value] : attributes) {
    body_ += fmt::format(" {}=\"{}\"", key.text(), markup_text(value));
  }
  body_ += end;
}

void Html::close(HtmlName name) {
  body_ += fmt::format("</{}>{}", name.text(), in_line(name) ? "" : "\n");
}

std::string source_hash(HtmlVerbatim text) {
  std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(text.text().data()),
                     text.text().size());
  constexpr auto kVariant = sodium_base64_VARIANT_ORIGINAL;
  std::string text_of_hash(sodium_base64_ENCODED_LEN(hash.size(), kVariant), '\0');
  sodium_bin2base64(text_of_hash.data(), text_of_hash.size(), hash.data(), hash.size(), kVariant);
  text_of_hash.resize(text_of_hash.find('\0'));
  return fmt::format("'sha256-{}'", text_of_hash);
}

}  // namespace abgleich::report
