// SPDX-License-Identifier: Apache-2.0
// Registers one item with the defect that the environment variable LIE names.
#include <cmath>
#include <cstdlib>
#include <string>

#include "fusebox/plugins/sdk/plugin_abi.h"

namespace {

FbId Expand(const FbCall* call) { return call->inputs[0]; }

void Register(const FbHost* host) {
  const char* value = std::getenv("LIE");
  const std::string lie = value != nullptr ? value : "";
  static FbSchema schemas[2];
  static FbItem item;
  static FbCallbackHooks hooks;
  for (FbSchema& s : schemas)
    s = {sizeof(FbSchema), FB_FLOAT, 0, 0, &s == schemas ? "first" : "second", "", 0, 1, 0.5, 0, "", nullptr, 0};
  hooks = {};
  hooks.struct_size = sizeof hooks;
  item = {sizeof item, FB_LAYER, 1, 2, "liar/item", "", schemas, Expand, nullptr, 0, 0};

  if (lie == "null item") return host->add(host->registry, nullptr);
  if (lie == "short item") item.struct_size = 8;
  if (lie == "kind") item.kind = 77;
  if (lie == "null id") item.id = nullptr;
  if (lie == "bare id") item.id = "item";
  if (lie == "odd id") item.id = "liar/it em";
  if (lie == "major") item.major = 0;
  if (lie == "no expand") item.expand = nullptr;
  if (lie == "no hooks") item.kind = FB_CALLBACK;
  if (lie == "empty hooks") {
    item.kind = FB_CALLBACK;
    item.hooks = &hooks;
  }
  if (lie == "null attributes") item.attributes = nullptr;
  if (lie == "attribute count") item.attribute_count = 4000000000u;
  if (lie == "null name") schemas[1].name = nullptr;
  if (lie == "attribute type") schemas[1].type = 99;
  if (lie == "equal attributes") schemas[1].name = "first";
  if (lie == "default") schemas[1].default_real = 2;
  if (lie == "nan default") schemas[1].default_real = std::nan("");
  if (lie == "range") schemas[1].min = 3;
  if (lie == "program scalar") {
    schemas[1].type = FB_STRING;
    schemas[1].flags = FB_PROGRAM_SCALAR;
  }
  if (lie == "reference") schemas[1].type = FB_ITEM;
  if (lie == "null ints") {
    schemas[1].type = FB_INTS;
    schemas[1].default_ints_count = 3;
  }
  host->add(host->registry, &item);
}

}  // namespace

extern "C" [[gnu::visibility("default")]] const FbLibrary* fusebox_plugin() {
  static FbLibrary library;
  library = {sizeof library, FB_MAGIC, FB_ABI_MAJOR, 0, "liar", "1.0.0", "", "", Register};
  const char* value = std::getenv("LIE");
  const std::string lie = value != nullptr ? value : "";
  if (lie == "null library id") library.id = nullptr;
  if (lie == "empty version") library.version = "";
  if (lie == "no register") library.register_items = nullptr;
  if (lie == "short library") library.struct_size = 24;
  return &library;
}
