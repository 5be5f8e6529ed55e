// SPDX-License-Identifier: Apache-2.0
// Which cache `fusebox bench` compiles with. The native code in the user's would hide how long compiling takes, and that of
// the benchmarks is not for him to keep; but his programs are cut as `bench tune` has found to be fastest (see
// compiler/schedule/tuned_schedules.h), and so are these.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/bench/suite.h"

namespace fusebox::tools {

// An empty folder of its own, as long as it lives.
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

// From now on, and as long as the folder lives, FUSEBOX_CACHE_DIR is one that holds those of the user's tuned schedules that
// these benchmarks' programs have, and nothing else. Where there are none it is set to nothing.
struct TunedCache {
  std::shared_ptr<TemporaryFolder> folder;  // Or null.
  std::vector<int64_t> products;            // How many products each benchmark has that were tuned.
};
absl::StatusOr<TunedCache> UseTunedSchedules(const std::vector<Benchmark>& benchmarks);

}  // namespace fusebox::tools
