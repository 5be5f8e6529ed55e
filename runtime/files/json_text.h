// SPDX-License-Identifier: Apache-2.0
// JSON from a file. For source files alone: no header includes this one.
#pragma once
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace fusebox {

using Json = nlohmann::ordered_json;  // Members stay in the order of the text, so files are the same every time.

// Parses a text. Error: where it stops being JSON; values that are nested deeper than any of our files needs.
absl::StatusOr<Json> ParseJson(std::string_view text, const std::string& who);

// The member of this name; null if the value is no object or lacks it. Its text; empty if it is no text.
const Json& Member(const Json& object, const std::string& key);
std::string StringMember(const Json& object, const std::string& key);

// The start of a value, for messages.
std::string Excerpt(const Json& json);

// The text of a value, on one line if indent < 0. Bytes that are not UTF-8 are replaced, so the result is always JSON.
std::string JsonText(const Json& value, int indent = -1);

}  // namespace fusebox
