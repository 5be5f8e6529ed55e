// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/native/cache_sizes.h"

#include <filesystem>
#include <fstream>
#include <vector>

#include "gtest/gtest.h"

namespace fusebox {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kKiB = 1024;

struct Cache {
  const char *level, *type, *size;
};

// The sizes that are read from a folder which describes these caches as sysfs does.
CacheSizes Read(const std::vector<Cache>& caches) {
  std::string folder = (fs::path(::testing::TempDir()) / "fusebox_caches_XXXXXX").string();
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  for (size_t i = 0; i < caches.size(); ++i) {
    const fs::path cache = fs::path(folder) / ("index" + std::to_string(i));
    fs::create_directory(cache);
    std::ofstream(cache / "level") << caches[i].level << "\n";
    std::ofstream(cache / "type") << caches[i].type << "\n";
    std::ofstream(cache / "size") << caches[i].size << "\n";
  }
  const CacheSizes sizes = ReadCacheSizes(folder);
  fs::remove_all(folder);
  return sizes;
}

TEST(CacheSizes, AreReadLevelByLevel) {
  const CacheSizes sizes = Read({{"1", "Data", "48K"},
                                 {"1", "Instruction", "64K"},
                                 {"2", "Unified", "2M"},
                                 {"3", "Unified", "36864K"},
                                 {"4", "Unified", "1G"}});
  EXPECT_EQ(sizes, (CacheSizes{.l1d = 48 * kKiB, .l2 = 2048 * kKiB, .l3 = 36864 * kKiB}));
}

TEST(CacheSizes, WithoutAThirdLevelTheSecondIsTheLast) {
  const CacheSizes sizes = Read({{"1", "Data", "128K"}, {"2", "Unified", "12288K"}});
  EXPECT_EQ(sizes, (CacheSizes{.l1d = 128 * kKiB, .l2 = 12288 * kKiB, .l3 = 12288 * kKiB}));
}

TEST(CacheSizes, WhatIsNotSaidIsTheDefault) {
  EXPECT_EQ(Read({}), CacheSizes());
  EXPECT_EQ(ReadCacheSizes("/nowhere"), CacheSizes());
  // Machines that report nothing, or wrong values.
  EXPECT_EQ(Read({{"1", "Data", ""}, {"2", "Unified", "0K"}, {"3", "Unified", "-5K"}}), CacheSizes());
  EXPECT_EQ(Read({{"1", "Data", "big"}, {"2", "Unified", "9999999999999999999K"}, {"3", "Unified", "7X"}}),
            CacheSizes());
  EXPECT_EQ(Read({{"1", "Data", "16384"}}).l1d, 16 * kKiB);
}

TEST(CacheSizes, NeverShrinkWithTheLevel) {
  const CacheSizes sizes = Read({{"1", "Data", "64K"}, {"2", "Unified", "16K"}, {"3", "Unified", "32K"}});
  EXPECT_EQ(sizes, (CacheSizes{.l1d = 64 * kKiB, .l2 = 64 * kKiB, .l3 = 64 * kKiB}));
}

TEST(CacheSizes, OfThisMachineArePlausible) {
  const CacheSizes sizes = HostCacheSizes();
  EXPECT_GE(sizes.l1d, 4 * kKiB);
  EXPECT_LE(sizes.l1d, sizes.l2);
  EXPECT_LE(sizes.l2, sizes.l3);
}

}  // namespace
}  // namespace fusebox
