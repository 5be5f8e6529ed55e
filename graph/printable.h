// SPDX-License-Identifier: Apache-2.0
// What a terminal may be sent. Names, cells and messages of files can hold bytes that move the cursor, hide text or forge
// a line; here they become the escapes of a C string. Header-only, as plugins print too.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace fusebox {

// The number of bytes of the text's first character, if that is well-formed UTF-8 and a terminal shows it as itself; 0
// otherwise: for control characters, marks that reverse the direction of text, line separators, and what is no UTF-8.
inline size_t PrintableLength(std::string_view text) {
  if (text.empty()) return 0;
  const auto first = uint8_t(text[0]);
  if (first < 0x80) return first >= 0x20 && first != 0x7F ? 1 : 0;
  const size_t length = first >= 0xF5 ? 0 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
  if (length == 0 || text.size() < length) return 0;
  uint32_t code = first & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((uint8_t(text[i]) & 0xC0) != 0x80) return 0;
    code = code << 6 | (uint8_t(text[i]) & 0x3Fu);
  }
  const bool is_overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  const bool is_no_character = code > 0x10FFFF || (code >= 0xD800 && code < 0xE000);
  const bool is_control = code < 0xA0 || code == 0x2028 || code == 0x2029 || code == 0xFEFF;
  const bool sets_direction = code == 0x061C || code == 0x200E || code == 0x200F ||
                              (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
  return is_overlong || is_no_character || is_control || sets_direction ? 0 : length;
}

// Replaces each byte of what is not printable by its escape, "\x1b" or "\n". Printable UTF-8 stays as it is, and so do
// line ends if `keep_lines` is set.
inline std::string Printable(std::string_view text, bool keep_lines = false) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string printable;
  printable.reserve(text.size());
  while (!text.empty()) {
    const size_t length = PrintableLength(text);
    const char c = text[0];
    if (length > 0) {
      printable += text.substr(0, length);
    } else if (c == '\n') {
      printable += keep_lines ? "\n" : "\\n";
    } else if (c == '\t') {
      printable += "\\t";
    } else {
      printable += {'\\', 'x', kDigits[uint8_t(c) >> 4], kDigits[uint8_t(c) & 15]};
    }
    text.remove_prefix(length > 0 ? length : 1);
  }
  return printable;
}

}  // namespace fusebox
