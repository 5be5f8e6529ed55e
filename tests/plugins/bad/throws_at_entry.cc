// SPDX-License-Identifier: Apache-2.0
// Throws where the ABI forbids it: from the entry point.
#include <stdexcept>

#include "fusebox/plugins/sdk/plugin_abi.h"

extern "C" [[gnu::visibility("default")]] const FbLibrary* fusebox_plugin() { throw std::runtime_error("not today"); }
