// SPDX-License-Identifier: Apache-2.0
// Elementary functions on lanes, in IR: the same bits on every machine with fma, whatever its vector width.
#pragma once

namespace llvm {
class Value;
}

namespace fusebox::codegen {

class Ir;
using llvm::Value;

// Each takes a scalar or a vector of f32 or f64 and returns the same type. For f32 they are polynomials after Cephes
// (Moshier 1989, Methods and Programs for Mathematical Functions), and right for all arguments, including infinities,
// denormals and NaN. For f64, which serves gradient checks, they call the C library lane by lane.
//
// The largest error of an f32 result for any argument, in ulp of the exact result (2^-149 among denormals):
constexpr double kExpUlps = 0.88;
constexpr double kLogUlps = 0.83;
constexpr double kTanhUlps = 1.31;
constexpr double kSigmoidUlps = 0.93;
constexpr double kErfUlps = 1.5;
constexpr double kExpm1Ulps = 1.5;
constexpr double kSoftplusUlps = 1.5;

Value* Exp(Ir& ir, Value* x);
Value* Log(Ir& ir, Value* x);
Value* Tanh(Ir& ir, Value* x);
Value* Sigmoid(Ir& ir, Value* x);
Value* Erf(Ir& ir, Value* x);
Value* Expm1(Ir& ir, Value* x);
Value* Softplus(Ir& ir, Value* x);
// Giles (2010), Approximating the erfinv function; f64 refined by two Newton steps on erf.
Value* ErfInv(Ir& ir, Value* x);

}  // namespace fusebox::codegen
