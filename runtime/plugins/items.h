// SPDX-License-Identifier: Apache-2.0
// Plugins' items as models use them: expanded by their plugins or, where one is missing, from what the model has kept.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/builder.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/plugins/expansions.h"

namespace fusebox {

// The item's full key ("fusebox/dense@1") and all attributes of its schema, checked: see Registry::Resolve. An item whose
// plugin is missing is taken as it is if it has an expansion in `embedded`.
absl::StatusOr<ItemSpec> ResolveItem(uint32_t kind, const ItemSpec& spec, const Expansions& embedded);

// Whether its y_true, or those of a metric (`kind`), are classes (FB_CLASS_LABELS).
bool HasClassLabels(const ItemSpec& item, uint32_t kind = FB_LOSS);
// Whether it, or a metric (`kind`), takes this y for classes, where the model gives `output`: both shapes with the batch.
bool TakesClasses(const ItemSpec& item, const Shape& y, const Shape& output, uint32_t kind = FB_LOSS);
// Whether its classes may have any numbers, as they only tell which samples are alike and are not those of outputs: what a
// loss says by FB_CLASS_LABELS together with FB_CLASS_LABELS_BY_SHAPE.
bool HasClassesOfAnyNumber(const ItemSpec& loss);
// A class that it lets pass whatever the model says, and that need not be one of the model's.
std::optional<int64_t> IgnoredClass(const ItemSpec& loss);

// Whether the layer's result has the mask of its first input (FB_KEEPS_MASK).
bool KeepsMask(const ItemSpec& layer);

// The item's symbols for these inputs; nodes and states get the scope `name` inside the one at work. `use.item` has to be
// resolved. Scalars of the item get its attributes' numbers as their initializers.
// GraphBuilder::masks are those of the inputs. Error: masks, where the item's plugin is missing.
Value ExpandUse(GraphBuilder& builder, const ItemUse& use, const Values& inputs, const std::string& name,
                const Expansions& embedded);

// While one lives, the expansions of strangers' items are collected in it (for this thread; the innermost one counts).
class ExpansionRecorder {
 public:
  ExpansionRecorder();
  ~ExpansionRecorder();
  ExpansionRecorder(const ExpansionRecorder&) = delete;
  ExpansionRecorder& operator=(const ExpansionRecorder&) = delete;

  Expansions expansions;

 private:
  ExpansionRecorder* outer_;
};

}  // namespace fusebox
