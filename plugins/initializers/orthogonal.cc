// SPDX-License-Identifier: Apache-2.0
// `gain` times a matrix whose rows or columns, whichever are fewer, are orthogonal and of length 1. All axes but the
// last count as rows. Drawn uniformly from all such matrices: the orthogonal matrix nearest to a matrix of normal
// numbers has this distribution, as has the Q of its QR decomposition, which Keras uses.
//
// Finds the nearest one by iterations x <- (a + b A + c A^2) x with A = x x^T, which move all singular values to 1. The
// first coefficients raise small singular values quickly, but leave all of them between 0.7 and 1.2; the last
// coefficients are Newton and Schulz's.
// Sources: Saxe, McClelland, Ganguli (2014), Exact solutions to the nonlinear dynamics of learning in deep linear
// neural networks; Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks (the coefficients).
#include "fusebox/plugins/initializers/distributions.h"

namespace fusebox {
namespace {

// The smallest singular value of a square matrix of 1,000 rows is about 1e-7 of the norm of all; 3.44^14 is 3e7.
constexpr int kLifts = 14, kRefinements = 6;

class Orthogonal final : public sdk::Initializer {
 public:
  explicit Orthogonal(const sdk::Attributes& attributes)
      : gain_(attributes.Float("gain")), seed_(attributes.Int("seed")) {}

  Value Expand(sdk::Scope& scope, const FbType& type) const override {
    if (type.rank < 2) return scope.Error("makes tensors of rank 2 or more, got {}", type);
    const Dims dims(type.dims, type.dims + type.rank);
    int64_t rows = 1;
    for (int64_t i = 0; i + 1 < type.rank; ++i) rows *= dims[size_t(i)];
    const int64_t columns = dims.back();
    const int64_t least = std::min(rows, columns), greatest = std::max(rows, columns);
    Value x = Cast(Normal(scope, MakeType(FB_F32, {least, greatest}), 0, 1, seed_), FB_F64);
    x = x / Sqrt(Sum(Square(x), {0, 1}));
    for (int i = 0; i < kLifts; ++i) {
      const Value square = MatMul(x, Transpose(x, {1, 0}));
      x = 3.4445 * x + MatMul(-4.775 * square + 2.0315 * MatMul(square, square), x);
    }
    for (int i = 0; i < kRefinements; ++i) x = 1.5 * x - 0.5 * MatMul(MatMul(x, Transpose(x, {1, 0})), x);
    if (rows > columns) x = Transpose(x, {1, 0});
    return Cast(Reshape(gain_ * x, dims), type.dtype);
  }

 private:
  double gain_;
  int64_t seed_;
};

FUSEBOX_PLUGIN(Orthogonal, {.id = "fusebox/orthogonal",
                            .doc = "A matrix of orthogonal rows or columns.",
                            .attributes = {sdk::Float("gain", 1.0).Doc("length of these"), kSeed}});

}  // namespace
}  // namespace fusebox
