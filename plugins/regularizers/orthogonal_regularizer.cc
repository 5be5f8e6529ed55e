// SPDX-License-Identifier: Apache-2.0
// Penalty for rows (or columns) of a matrix that are not orthogonal: factor times the mean |cos| of the angles between
// all pairs. With rows u_i of length 1:
//     factor / (n (n - 1) / 2) * sum_{i < j} |u_i . u_j|
// A row of length 0 stays 0. Source: Keras.
#include <string>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class OrthogonalRegularizer final : public sdk::Regularizer {
 public:
  explicit OrthogonalRegularizer(const sdk::Attributes& attributes) : mode_(attributes.String("mode")) {}

  Value Expand(sdk::Scope& scope, Value x) const override {
    if (mode_ != "rows" && mode_ != "columns") {
      return scope.Error("attribute 'mode' must be rows or columns, got '{}'", mode_);
    }
    if (x.rank() != 2) return scope.Error("expects a matrix, got {}", x.type());
    const Value rows = mode_ == "rows" ? x : Transpose(x, {1, 0});
    const int64_t n = rows.dim(0);
    if (n < 2) return scope.Error("expects 2 or more {}, got {}", mode_, x.type());
    const Value square = Sum(Square(rows), {1}, true);
    // Keras divides by the square root of max(square, epsilon^2).
    const Value unit = rows / Sqrt(Max(square, 1e-14));
    const Value cosines = MatMul(unit, Transpose(unit, {1, 0}));
    const Value off_diagonal = Select(Equal(Iota(cosines, 0), Iota(cosines, 1)), 0.0, Abs(cosines));
    const double pairs = double(n) * double(n - 1) / 2;
    return scope.Scalar("factor") * Sum(off_diagonal, {0, 1}) * (0.5 / pairs);
  }

 private:
  std::string mode_;
};

FUSEBOX_PLUGIN(OrthogonalRegularizer,
               {.id = "fusebox/orthogonal_regularizer",
                .doc = "How far the rows or columns of a matrix are from being orthogonal.",
                .attributes = {
                    sdk::Float("factor", 0.01).Min(0).ProgramScalar().Doc("factor of the penalty"),
                    sdk::String("mode", "rows").Doc("rows or columns"),
                }});

}  // namespace
}  // namespace fusebox
