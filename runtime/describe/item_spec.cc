// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/describe/item_spec.h"

#include <atomic>
#include <charconv>

#include "fmt/ranges.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/number_text.h"

namespace fusebox {
namespace {

bool IsAlphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsIdChar(char c) { return IsAlphanumeric(c) || std::string_view("_-./@").find(c) != std::string_view::npos; }
// Of a string that can stand without quotes; bytes of other than English letters are fine.
bool IsPlainChar(char c) { return IsIdChar(c) || c == '+' || c == '*' || c == '%' || (c & 0x80) != 0; }

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<int64_t> ParseInt(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What a text without quotes and brackets means.
AttributeValue PlainValue(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  if (const auto value = ParseInt(text)) return *value;
  if (const auto value = ParseNumber(text)) return *value;
  return std::string(text);
}

// Reads one text front to back.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  absl::StatusOr<ItemSpec> Parse() {
    ItemSpec spec;
    const size_t colon = text_.find(':');
    spec.id = Trim(text_.substr(0, colon));
    if (spec.id.empty()) return Refuse("item '{}': a name expected at its start", text_);
    for (const char c : spec.id) {
      if (!IsIdChar(c))
        return Refuse("item '{}': a name of letters, digits and _ - . / @ expected, got '{}'", text_, spec.id);
    }
    if (colon == std::string_view::npos) return spec;
    position_ = colon + 1;
    do {
      if (absl::Status status = ParseAttribute(spec); !status.ok()) return status;
    } while (Accept(','));
    return spec;
  }

 private:
  absl::Status ParseAttribute(ItemSpec& spec) {
    const std::string key(Trim(TakeUntil("=,:'")));
    if (key.empty() || !Accept('=')) return Refuse("item '{}': key=value expected after '{}'", text_, Before());
    if (spec.attributes.contains(key)) return Refuse("item '{}': '{}' is given twice", text_, key);
    absl::StatusOr<AttributeValue> value = ParseValue(key);
    if (!value.ok()) return value.status();
    spec.attributes.emplace(key, *std::move(value));
    return absl::OkStatus();
  }

  absl::StatusOr<AttributeValue> ParseValue(const std::string& key) {
    SkipBlanks();
    if (Accept('\'')) return ParseQuoted(key);
    if (Accept('[')) return ParseList(key);
    const std::string_view text = Trim(TakeUntil(","));
    if (text.find_first_of("=:'") != std::string_view::npos) {
      return Refuse("item '{}': '{}' expected in single quotes, got {}", text_, key, text);
    }
    if (text.empty()) return Refuse("item '{}': a value expected for '{}', got nothing", text_, key);
    return PlainValue(text);
  }

  // A quote within a quoted string is doubled.
  absl::StatusOr<AttributeValue> ParseQuoted(const std::string& key) {
    std::string value;
    while (true) {
      value += TakeUntil("'");
      if (!Accept('\'')) return Refuse("item '{}': the string of '{}' has no closing quote", text_, key);
      if (!Accept('\'')) break;
      value += '\'';
    }
    if (absl::Status status = ExpectEndOfValue(key); !status.ok()) return status;
    return value;
  }

  absl::StatusOr<AttributeValue> ParseList(const std::string& key) {
    Ints values;
    const size_t first = position_ - 1;
    const std::string_view inside = TakeUntil("]");
    if (!Accept(']')) return Refuse("item '{}': the list of '{}' has no closing bracket", text_, key);
    const std::string_view whole = text_.substr(first, position_ - first);
    if (absl::Status status = ExpectEndOfValue(key); !status.ok()) return status;
    for (size_t begin = 0; !Trim(inside).empty() && begin <= inside.size();) {
      const size_t end = std::min(inside.find(';', begin), inside.size());
      const std::optional<int64_t> value = ParseInt(Trim(inside.substr(begin, end - begin)));
      if (!value && ParseNumbers(whole)) return NumbersText(*ParseNumbers(whole));
      if (!value) return Refuse("item '{}': '{}' expects integers as in [1;2;3], got [{}]", text_, key, inside);
      values.push_back(*value);
      begin = end + 1;
    }
    return values;
  }

