// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/schedule/found_schedules.h"

#include <map>
#include <memory>

#include "fmt/format.h"
#include "fusebox/compiler/native/object_cache.h"

namespace fusebox {
namespace {

std::string Key(const Machine& machine, const ProductShape& shape) {
  const auto& [l1d, l2, l3] = machine.target.caches;
  return fmt::format("{}caches {} {} {}\nproduct {}\n", machine.name, l1d, l2, l3, ToString(shape));
}

}  // namespace

ScheduleSource FoundSchedules(const Machine& machine) {
  std::optional<ObjectCache> opened = machine.name.empty() ? std::nullopt : ObjectCache::Open();
  if (!opened) return {};
  struct Known {
    ObjectCache cache;
    std::map<ProductShape, std::optional<ProductSchedule>> schedules;  // Equal layers ask for equal shapes.
  };
  auto known = std::make_shared<Known>(Known{*std::move(opened), {}});
  return [&machine, known](const ProductShape& shape) -> std::optional<ProductSchedule> {
    const auto [at, is_new] = known->schedules.try_emplace(shape);
    if (is_new) {
      const std::optional<std::vector<std::string>> entry = known->cache.Load(Key(machine, shape));
      if (entry && entry->size() == 1) at->second = ParseProductSchedule((*entry)[0]);
    }
    return at->second;
  };
}

bool StoreFound(const Machine& machine, const ProductShape& shape, const ProductSchedule& schedule) {
  const std::optional<ObjectCache> cache = machine.name.empty() ? std::nullopt : ObjectCache::Open();
  if (!cache) return false;
  const std::string key = Key(machine, shape);
  cache->Store(key, {ToString(schedule)});
  return cache->Load(key).has_value();
}

}  // namespace fusebox
