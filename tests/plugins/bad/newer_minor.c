// SPDX-License-Identifier: Apache-2.0
// A plugin that needs a newer minor version than this host's.
#include "fusebox/plugins/sdk/plugin_abi.h"

static void Register(const FbHost* host) { (void)host; }

__attribute__((visibility("default"))) const FbLibrary* fusebox_plugin(void) {
  static const FbLibrary library = {sizeof library, FB_MAGIC, FB_ABI_MAJOR, 99, "newer", "1.0.0", "", "", Register};
  return &library;
}
