// SPDX-License-Identifier: Apache-2.0
// Ops that own regions, and the one that stands for a derivative.
#include "fusebox/graph/ops/shape_rules.h"

namespace fusebox {
namespace {

// The type is that of the region's output, which the verifier looks at.
absl::StatusOr<Type> OfRegion(const InferContext& c) {
  if (c.stated == nullptr) return Refuse("has to state its type");
  return *c.stated;
}

absl::StatusOr<Type> Derivative(const InferContext& c) {
  if (c.inputs[0].rank() != 0 || !IsFloat(c.inputs[0].dtype) || !IsFloat(c.inputs[1].dtype)) {
    return Refuse("expects a scalar loss and what to derive it by, got {} and {}", ToString(c.inputs[0]),
                  ToString(c.inputs[1]));
  }
  return c.inputs[1];
}

constexpr OpInfo kOps[] = {
    {.op = Op::kCall,
     .name = "call",
     .kind = OpKind::kControl,
     .arity = -1,
     .infer = OfRegion,
     .states_type = true,
     .meaning = "The output of its region, whose inputs \"0\", \"1\", ... are this node's."},
    {.op = Op::kGradient,
     .name = "gradient",
     .kind = OpKind::kDerivative,
     .arity = 2,
     .infer = Derivative,
     .meaning = "d loss / d x; zero where the loss does not depend on x."},
};

}  // namespace

std::span<const OpInfo> ControlOps() { return kOps; }

}  // namespace fusebox
