// SPDX-License-Identifier: Apache-2.0
#include "fusebox/compiler/codegen/cpu/work_units.h"

#include "fusebox/compiler/schedule/product_schedule.h"

namespace fusebox::codegen {

Value* UnitsBefore(Ir& ir, const WorkUnits& units, Value* thread, Value* threads) {
  auto& b = ir.b;
  if (units.group == 1 && units.light == 0) return b.CreateUDiv(ir.Mul(units.count, thread), threads);
  Value* heavy = b.CreateSub(units.count, ir.I64(units.light));
  Value* heavy_work = ir.Mul(heavy, ir.I64(units.work));
  Value* all = ir.Add(heavy_work, ir.I64(units.light * units.light_work));
  Value* mine = b.CreateUDiv(ir.Mul(all, thread), threads);
  Value* light = b.CreateUDiv(ir.Max(b.CreateSub(mine, heavy_work), ir.I64(0)), ir.I64(units.light_work));
  Value* before = ir.Add(ir.Min(b.CreateUDiv(mine, ir.I64(units.work)), heavy), light);
  if (units.group == 1) return before;

  Value* groups = b.CreateUDiv(units.count, ir.I64(units.group));
  Value* most = b.CreateUDiv(b.CreateSub(ir.Add(groups, threads), ir.I64(1)), threads);  // For one thread.
  Value* longest = ir.Mul(ir.Mul(most, ir.I64(units.group * units.work)), threads);
  Value* is_even = b.CreateICmpULE(ir.Mul(longest, ir.I64(kMostImbalance)), ir.Mul(all, ir.I64(kMostImbalance + 1)));
  Value* whole = ir.Min(ir.Mul(ir.Mul(thread, most), ir.I64(units.group)), units.count);
  return b.CreateSelect(is_even, whole, before);
}

}  // namespace fusebox::codegen
