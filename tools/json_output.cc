// SPDX-License-Identifier: Apache-2.0
#include "tools/json_output.h"

#include "fusebox/graph/printable.h"

namespace fusebox::tools {

std::string JsonText(const nlohmann::ordered_json& json, int indent) {
  constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
  std::string text = json.dump(indent, ' ', false, kReplace);
  const bool is_printable = Printable(text, true) == text;
  return (is_printable ? text : json.dump(indent, ' ', true, kReplace)) + "\n";
}

}  // namespace fusebox::tools
