// SPDX-License-Identifier: Apache-2.0
// Functions of one real number.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "fusebox/graph/ops/elementwise.h"

namespace fusebox {
namespace {

using namespace elementwise;

double SigmoidOf(double x) {
  if (x >= 0) return 1 / (1 + std::exp(-x));
  const double e = std::exp(x);  // NaN comes here, too.
  return e / (1 + e);
}

// By Newton-Halley steps on erf, or near the ends on erfc, where 1 - |x| is exact.
// First guess: Winitzki (2008), A handy approximation for the error function and its inverse.
double ErfInvOf(double x) {
  const double magnitude = std::abs(x);
  if (!(magnitude <= 1)) return std::numeric_limits<double>::quiet_NaN();
  if (magnitude == 1) return std::copysign(std::numeric_limits<double>::infinity(), x);
  if (magnitude < 1e-8) return x * (std::sqrt(std::numbers::pi) / 2);
  constexpr double kA = 0.147;
  const double l = std::log1p(-magnitude * magnitude), b = 2 / (std::numbers::pi * kA) + l / 2;
  double y = std::sqrt(std::sqrt(b * b - l / kA) - b);
  for (int step = 0; step < 4; ++step) {
    const double error = magnitude > 0.5 ? (1 - magnitude) - std::erfc(y) : std::erf(y) - magnitude;
    const double u = error / (2 / std::sqrt(std::numbers::pi) * std::exp(-y * y));
    y -= u / (1 + y * u);
  }
  return std::copysign(y, x);
}

constexpr OpInfo kOps[] = {
    {.name = "exp",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * c.output}; },
     .evaluate = RealOf<[](double x) { return std::exp(x); }>,
     .accuracy = Accuracy::kApproximated,
     .meaning = "e to the x.",
     .examples = "1 -> 2.718281828459045; -inf -> 0"},
    {.name = "log",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy / c.inputs[0]}; },
     .evaluate = RealOf<[](double x) { return std::log(x); }>,
     .accuracy = Accuracy::kApproximated,
     .domain = Domain::kPositive,
     .meaning = "Natural logarithm: -inf of 0, NaN of negative numbers.",
     .examples = "0.5 -> -0.6931471805599453; 0 -> -inf; -1 -> nan"},
    {.name = "sqrt",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * 0.5 / c.output}; },
     .evaluate = RealOf<[](double x) { return std::sqrt(x); }>,
     .domain = Domain::kPositive,
     .meaning = "Square root, correctly rounded; NaN of negative numbers. The gradient at 0 is infinite.",
     .examples = "4 -> 2; -1 -> nan"},
    {.name = "tanh",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     // From the output rather than the input: tanh' = 1 - tanh^2, and tanh is already computed.
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * (1 - Square(c.output))}; },
     .evaluate = RealOf<[](double x) { return std::tanh(x); }>,
     .accuracy = Accuracy::kApproximated,
     .meaning = "Hyperbolic tangent.",
     .examples = "0.5 -> 0.46211715726000976; inf -> 1"},
    {.name = "sigmoid",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * (c.output * (1 - c.output))}; },
     .evaluate = RealOf<SigmoidOf>,
     .accuracy = Accuracy::kApproximated,
     .meaning = "1 / (1 + exp(-x)), exact at both ends.",
     .examples = "1 -> 0.7310585786300049; -inf -> 0"},
    {.name = "floor",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .evaluate = RealOf<[](double x) { return std::floor(x); }>,
     .accuracy = Accuracy::kExact,
     .meaning = "The greatest whole number that is not above x. The gradient is 0.",
     .examples = "-1.5 -> -2; 1.5 -> 1"},
    {.name = "erf",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values {
       return {c.dy * (Exp(-Square(c.inputs[0])) * (2 * std::numbers::inv_sqrtpi))};
     },
     .evaluate = RealOf<[](double x) { return std::erf(x); }>,
     .accuracy = Accuracy::kApproximated,
     .meaning = "The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.",
     .examples = "0.5 -> 0.5204998778130465; inf -> 1"},
    {.name = "erfinv",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values {
       return {c.dy * Exp(Square(c.output)) * (std::sqrt(std::numbers::pi) / 2)};
     },
     .evaluate = RealOf<ErfInvOf>,
     .accuracy = Accuracy::kApproximated,
     .domain = Domain::kInsideOne,
     .meaning = "The inverse of the error function: infinite at -1 and 1, NaN outside.",
     .examples = "0.5 -> 0.4769362762044699; 1 -> inf; 2 -> nan"},
    {.name = "expm1",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * (c.output + 1)}; },
     .evaluate = RealOf<[](double x) { return std::expm1(x); }>,
     .accuracy = Accuracy::kApproximated,
     .meaning = "exp(x) - 1, with all its digits near 0.",
     .examples = "1e-6 -> 1.0000005000001667e-6; -inf -> -1"},
    {.name = "softplus",
     .kind = OpKind::kElementwise,
     .arity = 1,
     .infer = Real,
     .vjp = [](const VjpContext& c) -> Values { return {c.dy * Sigmoid(c.inputs[0])}; },
     .evaluate = RealOf<[](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }>,
     .accuracy = Accuracy::kApproximated,
     .meaning = "log(1 + exp(x)), which neither overflows nor loses the small results.",
     .examples = "0 -> 0.6931471805599453; -inf -> 0"},
};

}  // namespace

std::span<const OpInfo> FunctionOps() { return kOps; }

}  // namespace fusebox
