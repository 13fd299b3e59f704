// Writes HTML that is well-formed XML as well. Nothing gets into it unescaped by mistake: names of
// elements and attributes are literals that the compiler checks, and all other text goes through
// the one escape. What is open is closed when its scope ends.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace abgleich::report {

/// The name of an element or an attribute, checked while this program is compiled. There are no
/// names for scripts or styles of single elements.
class HtmlName {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): it is written as a literal
  consteval HtmlName(const char* text) : text_(text) {
    for (const char c : text_) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (!letter && !(c >= '0' && c <= '9') && c != '-') {
        throw "not a name";
      }
    }
    if (text_.empty() || text_ == "style" || text_.starts_with("on")) {
      throw "not a name that a page of ours has";
    }
  }
  [[nodiscard]] constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

/// A style sheet or a script of this program. It has no character that has to be escaped in HTML or
/// in XML, which are different in this.
class HtmlVerbatim {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): it is written as a literal
  consteval HtmlVerbatim(const char* text) : text_(text) {
    if (text_.find('<') != text_.npos || text_.find('&') != text_.npos ||
        text_.find("]]>") != text_.npos) {
      throw "has characters that HTML and XML read differently";
    }
  }
  [[nodiscard]] constexpr std::string_view text() const { return text_; }

 private:
  std::string_view text_;
};

struct HtmlAttribute {
  HtmlName name;
  std::string value;
};

class Html {
 public:
  using Attributes = std::initializer_list<HtmlAttribute>;

  /// An element that is open for as long as this object lives.
  class [[nodiscard]] Element {
   public:
    Element(const Element&) = delete;
    Element& operator=(const Element&) = delete;
    ~Element();

   private:
    friend class Html;
    Element(Html& html, HtmlName name) : html_(html), name_(name) {}
    Html& html_;
    HtmlName name_;
  };

  /// REQUIRES: this object outlives the element.
  Element open(HtmlName name, Attributes attributes = {});
  /// An element with nothing in it but text.
  void leaf(HtmlName name, std::string_view text, Attributes attributes = {});
  /// An element that is never closed, such as <br/>.
  void empty(HtmlName name, Attributes attributes = {});
  /// Control characters and those that are invisible are spelled out (`visible`).
  void text(std::string_view text);
  /// <style>
  void style(HtmlVerbatim text);
  /// <script>
  void script(HtmlVerbatim text);

  /// The whole document. REQUIRES: no element is open.
  [[nodiscard]] std::string document() const;

 private:
  void begin(HtmlName name, Attributes attributes, std::string_view end);
  void close(HtmlName name);

  std::string body_;
};

/// What a content security policy says of a style sheet or script so that it, and no other, is
/// used: "'sha256-…'".
std::string source_hash(HtmlVerbatim text);

}  // namespace abgleich::report
