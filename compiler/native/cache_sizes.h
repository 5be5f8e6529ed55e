// SPDX-License-Identifier: Apache-2.0
// Reads the sizes of this machine's data caches.
#pragma once
#include <string>

#include "fusebox/compiler/target.h"

namespace fusebox {

// Reads what Linux says of one core's caches in a folder index<i>/{level,type,size}. What is missing there keeps its
// default.
CacheSizes ReadCacheSizes(const std::string& folder);

// Those of the core that the calling thread runs on.
CacheSizes HostCacheSizes();

}  // namespace fusebox
