// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/native/cache_sizes.h"

#include <sched.h>

#include <algorithm>
#include <fstream>

#include "fmt/format.h"

namespace fusebox {
namespace {

// Reads "32K", "1M" or "512" as bytes. 0 for anything else.
int64_t ReadSize(const std::string& file) {
  std::ifstream in(file);
  int64_t size = 0;
  if (!(in >> size) || size < 0 || size > int64_t{1} << 40) return 0;
  switch (in.get()) {
    case 'K':
      return size << 10;
    case 'M':
      return size << 20;
    case 'G':
      return size << 30;
    case '\n':
    case std::ifstream::traits_type::eof():
      return size;
    default:
      return 0;
  }
}

}  // namespace

CacheSizes ReadCacheSizes(const std::string& folder) {
  CacheSizes sizes;
  bool has_l2 = false, has_l3 = false;
  for (int i = 0;; ++i) {
    const std::string cache = fmt::format("{}/index{}/", folder, i);
    std::ifstream level_file(cache + "level"), type_file(cache + "type");
    int level = 0;
    std::string type;
    if (!(level_file >> level && type_file >> type)) break;
    const int64_t size = ReadSize(cache + "size");
    if (size == 0 || type == "Instruction") continue;
    if (level == 1) sizes.l1d = size;
    if (level == 2) sizes.l2 = size, has_l2 = true;
    if (level == 3) sizes.l3 = size, has_l3 = true;
  }
  sizes.l2 = std::max(sizes.l2, sizes.l1d);
  if (has_l2 && !has_l3) sizes.l3 = sizes.l2;
  sizes.l3 = std::max(sizes.l3, sizes.l2);
  return sizes;
}

CacheSizes HostCacheSizes() {
  return ReadCacheSizes(fmt::format("/sys/devices/system/cpu/cpu{}/cache", std::max(sched_getcpu(), 0)));
}

}  // namespace fusebox
