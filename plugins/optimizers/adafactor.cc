// SPDX-License-Identifier: Apache-2.0
// Divides the gradient by its root mean square, which for a matrix is estimated from the means of rows and columns.
// With variable w, gradient g, step t, counted from 1:
//     rho = min(lr, 1 / sqrt(t)),   alpha = max(epsilon_2, rms(w)) rho,   beta = 1 - t^beta_2_decay
//     matrices   r <- beta r + (1 - beta) mean_columns(g^2 + epsilon_1),   c likewise over rows,   v = r c / mean(r)
//     vectors    v <- beta v + (1 - beta) (g^2 + epsilon_1)
//     u = g / sqrt(v),   w <- w - alpha u / max(1, rms(u) / clip_threshold)
// relative_step is Keras's attribute; Keras's formula for rho takes the minimum in any case.
// Source: Shazeer, Stern (2018), Adafactor: adaptive learning rates with sublinear memory cost; in Keras's form.
#include "fusebox/plugins/optimizers/moments.h"

namespace fusebox {
namespace {

class Adafactor final : public sdk::Optimizer {
 public:
  explicit Adafactor(const sdk::Attributes& attributes) : decay_(attributes.Float("beta_2_decay")) {}

  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    const Value t = UpdateNumber(scope);
    const Value rho = Min(learning_rate, Cast(1 / Sqrt(t), FB_F32));
    const Value alpha = Max(scope.Scalar("epsilon_2"), RootMeanSquare(variable)) * rho;
    const Value fading = Cast(Power(t, scope.Constant(decay_, FB_F64)), FB_F32);  // 1 - beta
    const Value square = Square(gradient) + scope.Scalar("epsilon_1");
    const Value v = variable.rank() < 2 ? OfVector(scope, square, fading) : OfMatrix(scope, square, fading);
    const Value u = gradient / Sqrt(v);
    return variable - alpha * (u / Max(RootMeanSquare(u) / scope.Scalar("clip_threshold"), 1));
  }

 private:
  static Value RootMeanSquare(Value x) { return Sqrt(Mean(Square(x), sdk::AllAxes(x))); }
  static Value Averaged(const sdk::Scope& scope, Value slot, Value value, Value fading) {
    const Value next = (1 - fading) * slot + fading * value;
    scope.Assign(slot, next);
    return next;
  }
  static Value OfVector(const sdk::Scope& scope, Value square, Value fading) {
    // Keras keeps two scalars here that it never reads.
    scope.Slot("r", MakeType(FB_F32, {}));
    scope.Slot("c", MakeType(FB_F32, {}));
    return Averaged(scope, scope.Slot("velocity", square.type()), square, fading);
  }
  static Value OfMatrix(const sdk::Scope& scope, Value square, Value fading) {
    const Value of_rows = Mean(square, {-1}), of_columns = Mean(square, {-2});
    const Value r_slot = scope.Slot("r", of_rows.type());
    const Value c_slot = scope.Slot("c", of_columns.type());
    const Value v_slot = scope.Slot("velocity", square.type());
    const Value r = Averaged(scope, r_slot, of_rows, fading);
    const Value c = Averaged(scope, c_slot, of_columns, fading);
    Dims column = r.dims(), row = c.dims();
    column.push_back(1);
    row.insert(row.end() - 1, 1);
    const Value v = Reshape(r / Mean(r, {-1}, true), column) * Reshape(c, row);
    scope.Assign(v_slot, v);
    return v;
  }

  double decay_;
};

FUSEBOX_PLUGIN(
    Adafactor,
    {.id = "fusebox/adafactor",
     .doc = "Divides by the root mean square, stored as means of rows and columns.",
     .attributes = {
         sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
         sdk::Float("beta_2_decay", -0.8)
             .Range(-sdk::kInfinity, 0)
             .Doc("exponent by which the weight of the past grows"),
         sdk::Float("epsilon_1", 1e-30).Min(0).ProgramScalar().Doc("added to the square"),
         sdk::Float("epsilon_2", 1e-3).Min(0).ProgramScalar().Doc("minimum size of a variable, for the step"),
         sdk::Float("clip_threshold", 1.0).Min(0).ProgramScalar().Doc("maximum root mean square of a step"),
         sdk::Bool("relative_step", true).Doc("without effect, as in Keras"),
     }});

}  // namespace
}  // namespace fusebox
