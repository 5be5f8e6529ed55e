// SPDX-License-Identifier: Apache-2.0
// Schedules of products that the clock chose: `fusebox bench tune` stores them in the folder of compiled code
// (object_cache.h), and programs that are compiled afterwards find them there.
//
// An entry is for one machine (its CPU, features and caches), one build of the compiler and one shape of product. All of
// that is the entry's key, so what another machine or version has stored, or somebody has damaged, is as if it were not
// there. Entries change how fast a program is, never what it computes.
#pragma once
#include "fusebox/compiler/native/machine.h"
#include "fusebox/compiler/schedule/product_schedule.h"

namespace fusebox {

// Those of this machine. Nothing is found if there is no folder.
ScheduleSource TunedSchedules(const Machine& machine);

// Whether it could be stored: there is a folder, and the build of the compiler is known.
bool StoreTuned(const Machine& machine, const ProductShape& shape, const ProductSchedule& schedule);

}  // namespace fusebox
