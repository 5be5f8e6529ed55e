// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/plugin_item.h"

#include <algorithm>

#include "fmt/format.h"

namespace fusebox {

const char* KindName(uint32_t kind) {
  constexpr const char* kNames[] = {"item",      "layer",    "activation",  "loss",        "metric",
                                    "optimizer", "schedule", "initializer", "regularizer", "constraint",
                                    "callback",  "dataset",  "model"};
  return kNames[kind <= FB_MODEL ? kind : 0];
}

const char* AttributeTypeName(uint32_t type) {
  constexpr const char* kNames[] = {"unknown", "int", "float", "string", "bool", "ints", "item"};
  return kNames[type <= FB_ITEM ? type : 0];
}

std::string PluginItem::key() const { return fmt::format("{}@{}", id, major); }
std::string PluginItem::who() const {
  return fmt::format("{} {} of plugin {}", KindName(kind), key(), library->name());
}
std::string_view PluginItem::name() const {
  constexpr std::string_view kOurs = "fusebox/";
  return std::string_view(id).substr(id.starts_with(kOurs) ? kOurs.size() : 0);
}
const AttributeInfo* PluginItem::Find(std::string_view attribute) const {
  const auto it = std::ranges::find(attributes, attribute, &AttributeInfo::name);
  return it != attributes.end() ? &*it : nullptr;
}

}  // namespace fusebox
