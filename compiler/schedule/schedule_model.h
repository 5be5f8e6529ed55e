// SPDX-License-Identifier: Apache-2.0
// Chooses schedules by a model of the target: what fits into its registers and caches, and what wastes least.
#pragma once
#include "fusebox/compiler/schedule/product_schedule.h"

namespace fusebox {

ProductSchedule ChooseSchedule(const ProductShape& shape, const Target& target);

// ---- Parts of the model, for schedule_variations.h.

// The copies that the model would make beside the schedule's tile and blocks.
void ChooseCopies(ProductSchedule& schedule, const ProductShape& shape, const Target& target);

// Half cycles for each k of all tiles of a product of `n` columns. Loads take no time beside as many multiply-adds, yet
// fewer of them are better: some come late.
double TileCost(const Tiling& t, int64_t n);

// How many bytes of sums should stay in the first-level cache.
int64_t SumsInCache(const CacheSizes& caches);

}  // namespace fusebox
