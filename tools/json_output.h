// SPDX-License-Identifier: Apache-2.0
// JSON for stdout.
#pragma once
#include <string>

#include "nlohmann/json.hpp"

namespace fusebox::tools {

// The text of a value, with a line end, indented by two blanks or, with an indent of -1, on one line. Where a string has
// what no terminal should be sent (graph/printable.h), all that is not ASCII is written as \uXXXX, which every reader of
// JSON takes for the same. Bytes that are no UTF-8 become U+FFFD.
std::string JsonText(const nlohmann::ordered_json& json, int indent = 2);

}  // namespace fusebox::tools
