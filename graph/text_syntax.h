// SPDX-License-Identifier: Apache-2.0
// What the printer and the parser of the text form agree on. For graph/text*.cc only.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "fusebox/graph/graph.h"

namespace fusebox {

constexpr bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
constexpr bool IsNameCharacter(char c) { return IsWordCharacter(c) || c == '/' || c == '.'; }
// Of attributes' keys, scopes and outputs, where they are not quoted.
constexpr bool IsKeyCharacter(char c) { return IsNameCharacter(c) || c == '-' || c == ':'; }

// In quotes, with \" \\ \n and \x1f for other control characters.
std::string Quote(std::string_view text);

// The attribute `key` as the rest of the line tells it: the value's own name ("%x"), or its type.
std::optional<AttributeValue> Implied(const Node& node, std::string_view name, std::string_view key);

}  // namespace fusebox
