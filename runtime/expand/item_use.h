// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

#include "fusebox/runtime/describe/item_spec.h"

namespace fusebox {

// One use of an item.
struct ItemUse {
  uint32_t kind = 0;      // FB_LAYER, ...
  ItemSpec item;          // The full key and all attributes.
  bool training = false;  // Whether the program trains.
  bool frozen = false;    // A layer that is not trained.
};

}  // namespace fusebox
