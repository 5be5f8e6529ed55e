// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/json_text.h"

#include "fusebox/graph/status.h"

namespace fusebox {

absl::StatusOr<Json> ParseJson(std::string_view text, const std::string& who) {
  constexpr int kMaxDepth = 100;  // Readers of the result may recurse.
  bool too_deep = false;
  const auto check_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kMaxDepth;
    return depth <= kMaxDepth;
  };
  try {
    Json value = Json::parse(text, check_depth);
    if (too_deep) return Refuse("{}: JSON of at most {} levels expected, got more", who, kMaxDepth);
    return value;
  } catch (const Json::exception& e) {
    std::string_view why = e.what();
    if (const size_t end = why.find("] "); end != std::string_view::npos)
      why.remove_prefix(end + 2);  // "[json.exception..."
    return Refuse("{}: not JSON: {}", who, why);
  }
}

const Json& Member(const Json& object, const std::string& key) {
  static const Json null;
  if (!object.is_object()) return null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

std::string StringMember(const Json& object, const std::string& key) {
  const Json& member = Member(object, key);
  return member.is_string() ? member.get<std::string>() : "";
}

std::string Excerpt(const Json& json) {
  const std::string text = JsonText(json);
  return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

std::string JsonText(const Json& value, int indent) {
  return value.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fusebox
