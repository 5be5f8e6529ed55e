// SPDX-License-Identifier: Apache-2.0
// What each kernel is, for reports.
#pragma once
#include <vector>

#include "fusebox/compiler/fuse/kernel.h"
#include "fusebox/compiler/plan/plan.h"
#include "fusebox/compiler/report.h"
#include "fusebox/compiler/target.h"

namespace fusebox::codegen {

std::vector<KernelReport> DescribeKernels(const FusedProgram& program, const Plan& plan, int64_t row_capacity,
                                          const Target& target);

}  // namespace fusebox::codegen
