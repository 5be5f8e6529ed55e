// SPDX-License-Identifier: Apache-2.0
// Nodes with regions: calls, branches and loops. See regions.h.
#include <cstring>
#include <utility>

#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/evaluate/kernels.h"
#include "fusebox/graph/regions.h"
#include "fusebox/graph/status.h"

namespace fusebox::evaluate {
namespace {

using Literals = std::vector<Literal>;

// What a region returns, of what its inputs are.
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

absl::StatusOr<Literals> Scan(const Node& node, const Literals& operands, int64_t batch) {
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

absl::StatusOr<Literals> While(const Node& node, Literals now, int64_t batch) {
  const size_t carries = CarriesOf(node);
  const int64_t limit = node.attributes.Int("limit");
  for (int64_t time = 0; limit == 0 || time < limit; ++time) {
    FUSEBOX_ASSIGN_OR_RETURN(const Literals goes_on, Run(node.regions[0], now, batch));
    if (!goes_on[0].values<bool>()[0]) break;
    FUSEBOX_ASSIGN_OR_RETURN(Literals next, Run(node.regions[1], now, batch));
    for (size_t i = 0; i < carries; ++i) now[i] = std::move(next[i]);
  }
  now.resize(carries);
  return now;
}

}  // namespace

absl::StatusOr<Literals> Control(const Node& node, std::span<const Literal* const> inputs, int64_t batch) {
  Literals operands;
  for (const Literal* input : inputs) operands.push_back(*input);
  switch (node.op) {
    case Op::kCond:
      return Run(node.regions[operands[0].values<bool>()[0] ? 0 : 1], operands, batch);
    case Op::kScan:
      return Scan(node, operands, batch);
    case Op::kWhile:
      return While(node, std::move(operands), batch);
    default:
      return Run(node.regions[0], operands, batch);
  }
}

}  // namespace fusebox::evaluate
