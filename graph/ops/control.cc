// SPDX-License-Identifier: Apache-2.0
// Ops that own regions, their results, and the op that stands for a derivative. What regions see and return: control.h.
#include <cstring>
#include <utility>

#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/ops/family.h"
#include "fusebox/graph/regions.h"

namespace fusebox {
namespace {

// The type is that of the region's output, which the verifier looks at.
TypeOr OfRegion(const InferContext& c) {
  if (c.stated == nullptr) return Refuse("has to state its type");
  return *c.stated;
}

TypeOr Derivative(const InferContext& c) {
  if (c.inputs[0].rank() != 0 || !IsFloat(c.inputs[0].dtype) || !IsFloat(c.inputs[1].dtype)) {
    return Refuse("expects a scalar loss and what to derive it by, got {} and {}", ToString(c.inputs[0]),
                  ToString(c.inputs[1]));
  }
  return c.inputs[1];
}

using Literals = std::vector<Literal>;

// What a region returns for these operands.
absl::StatusOr<Literals> Run(const Graph& region, const Literals& operands, int64_t batch) {
  Bindings bindings;
  bindings.batch = batch;
  for (size_t i = 0; i < operands.size(); ++i) bindings.inputs[std::to_string(i)] = operands[i];
  FUSEBOX_ASSIGN_OR_RETURN(Evaluation result, Evaluate(region, bindings));
  Literals outputs;
  for (const auto& output : region.outputs()) outputs.push_back(result.outputs.at(output.name));
  return outputs;
}

Literal EntryOf(const Literal& sequence, int64_t i) {
  Literal one(sequence.dtype(), Sizes(sequence.shape().begin() + 1, sequence.shape().end()));
  const size_t bytes = one.bytes().size();
  if (bytes > 0) std::memcpy(one.mutable_bytes().data(), sequence.bytes().data() + size_t(i) * bytes, bytes);
  return one;
}

Literals Operands(const EvaluateContext& c) {
  Literals operands;
  for (const Literal* input : c.inputs) operands.push_back(*input);
  return operands;
}

absl::StatusOr<Literals> RunCall(const EvaluateContext& c) { return Run(c.node.regions[0], Operands(c), c.batch); }

absl::StatusOr<Literals> RunCond(const EvaluateContext& c) {
  return Run(c.node.regions[c.in(0).values<bool>()[0] ? 0 : 1], Operands(c), c.batch);
}

absl::StatusOr<Literals> RunScan(const EvaluateContext& c) {
  const Node& node = c.node;
  const int64_t batch = c.batch;
  const Literals operands = Operands(c);
  const size_t carries = CarriesOf(node), sequences = SequencesOf(node);
  const int64_t length = TimesOf(node, batch);
  const Graph& body = node.regions[0];
  Literals results(operands.begin(), operands.begin() + int64_t(carries));
  for (size_t i = carries; i < body.outputs().size(); ++i) {
    const Type& one = body[body.outputs()[i].value].type;
    results.emplace_back(one.dtype, Resolve(Stacked(node.attributes.Int("length"), one).shape, batch));
  }
  for (int64_t time = 0; time < length; ++time) {
    const int64_t entry = node.attributes.Flag("reverse") ? length - 1 - time : time;
    Literals now = operands;
    for (size_t i = 0; i < carries; ++i) now[i] = results[i];
    for (size_t i = carries; i < carries + sequences; ++i) now[i] = EntryOf(operands[i], entry);
    FUSEBOX_ASSIGN_OR_RETURN(Literals made, Run(body, now, batch));
    for (size_t i = 0; i < made.size(); ++i) {
      if (i < carries) {
        results[i] = std::move(made[i]);
      } else if (const size_t bytes = made[i].bytes().size(); bytes > 0) {
        std::memcpy(results[i].mutable_bytes().data() + size_t(entry) * bytes, made[i].bytes().data(), bytes);
      }
    }
  }
  return results;
}

absl::StatusOr<Literals> RunWhile(const EvaluateContext& c) {
  const Node& node = c.node;
  Literals now = Operands(c);
  const size_t carries = CarriesOf(node);
  const int64_t limit = node.attributes.Int("limit");
  for (int64_t time = 0; limit == 0 || time < limit; ++time) {
    FUSEBOX_ASSIGN_OR_RETURN(const Literals goes_on, Run(node.regions[0], now, c.batch));
    if (!goes_on[0].values<bool>()[0]) break;
    FUSEBOX_ASSIGN_OR_RETURN(Literals next, Run(node.regions[1], now, c.batch));
    for (size_t i = 0; i < carries; ++i) now[i] = std::move(next[i]);
  }
  now.resize(carries);
  return now;
}

constexpr OpInfo kOps[] = {
    {.op = Op::kCall,
     .name = "call",
     .kind = OpKind::kControl,
     .arity = -1,
     .regions = 1,
     .infer = OfRegion,
     .states_type = true,
     .evaluate_results = RunCall,
     .access = Access::kLoopNest,
     .meaning = "The output of its region, whose inputs \"0\", \"1\", ... are this node's."},
    {.op = Op::kCond,
     .name = "cond",
     .kind = OpKind::kControl,
     .arity = -1,
     .regions = 2,
     .infer = OfRegion,
     .states_type = true,
     .evaluate_results = RunCond,
     .access = Access::kLoopNest,
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
     .evaluate_results = RunScan,
     .access = Access::kLoopNest,
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
     .evaluate_results = RunWhile,
     .access = Access::kLoopNest,
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
     .access = Access::kLoopNest,
     .meaning = "A further result of a cond, scan or while, whose own value is result 0."},
    {.op = Op::kGradient,
     .name = "gradient",
     .kind = OpKind::kDerivative,
     .arity = 2,
     .infer = Derivative,
     .access = Access::kLoopNest,
     .meaning = "d loss / d x; zero where the loss does not depend on x."},
};

}  // namespace

std::span<const OpInfo> ControlOps() { return kOps; }

}  // namespace fusebox
