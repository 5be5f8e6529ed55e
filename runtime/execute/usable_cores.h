// SPDX-License-Identifier: Apache-2.0
// How much of the machine this process may use.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace fusebox {

// At least 1: the processors of the calling thread's affinity, which a cpuset narrows too, or what its control groups
// grant, rounded up, if that is less.
int64_t UsableCores();

// The processor time that the tightest control group on the way from this process's to the root grants, in cores; none
// if there is no limit. Of version 2 (cpu.max) and 1 (cpu.cfs_quota_us). `root` stands before /proc and /sys, for
// tests.
std::optional<double> CoresByControlGroup(const std::string& root = "");

}  // namespace fusebox
