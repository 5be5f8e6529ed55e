// SPDX-License-Identifier: Apache-2.0
// The cache that `fusebox bench` compiles with. Native code in the user's cache would hide how long compiling takes,
// and code of the benchmarks does not belong there. But the user's programs use the schedules that `bench
// search-schedules` found (compiler/schedule/found_schedules.h), and so do the benchmarks.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/suite.h"

namespace fusebox::tools {

// Makes an empty folder, and removes it at the end of its life.
class TemporaryFolder {
 public:
  static absl::StatusOr<std::shared_ptr<TemporaryFolder>> Make();
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  TemporaryFolder(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Sets FUSEBOX_CACHE_DIR to a folder that holds only those schedules, of all that a search found for the user, whose
// products occur in these benchmarks. If there are none, sets it to nothing.
struct FoundScheduleCache {
  std::shared_ptr<TemporaryFolder> folder;  // Or null.
  std::vector<int64_t> products;            // By benchmark, how many of its products a search has found a schedule for.
};
absl::StatusOr<FoundScheduleCache> UseFoundSchedules(const std::vector<Benchmark>& benchmarks);

}  // namespace fusebox::tools
