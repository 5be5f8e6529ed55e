// SPDX-License-Identifier: Apache-2.0
// Ops that own regions, their results, and the op that stands for a derivative. What regions see and return: control.h.
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
     .regions = 1,
     .infer = OfRegion,
     .states_type = true,
     .meaning = "The output of its region, whose inputs \"0\", \"1\", ... are this node's."},
    {.op = Op::kCond,
     .name = "cond",
     .kind = OpKind::kControl,
     .arity = -1,
     .regions = 2,
     .infer = OfRegion,
     .states_type = true,
     .meaning = "What its first region returns if operand 0, bool[], is true, else what the second one does. Only that "
                "region runs."},
    {.op = Op::kScan,
     .name = "scan",
     .kind = OpKind::kControl,
     .arity = -1,
     .regions = 1,
     .attributes = {{"carries", FB_INT}, {"sequences", FB_INT}, {"length", FB_INT}, {"reverse", FB_FLAG, false}},
     .infer = OfRegion,
     .states_type = true,
     .meaning = "Runs its region `length` times (a dimension: -1 is N). Operands are first carries, whose next values "
                "are the region's first outputs, then sequences [length, ...], of which it sees entry i (from the last "
                "one on if `reverse`), then what is the same each time. Results are the last carries, then the other "
                "outputs of all times, [length, ...]."},
    {.op = Op::kWhile,
     .name = "while",
     .kind = OpKind::kControl,
     .arity = -1,
     .regions = 2,
     .attributes = {{"carries", FB_INT}, {"limit", FB_INT, false}},
     .infer = OfRegion,
     .states_type = true,
     .meaning = "As long as its first region returns true, and at most `limit` times if that is given, the second one "
                "makes new carries. Operands are first the carries, then what is the same each time. It has no "
                "gradient."},
    {.op = Op::kResult,
     .name = "result",
     .kind = OpKind::kControl,
     .arity = 1,
     .attributes = {{"index", FB_INT}},
     .infer = OfRegion,
     .states_type = true,
     .meaning = "A further result of a cond, scan or while, whose own value is result 0."},
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
