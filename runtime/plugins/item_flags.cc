// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/item_flags.h"

#include "fusebox/runtime/plugins/registry.h"

namespace fusebox {

bool HasClassLabels(const ItemSpec& spec, uint32_t kind) {
  const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(kind, spec.id);
  return item.ok() && ((*item)->flags & FB_CLASS_LABELS) != 0;
}

bool HasClassesOfAnyNumber(const ItemSpec& loss) {
  constexpr uint32_t kBoth = FB_CLASS_LABELS | FB_CLASS_LABELS_BY_SHAPE;
  const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(FB_LOSS, loss.id);
  return item.ok() && ((*item)->flags & kBoth) == kBoth;
}

bool TakesClasses(const ItemSpec& spec, const Shape& y, const Shape& output, uint32_t kind) {
  const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(kind, spec.id);
  if (!item.ok() || y.empty() || output.empty()) return false;
  const bool one_each = y.size() + 1 == output.size() || (y.size() == output.size() && y.back() == 1);
  if (((*item)->flags & FB_CLASS_LABELS) != 0) return one_each;
  return ((*item)->flags & FB_CLASS_LABELS_BY_SHAPE) != 0 && one_each && output.back() != 1;
}

std::optional<int64_t> IgnoredClass(const ItemSpec& loss) {
  const auto it = loss.attributes.find("ignore_class");
  const int64_t* const number = it != loss.attributes.end() ? std::get_if<int64_t>(&it->second) : nullptr;
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

bool KeepsMask(const ItemSpec& layer) {
  const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(FB_LAYER, layer.id);
  return item.ok() && ((*item)->flags & FB_KEEPS_MASK) != 0;
}

}  // namespace fusebox
