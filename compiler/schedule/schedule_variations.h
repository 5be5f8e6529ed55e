// SPDX-License-Identifier: Apache-2.0
// Schedules near a given one, for a search to try.
#pragma once
#include <vector>

#include "fusebox/compiler/schedule/product_schedule.h"

namespace fusebox {

// Valid schedules that differ from this one in one respect each: the tile, a block's extent, or a copy.
std::vector<ProductSchedule> Variations(const ProductSchedule& schedule, const ProductShape& shape,
                                        const Target& target);

}  // namespace fusebox
