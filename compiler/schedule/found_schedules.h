// SPDX-License-Identifier: Apache-2.0
// Schedules of products that a search with the clock found: `fusebox bench search-schedules` stores them in the folder
// of compiled code (native/object_cache.h), where programs that are compiled later find them.
//
// An entry is for one machine (its CPU, features and caches), one build of the compiler and one shape of product. All
// of these are its key, so an entry of another machine or version, or a damaged one, is as good as missing. Entries
// change how fast a program is, never what it computes.
#pragma once
#include "fusebox/compiler/native/machine.h"
#include "fusebox/compiler/schedule/product_schedule.h"

namespace fusebox {

// The schedules stored for this machine; none without a folder.
ScheduleSource FoundSchedules(const Machine& machine);

// Stores a schedule. False if there is no folder, or the build of the compiler is unknown.
bool StoreFound(const Machine& machine, const ProductShape& shape, const ProductSchedule& schedule);

}  // namespace fusebox
