// SPDX-License-Identifier: Apache-2.0
// How much the machine's data caches hold.
#pragma once
#include <cstdint>
#include <string>

namespace fusebox {

// In bytes, each level as large as the one before or larger. Schedules depend on them, results do not.
struct CacheSizes {
  int64_t l1d = int64_t{32} << 10;  // Of one core.
  int64_t l2 = int64_t{512} << 10;  // Of one core, or of a few.
  int64_t l3 = int64_t{8} << 20;    // Of all cores that share it; as l2 where there is no third level.
  bool operator==(const CacheSizes&) const = default;
};

// As Linux describes one core's in a folder index<i>/{level,type,size}; what is not said there stays at its default.
CacheSizes ReadCacheSizes(const std::string& folder);

// Of the core that the calling thread runs on.
CacheSizes HostCacheSizes();

}  // namespace fusebox