  absl::Status ExpectEndOfValue(const std::string& key) {
    SkipBlanks();
    if (position_ == text_.size() || text_[position_] == ',') return absl::OkStatus();
    return Refuse("item '{}': ',' or the end expected after the value of '{}', got '{}'", text_, key,
                  text_.substr(position_));
  }

  std::string_view TakeUntil(std::string_view stops) {
    const size_t end = std::min(text_.find_first_of(stops, position_), text_.size());
    const std::string_view taken = text_.substr(position_, end - position_);
    position_ = end;
    return taken;
  }
  bool Accept(char c) {
    if (position_ == text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }
  void SkipBlanks() {
    while (Accept(' ')) {
    }
  }
  std::string_view Before() const { return text_.substr(0, position_); }

  std::string_view text_;
  size_t position_ = 0;
};

std::string PrintString(const std::string& value) {
  const bool plain = !value.empty() && std::ranges::all_of(value, IsPlainChar) &&
                     std::holds_alternative<std::string>(PlainValue(value));
  if (plain) return value;
  std::string quoted = "'";
  for (const char c : value) quoted += c == '\'' ? "''" : std::string(1, c);
  return quoted + "'";
}

std::string PrintValue(const AttributeValue& value) {
  if (const bool* v = std::get_if<bool>(&value)) return *v ? "true" : "false";
  if (const int64_t* v = std::get_if<int64_t>(&value)) return fmt::format("{}", *v);
  if (const double* v = std::get_if<double>(&value)) return PythonRepr(*v);
  if (const Ints* v = std::get_if<Ints>(&value)) return fmt::format("[{}]", fmt::join(*v, ";"));
  return PrintString(std::get<std::string>(value));
}

}  // namespace

absl::StatusOr<ItemSpec> ParseItemSpec(std::string_view text) { return Parser(text).Parse(); }

ItemSpec FunctionItem(const char* what, std::string name, ItemFunction function, std::source_location where) {
  static std::atomic<int64_t> made = 0;
  uint64_t line = 0xCBF29CE484222325;  // FNV-1a of the line that made it, so that other programs' keys are others.
  for (const char c : fmt::format("{}:{}:{}", where.file_name(), where.line(), where.column())) {
    line = (line ^ uint8_t(c)) * 0x100000001B3;
  }
  ItemSpec item{fmt::format("function/{}@1", what), {{"key", fmt::format("{:016x}_{}", line, ++made)}}};
  if (!name.empty()) item.attributes["called"] = std::move(name);
  item.function = std::make_shared<const ItemFunction>(std::move(function));
  return item;
}

const std::string* TextAttribute(const ItemSpec& item, std::string_view name) {
  const auto attribute = item.attributes.find(name);
  return attribute != item.attributes.end() ? std::get_if<std::string>(&attribute->second) : nullptr;
}

std::string NumbersText(const std::vector<double>& numbers) {
  std::string text;
  for (const double number : numbers) text += fmt::format("{}{}", text.empty() ? "" : ";", PythonRepr(number));
  return "[" + text + "]";
}

std::optional<std::vector<double>> ParseNumbers(std::string_view text) {
  if (!text.starts_with('[') || !text.ends_with(']')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<double> numbers;
  if (Trim(text).empty()) return numbers;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(';', begin), text.size());
    const std::optional<double> number = ParseNumber(Trim(text.substr(begin, end - begin)));
    if (!number) return std::nullopt;
    numbers.push_back(*number);
    begin = end + 1;
  }
  return numbers;
}

std::string Print(const ItemSpec& spec) {
  std::string text = spec.id;
  char separator = ':';
  for (const auto& [key, value] : spec.attributes) {
    text += fmt::format("{}{}={}", separator, key, PrintValue(value));
    separator = ',';
  }
  return text;
}

}  // namespace fusebox
