// SPDX-License-Identifier: Apache-2.0
// A correct plugin of a later minor version, whose structs are longer than the host's.
#include "fusebox/plugins/sdk/plugin_abi.h"

typedef struct LongSchema {
  FbSchema known;
  double more[3];
} LongSchema;
typedef struct LongItem {
  FbItem known;
  const char* more[2];
} LongItem;
typedef struct LongLibrary {
  FbLibrary known;
  const char* more;
} LongLibrary;

static FbId Expand(const FbCall* call) { return call->inputs[0]; }

static void Register(const FbHost* host) {
  static const LongSchema schemas[2] = {
      {{sizeof(LongSchema), FB_INT, 0, 0, "first", "", -10, 10, 0, 3, "", 0, 0}, {1, 2, 3}},
      {{sizeof(LongSchema), FB_FLOAT, 0, 0, "second", "", 0, 1, 0.5, 0, "", 0, 0}, {1, 2, 3}}};
  static const LongItem item = {
      {sizeof(LongItem), FB_LAYER, 1, 2, "later/layer", "of a later version", &schemas[0].known, Expand, 0, 0, 0},
      {0, 0}};
  host->add(host->registry, &item.known);
}

__attribute__((visibility("default"))) const FbLibrary* fusebox_plugin(void) {
  static const LongLibrary library = {
      {sizeof library, FB_MAGIC, FB_ABI_MAJOR, 0, "later", "9.0.0", "MIT", "", Register}, 0};
  return &library.known;
}
