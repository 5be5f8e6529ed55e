// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/found_schedules.h"

#include <cstdlib>
#include <filesystem>

#include "fusebox/compiler/compiler.h"
#include "fusebox/compiler/native/object_cache.h"
#include "fusebox/compiler/schedule/found_schedules.h"
#include "fusebox/graph/status.h"

namespace fusebox::tools {

absl::StatusOr<std::shared_ptr<TemporaryFolder>> TemporaryFolder::Make() {
  std::string path = std::filesystem::temp_directory_path() / "fusebox_bench_XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return Refuse("no folder can be made at '{}'", path);
  return std::make_shared<TemporaryFolder>(path);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

absl::StatusOr<FoundScheduleCache> UseFoundSchedules(const std::vector<Benchmark>& benchmarks) {
  FoundScheduleCache cache{.folder = nullptr, .products = std::vector<int64_t>(benchmarks.size())};
  std::vector<ScheduledProduct> found;
  for (size_t i = 0; i < benchmarks.size() && ObjectCache::Open(); ++i) {
    if (!benchmarks[i].program) continue;
    FUSEBOX_ASSIGN_OR_RETURN(const BenchProgram subject, benchmarks[i].program());
    FUSEBOX_ASSIGN_OR_RETURN(const Executable executable,
                             Compile(subject.program, {.row_capacity = subject.batch_size, .cache = false}));
    for (const KernelReport& kernel : executable.report().kernels) {
      if (!kernel.product || kernel.product->origin != ScheduleOrigin::kSearch) continue;
      found.push_back(*kernel.product);
      ++cache.products[i];
    }
  }
  if (found.empty()) {
    setenv("FUSEBOX_CACHE_DIR", "", 1);
    return cache;
  }
  FUSEBOX_ASSIGN_OR_RETURN(const Machine* const machine, FindMachine("", /*to_run=*/true));
  FUSEBOX_ASSIGN_OR_RETURN(cache.folder, TemporaryFolder::Make());
  setenv("FUSEBOX_CACHE_DIR", cache.folder->path().c_str(), 1);
  for (const ScheduledProduct& product : found) {
    if (StoreFound(*machine, product.shape, product.schedule)) continue;
    return Refuse("bench: a schedule cannot be stored in '{}'", cache.folder->path());
  }
  return cache;
}

}  // namespace fusebox::tools
