// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/losses.h"

#include <algorithm>

#include "fusebox/graph/ops.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/expand/expand.h"
#include "fusebox/runtime/programs/loss_reduction.h"
#include "fusebox/runtime/programs/penalties.h"
#include "fusebox/runtime/programs/ports.h"

namespace fusebox {
namespace {

const Type kWideScalar = {DType::kF64, {}};

// The loss of one output.
struct Term {
  const OutputLoss* output;
  Value of_samples, weight, mask;
};

// A loss for each sample.
Value LossOfEach(ProgramDraft& d, const OutputLoss& output, bool several, Value y_true, Value y_pred) {
  const std::string scope = several ? "loss/" + output.output : "loss";
  const Value each = ExpandUse(d.b, {FB_LOSS, output.loss, d.training}, {y_true, y_pred}, scope, d.embedded);
  if (each.ok() && (each.dtype() != FB_F32 || each.rank() < 1 || each.dim(0) != kBatch)) {
    const std::string* const called = TextAttribute(output.loss, "called");
    return d.Fail(fmt::format("loss {}: was to make one loss a sample, f32[N], and made {}",
                              called != nullptr ? "'" + *called + "'" : output.loss.id, ToString(each.type())));
  }
  return each;
}

// Adds the output `name`: the mean over all samples since the accumulators were zero.
void RunningLoss(ProgramDraft& d, Value sum, Value count, const std::string& name) {
  const Value total = d.b.State("total", FB_ACCUMULATOR, kWideScalar, "zeros", {});
  const Value samples = d.b.State("count", FB_ACCUMULATOR, kWideScalar, "zeros", {});
  const Value new_total = total + Cast(sum, FB_F64);
  const Value new_samples = samples + Cast(count, FB_F64);
  d.b.Assign(total, new_total);
  d.b.Assign(samples, new_samples);
  d.b.Output(name, Cast(new_total / new_samples, FB_F32));
}

// A scalar of the program, so another weight needs no compiling.
Value LossWeight(ProgramDraft& d, const OutputLoss& output) {
  return d.b.State("weight", FB_SCALAR, {DType::kF32, {}}, fmt::format("{}", *output.weight), {});
}

// The loss of a model whose outputs have none: what AddLoss has added for the batch, or 0 if this program adds
// nothing.
Value AddedLoss(ProgramDraft& d, Value added, Value y_pred) {
  const Value samples = Extent(Cast(y_pred, FB_F32), {0});
  const Value loss = added.ok() ? added : d.b.Constant(0, DType::kF32);
  RunningLoss(d, loss * samples, samples, "loss");
  return loss;
}

// The sum of all losses, each with its weight, and the penalties.
Value SumOfLosses(ProgramDraft& d, const std::vector<Term>& each, bool several, Value penalties) {
  Value loss, share, samples;
  const auto add = [](Value& sum, Value term) { sum = sum.ok() ? sum + term : term; };
  for (const auto& [output, of_samples, weight, mask] : each) {
    const HostBuilder::Scope inner(d.b, several ? output->output : "");
    ReducedLoss reduced = ReduceLoss(d.b, output->loss, of_samples, weight, mask, d.b.Wrap(0));
    samples = reduced.samples;
    if (several) RunningLoss(d, reduced.share, samples, output->output + "_loss");
    if (output->weight) {
      const Value counts = LossWeight(d, *output);
      reduced.loss = reduced.loss * counts;
      reduced.share = reduced.share * counts;
    }
    add(loss, reduced.loss);
    add(share, reduced.share);
  }
  if (penalties.ok()) {
    loss = loss + penalties;
    share = share + penalties * samples;
  }
  RunningLoss(d, share, samples, "loss");
  return loss;
}

}  // namespace

Value WriteLoss(ProgramDraft& d, const Values& y_true, const Values& y_pred, const Values& weights) {
  const std::vector<OutputLoss> outputs = LossesOf(d.model);
  const bool several = std::ranges::count_if(outputs, &OutputLoss::HasLoss) > 1;
  std::vector<Term> each;
  size_t target = 0;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!NeedsTarget(outputs[i])) continue;
    const Value y = y_true[target], weight = weights[target];
    ++target;
    if (!outputs[i].HasLoss()) continue;
    each.push_back({&outputs[i], LossOfEach(d, outputs[i], several, y, y_pred[i]), weight, d.b.Wrap(d.masks[i])});
    if (!each.back().of_samples.ok()) return each.back().of_samples;
    if (y_pred[i].rank() > 0 && y_pred[i].dim(-1) == 1 && d.b.Preimage(y_pred[i].id, "fusebox/softmax") != 0) {
      return d.Fail(
          fmt::format("output '{}': a softmax of one unit is always 1: expected two units or more, or a sigmoid, "
                      "got {}",
                      OutputNames(d.model)[i], ToString(y_pred[i].type())));
    }
  }
  const Value penalties = WritePenalties(d);
  const HostBuilder::Scope scope(d.b, "loss");
  if (each.empty()) return AddedLoss(d, penalties, y_pred[0]);
  if (each.size() == 1 && !each[0].output->weight) {
    const auto& [output, of_samples, weight, mask] = each[0];
    const ReducedLoss reduced = ReduceLoss(d.b, output->loss, of_samples, weight, mask, penalties);
    RunningLoss(d, reduced.share, reduced.samples, "loss");
    return reduced.loss;
  }
  return SumOfLosses(d, each, several, penalties);
}

}  // namespace fusebox
