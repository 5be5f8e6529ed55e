// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/save/shared_layers.h"

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/json_text.h"

namespace fusebox {
namespace {
constexpr char kKey[] = "shared_layers";
}  // namespace

std::string WithSharedLayers(const std::string& json, const ModelConfig& model) {
  const std::map<std::string, std::string> shared = SharedPaths(model);
  if (shared.empty()) return json;
  Json object = Json::parse(json);
  object[kKey] = shared;
  return JsonText(object);
}

absl::Status ShareLayersAsIn(std::string_view json, const std::string& who, ModelConfig& model) {
  FUSEBOX_ASSIGN_OR_RETURN(const Json object, ParseJson(json, who));
  std::map<std::string, std::string> shared;
  for (const auto& [path, first] : Member(object, kKey).items()) {
    if (!first.is_string())
      return Refuse("{}: shared_layers: expected the path of a layer as text for '{}'", who, path);
    shared[path] = first.get<std::string>();
  }
  const absl::Status status = ShareLayers(shared, model);
  return status.ok() ? status : Refuse("{}: {}", who, Message(status));
}

}  // namespace fusebox
