// SPDX-License-Identifier: Apache-2.0
// A plugin with another major ABI version, in plain C: this also shows that the header is C, and that the host reads no
// further than the version.
#include "fusebox/plugins/sdk/plugin_abi.h"

__attribute__((visibility("default"))) const FbLibrary* fusebox_plugin(void) {
  static const FbLibrary library = {16, FB_MAGIC, FB_ABI_MAJOR + 1, 0, 0, 0, 0, 0, 0};
  return &library;
}
