// SPDX-License-Identifier: Apache-2.0
// What the flags of an item (FB_CLASS_LABELS, ...) say. All of it is "no" for an item whose plugin is missing.
#pragma once
#include <cstdint>
#include <optional>

#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/describe/item_spec.h"

namespace fusebox {

// Whether its y_true, or those of a metric (`kind`), are classes (FB_CLASS_LABELS).
bool HasClassLabels(const ItemSpec& item, uint32_t kind = FB_LOSS);
// Whether it, or a metric (`kind`), takes this y for classes, where the model gives `output`: both shapes with the
// batch.
bool TakesClasses(const ItemSpec& item, const Shape& y, const Shape& output, uint32_t kind = FB_LOSS);
// Whether its classes may have any numbers, as they only tell which samples are alike and are not those of outputs:
// what a loss says by FB_CLASS_LABELS together with FB_CLASS_LABELS_BY_SHAPE.
bool HasClassesOfAnyNumber(const ItemSpec& loss);
// A class that it lets pass whatever the model says, and that need not be one of the model's.
std::optional<int64_t> IgnoredClass(const ItemSpec& loss);

// Whether the layer's result has the mask of its first input (FB_KEEPS_MASK).
bool KeepsMask(const ItemSpec& layer);

}  // namespace fusebox
