// SPDX-License-Identifier: Apache-2.0
// Questions that the flags of an item (FB_CLASS_LABELS, ...) answer. The answer is no if the item's plugin is missing.
#pragma once
#include <cstdint>
#include <optional>

#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/describe/item_spec.h"

namespace fusebox {

// Whether the y_true of a loss, or of a metric (`kind`), are classes (FB_CLASS_LABELS).
bool HasClassLabels(const ItemSpec& item, uint32_t kind = FB_LOSS);
// Whether a loss, or a metric (`kind`), takes y of this shape for classes if the model's output has the shape `output`.
// Both shapes include the batch.
bool TakesClasses(const ItemSpec& item, const Shape& y, const Shape& output, uint32_t kind = FB_LOSS);
// Whether the classes of a loss may be any numbers, because they only tell which samples are alike and do not index
// outputs: FB_CLASS_LABELS together with FB_CLASS_LABELS_BY_SHAPE.
bool HasClassesOfAnyNumber(const ItemSpec& loss);
// The class that a loss ignores (ignore_class), which need not be one of the model's classes.
std::optional<int64_t> IgnoredClass(const ItemSpec& loss);

// Whether the layer's result has the mask of its first input (FB_KEEPS_MASK).
bool KeepsMask(const ItemSpec& layer);

}  // namespace fusebox
