// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/usable_cores.h"

#include <sched.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "fusebox/runtime/execute/thread_pool.h"
#include "gtest/gtest.h"
#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

// The cores granted if /proc and /sys hold these files.
std::optional<double> Cores(const std::map<std::string, std::string>& files) {
  const testing::TempFolder root;
  for (const auto& [name, text] : files) {
    const std::filesystem::path path = root / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  return CoresByControlGroup(root / "");
}

TEST(ControlGroups, OfVersion2AreReadUpToTheRoot) {
  const std::string groups = "0::/service/worker\n";
  EXPECT_EQ(Cores({{"proc/self/cgroup", groups}}), std::nullopt);
  EXPECT_EQ(Cores({{"proc/self/cgroup", groups}, {"sys/fs/cgroup/service/worker/cpu.max", "max 100000\n"}}),
            std::nullopt);
  EXPECT_EQ(Cores({{"proc/self/cgroup", groups}, {"sys/fs/cgroup/service/worker/cpu.max", "150000 100000\n"}}), 1.5);
  EXPECT_EQ(Cores({{"proc/self/cgroup", groups},
                   {"sys/fs/cgroup/service/worker/cpu.max", "800000 100000\n"},
                   {"sys/fs/cgroup/service/cpu.max", "300000 100000\n"}}),
            3);
  // In a container, the process's group is the root.
  EXPECT_EQ(Cores({{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "200000 50000\n"}}), 4);
}

TEST(ControlGroups, OfVersion1AreReadUpToTheRoot) {
  const std::string groups = "12:memory:/m\n4:cpu,cpuacct:/docker/abc\n3:cpuset:/\n0::/unified\n";
  EXPECT_EQ(Cores({{"proc/self/cgroup", groups},
                   {"sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us", "-1\n"},
                   {"sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us", "100000\n"}}),
            std::nullopt);
  EXPECT_EQ(Cores({{"proc/self/cgroup", groups},
                   {"sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us", "250000\n"},
                   {"sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us", "100000\n"}}),
            2.5);
  // In a container that sees the host's path, the mounted group is its own.
  EXPECT_EQ(Cores({{"proc/self/cgroup", groups},
                   {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n"},
                   {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}}),
            0.5);
}

TEST(ControlGroups, WhatCannotBeReadIsNoLimit) {
  EXPECT_EQ(Cores({}), std::nullopt);
  EXPECT_EQ(Cores({{"proc/self/cgroup", "nonsense\n::\n:\n0:cpu\n"}}), std::nullopt);
  for (const char* text : {"", "max", "100000", "x y", "0 100000", "100000 0", "-5 100000"}) {
    EXPECT_EQ(Cores({{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", text}}), std::nullopt) << text;
  }
}

// A cpuset has the same effect on a process.
TEST(UsableCores, AreThoseOfTheAffinity) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(UsableCores(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(UsableCores(), 1);
  EXPECT_LE(UsableCores(), CPU_COUNT(&before));
}

}  // namespace
}  // namespace fusebox
