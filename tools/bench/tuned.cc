// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/tuned.h"

#include <cstdlib>
#include <filesystem>

#include "fusebox/compiler/compiler.h"
#include "fusebox/compiler/native/object_cache.h"
#include "fusebox/compiler/schedule/tuned_schedules.h"
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

absl::StatusOr<TunedCache> UseTunedSchedules(const std::vector<Benchmark>& benchmarks) {
  TunedCache tuned{.folder = nullptr, .products = std::vector<int64_t>(benchmarks.size())};
  std::vector<ScheduledProduct> found;
  for (size_t i = 0; i < benchmarks.size() && ObjectCache::Open(); ++i) {
    if (!benchmarks[i].program) continue;
    FUSEBOX_ASSIGN_OR_RETURN(const TuningSubject subject, benchmarks[i].program());
    FUSEBOX_ASSIGN_OR_RETURN(const Executable executable,
                             Compile(subject.program, {.row_capacity = subject.batch_size, .cache = false}));
    for (const KernelReport& kernel : executable.report().kernels) {
      if (!kernel.product || kernel.product->origin != ScheduleOrigin::kTuned) continue;
      found.push_back(*kernel.product);
      ++tuned.products[i];
    }
  }
  if (found.empty()) {
    setenv("FUSEBOX_CACHE_DIR", "", 1);
    return tuned;
  }
  FUSEBOX_ASSIGN_OR_RETURN(const Machine* const machine, FindMachine("", /*to_run=*/true));
  FUSEBOX_ASSIGN_OR_RETURN(tuned.folder, TemporaryFolder::Make());
  setenv("FUSEBOX_CACHE_DIR", tuned.folder->path().c_str(), 1);
  for (const ScheduledProduct& product : found) {
    if (StoreTuned(*machine, product.shape, product.schedule)) continue;
    return Refuse("bench: a schedule cannot be stored in '{}'", tuned.folder->path());
  }
  return tuned;
}

}  // namespace fusebox::tools
