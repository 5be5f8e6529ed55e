// SPDX-License-Identifier: Apache-2.0
// Splits the text form into words: names, strings, numbers, and the lines they stand in. For graph/text_parse.cc only.
#pragma once
#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "fusebox/graph/text_syntax.h"

namespace fusebox {

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  // The next character that is neither blank nor in a comment; '\0' at the end.
  char Peek() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        line_ += c == '\n';
        ++at_;
      } else {
        return c;
      }
    }
    return '\0';
  }
  bool End() { return Peek() == '\0' && at_ >= text_.size(); }
  bool Accept(char c) {
    if (End() || Peek() != c) return false;
    ++at_;
    return true;
  }
  bool Expect(char c) { return Accept(c) || Expected(fmt::format("'{}'", c)); }
  template <class Predicate>
  std::string_view Take(Predicate&& belongs) {
    Peek();
    const size_t begin = at_;
    while (at_ < text_.size() && belongs(text_[at_])) ++at_;
    return text_.substr(begin, at_ - begin);
  }
  // The word that comes next, left where it is.
  std::string_view Ahead() {
    Peek();
    const std::string_view word = Take(IsWordCharacter);
    PutBack(word);
    return word;
  }

  // Of a word just taken, or looked at.
  void Skip(std::string_view word) { at_ += word.size(); }
  void PutBack(std::string_view word) { at_ -= word.size(); }

  // ---- Errors: each function returns whether it went well, and the first error sticks.

  bool Fail(std::string message) { return FailAt(line_, message); }
  bool FailAt(int64_t line, std::string_view message) {
    if (error_.ok()) error_ = absl::InvalidArgumentError(fmt::format("line {}: {}", line, message));
    return false;
  }
  bool Expected(std::string_view what) {
    std::string found = "the end of the text";
    if (!End()) {
      size_t end = at_;
      while (end < text_.size() && IsNameCharacter(text_[end])) ++end;
      end = std::max(end, at_ + 1);
      found = "'" + std::string(text_.substr(at_, std::min<size_t>(end - at_, 40))) + "'";
    }
    return Fail(fmt::format("expected {}, found {}", what, found));
  }

  int64_t line() const { return line_; }
  const absl::Status& error() const { return error_; }

  // ---- Names and strings.

  bool String(std::string& out) {
    if (!Expect('"')) return false;
    out.clear();
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\n') {
      char c = text_[at_++];
      if (c == '\\') {
        const char escape = at_ < text_.size() ? text_[at_++] : '\0';
        unsigned code = 0;
        switch (escape) {
          case '"':
          case '\\':
            c = escape;
            break;
          case 'n':
            c = '\n';
            break;
          case 't':
            c = '\t';
            break;
          case 'x': {
            const std::string_view digits = text_.substr(at_, 2);
            const auto [end, wrong] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
            if (wrong != std::errc() || end != digits.data() + 2) return Expected("two hexadecimal digits after \\x");
            at_ += 2;
            c = char(code);
            break;
          }
          default:
            return Fail("expected \\\", \\\\, \\n, \\t or \\x.. in a string");
        }
      }
      out += c;
    }
    if (at_ >= text_.size() || text_[at_] != '"') {
      return Fail("expected '\"' at the end of a string, found the end of the line");
    }
    ++at_;
    return true;
  }
  // A key, a scope or an output: a bare word or a string.
  bool Key(std::string& out, std::string_view what) {
    if (Peek() == '"') return String(out);
    out = Take(IsKeyCharacter);
    return !out.empty() || Expected(what);
  }
  bool ValueName(std::string_view& out) {
    Peek();
    const size_t begin = at_;
    if (!Accept('%')) return Expected("a value like %x");
    while (at_ < text_.size() && IsNameCharacter(text_[at_])) ++at_;
    out = text_.substr(begin, at_ - begin);
    return out.size() > 1 || Expected("a name after '%'");
  }

  // ---- Numbers.

  // The characters of a number, sign included.
  std::string_view NumberWord() {
    Peek();
    const size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_], last = at_ > begin ? text_[at_ - 1] : ' ';
      const bool exponent_sign = (c == '-' || c == '+') && (last == 'e' || last == 'E');
      if (!IsWordCharacter(c) && c != '.' && !exponent_sign) break;
      ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }
  template <class T>
  static bool Whole(std::string_view word, T& out) {
    const auto [end, wrong] = std::from_chars(word.data(), word.data() + word.size(), out);
    return wrong == std::errc() && end == word.data() + word.size() && !word.empty();
  }
  static bool Real(std::string_view word, double& out) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (word == "nan" || word == "inf" || word == "-inf") {
      out = word == "nan" ? std::numeric_limits<double>::quiet_NaN() : word == "inf" ? kInfinity : -kInfinity;
      return true;
    }
    return word.find_first_of("0123456789") != std::string_view::npos && Whole(word, out);
  }
  // 28, N or 28*N; -28 where the caller allows it.
  bool Dim(int64_t& out, bool any_sign) {
    const std::string_view word = NumberWord();
    if (word == "N") {
      out = -1;
      return true;
    }
    if (Accept('*')) {
      if (Take(IsWordCharacter) == "N" && Whole("-" + std::string(word), out) && out < 0) return true;
    } else if (Whole(word, out) && (any_sign || out >= 0)) {
      return true;
    }
    at_ = size_t(word.data() - text_.data());
    return Expected(any_sign ? "an integer, N or a multiple like 28*N" : "a dimension like 28, N or 28*N");
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
  int64_t line_ = 1;
  absl::Status error_;
};

}  // namespace fusebox
