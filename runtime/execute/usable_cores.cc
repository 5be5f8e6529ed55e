// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/execute/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <thread>

namespace fusebox {
namespace {

std::optional<double> Quota(double quota, double period) {
  if (!(quota > 0 && period > 0)) return std::nullopt;
  return quota / period;
}

// Version 2: "max 100000" or "150000 100000".
std::optional<double> QuotaOfGroup2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max") return std::nullopt;
  return Quota(std::strtod(quota.c_str(), nullptr), period);
}

// Version 1, where -1 is no limit.
std::optional<double> QuotaOfGroup1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_file >> quota && period_file >> period)) return std::nullopt;
  return Quota(quota, period);
}

// Whether a list as in "cpu,cpuacct" has the word.
bool Lists(const std::string& list, const std::string& word) {
  return ("," + list + ",").find("," + word + ",") != std::string::npos;
}

}  // namespace

std::optional<double> CoresByControlGroup(const std::string& root) {
  std::optional<double> cores;
  const auto tighten = [&](std::optional<double> by) {
    if (by && (!cores || *by < *cores)) cores = by;
  };
  // A line is id:controllers:path. In a container the path may be one of the host: then what is mounted is its group.
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool version_2 = controllers.empty();
    if (!version_2 && !Lists(controllers, "cpu")) continue;
    const std::string mount = root + (version_2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu");
    for (std::string path = line.substr(second + 1);; path.resize(path.rfind('/'))) {
      tighten(version_2 ? QuotaOfGroup2(mount + path) : QuotaOfGroup1(mount + path));
      if (path.rfind('/') == std::string::npos) break;
    }
  }
  return cores;
}

int64_t UsableCores() {
  cpu_set_t set;
  int64_t cores =
      sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : int64_t(std::thread::hardware_concurrency());
  if (const std::optional<double> quota = CoresByControlGroup()) cores = std::min(cores, int64_t(std::ceil(*quota)));
  return std::max<int64_t>(cores, 1);
}

}  // namespace fusebox
