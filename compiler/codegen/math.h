// SPDX-License-Identifier: Apache-2.0
// Elementary functions on lanes, in IR: the same bits on every machine with fma, whatever its vector width.
#pragma once
#include "fusebox/compiler/codegen/ir.h"

namespace fusebox::codegen {

// Each takes a scalar or a vector of f32 or f64 and returns the same type. For f32 they are polynomials after Cephes
// (Moshier 1989, Methods and Programs for Mathematical Functions), right for all arguments including infinities,
// denormals and NaN; f64, which serves gradient checks, calls the C library lane by lane.
Value* Exp(Ir& ir, Value* x);
Value* Log(Ir& ir, Value* x);
Value* Tanh(Ir& ir, Value* x);
Value* Sigmoid(Ir& ir, Value* x);
// Giles (2010), Approximating the erfinv function; f64 refined by two Newton steps on erf.
Value* ErfInv(Ir& ir, Value* x);

}  // namespace fusebox::codegen
