// SPDX-License-Identifier: Apache-2.0
// JSON from a file. Only for sources: no header of ours includes this one.
#pragma once
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace fusebox {

using Json = nlohmann::ordered_json;  // Members stay in the order of the text, so files are the same every time.

// Error: where the text stops being JSON, or values nested deeper than any of our files needs.
absl::StatusOr<Json> ParseJson(std::string_view text, const std::string& who);

// The member of this name; null, if it is no object or has none. Its text; empty, if it is none.
const Json& Member(const Json& object, const std::string& key);
std::string StringMember(const Json& object, const std::string& key);

// The start of a value, for messages.
std::string Excerpt(const Json& json);

// The text of a value; bytes that are no UTF-8 are replaced, so that it always is JSON. With indent < 0 in one line.
std::string JsonText(const Json& value, int indent = -1);

}  // namespace fusebox
