// SPDX-License-Identifier: Apache-2.0
// An item of a plugin (a layer, a loss, a callback, ...) as its library describes it, checked.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fusebox/graph/graph.h"
#include "fusebox/plugins/sdk/plugin_abi.h"

namespace fusebox {

// An attribute of an item, as its schema states it.
struct AttributeInfo {
  std::string name, doc;
  uint32_t type = 0;  // FB_INT, ...
  // Of an FB_ITEM; of an FB_FLOAT: what may stand for the number, a schedule for a learning rate.
  uint32_t item_kind = 0;
  bool required = false, program_scalar = false, optional = false;
  bool numbers = false;          // A string that is a list of numbers: see NumbersText.
  double min = 0, max = 0;       // Of numbers; both ends included.
  AttributeValue default_value;  // Has the attribute's type even if `required`; a string for FB_ITEM.
};

struct PluginLibrary {
  std::string id, version, licence, build_info;
  std::string path;                 // Absolute, without symbolic links.
  bool changed_float_mode = false;  // Loading it changed the mode, which was restored.

  std::string name() const { return id + " " + version; }  // For messages.
};

struct PluginItem {
  uint32_t kind = 0;  // FB_LAYER, ...
  uint32_t major = 1;
  std::string id, doc;  // "fusebox/dense"
  std::vector<AttributeInfo> attributes;
  uint32_t flags = 0;  // FB_CLASS_LABELS, ...
  std::shared_ptr<const PluginLibrary> library;
  FbId (*expand)(const FbCall*) = nullptr;
  // The function table of a kind that the host calls; zero for other kinds. A copy, in which functions that an older
  // plugin lacks are null.
  FbCallbackHooks callback = {};
  FbDatasetHooks dataset = {};
  FbModelHooks model = {};

  std::string key() const;        // "fusebox/dense@1"
  std::string who() const;        // "layer fusebox/dense@1 of plugin fusebox/layers 0.1.0"
  std::string_view name() const;  // What a user types: "dense", but "acme/gated".
  const AttributeInfo* Find(std::string_view attribute) const;
};

// "layer", "activation", ... ; "item" for what this version does not know.
const char* KindName(uint32_t kind);
// "int", "float", ...
const char* AttributeTypeName(uint32_t type);

}  // namespace fusebox
