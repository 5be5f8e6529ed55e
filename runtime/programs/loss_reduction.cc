// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/loss_reduction.h"

#include "fusebox/graph/ops.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

std::string ReductionOf(const ItemSpec& loss) {
  const std::string* const text = TextAttribute(loss, "reduction");
  return text != nullptr ? *text : "sum_over_batch_size";
}

// Reshapes the weights of samples, or of their steps, so that they broadcast to [N, ...] of this rank.
Value Column(Value weight, int64_t rank) {
  Dims dims = weight.dims();
  dims.resize(size_t(rank), 1);
  return Reshape(weight, dims);
}

// As Keras's apply_mask.
ReducedLoss ReduceMasked(bool sums, bool by_weight, Value each, Value weight, Value mask, Value penalties) {
  Value counts = Cast(mask, each.dtype());
  if (weight.ok()) counts = counts * Column(weight, each.rank());
  Dims all;
  for (int64_t i = 0; i < each.rank(); ++i) all.push_back(i);
  const Value samples = Extent(each, {0});
  Value batch = Sum(Select(mask, each, 0) * counts, all);
  if (!sums) {
    const Value valid = by_weight ? Sum(counts, all) : Sum(Cast(mask, each.dtype()), all);
    batch = DivideNoNan(batch, valid);
  }
  if (penalties.ok()) batch = batch + penalties;
  return {batch, batch * samples, samples};
}

}  // namespace

ReducedLoss ReduceLoss(HostBuilder& b, const ItemSpec& loss, Value each, Value weight, Value mask, Value penalties) {
  const auto fail = [&b](std::string message) {
    const Value error = b.Wrap(b.Fail(std::move(message)));
    return ReducedLoss{error, error, error};
  };
  const std::string reduction = ReductionOf(loss);
  const bool sums = reduction == "sum";
  const bool by_weight = reduction == "mean_with_sample_weight" && (weight.ok() || mask.ok());
  if (!sums && !by_weight && reduction != "sum_over_batch_size" && reduction != "mean" &&
      reduction != "mean_with_sample_weight") {
    return fail(
        fmt::format("loss {}: expects reduction sum_over_batch_size, mean, sum or mean_with_sample_weight, got '{}'",
                    loss.id, reduction));
  }
  const int64_t weighed = weight.ok() ? weight.rank() : 1;  // How many axes the weights have.
  if (weighed > each.rank()) {
    return fail(fmt::format("loss {}: gives {}, and sample_weight is {}: it has no number for each step", loss.id,
                            ToString(each.type()), ToString(weight.type())));
  }
  if (mask.ok()) {
    if (mask.dims() == each.dims()) return ReduceMasked(sums, by_weight, each, weight, mask, penalties);
    return fail(fmt::format("loss {}: makes {}, for which the mask {} of the output does not fit", loss.id,
                            ToString(each.type()), ToString(mask.type())));
  }
  Dims inner, steps;
  for (int64_t i = 1; i < each.rank(); ++i) (i < weighed ? steps : inner).push_back(i);
  if (!inner.empty()) each = sums ? Sum(each, inner) : Mean(each, inner);
  if (weight.ok()) each = each * weight;
  if (!steps.empty()) each = sums || by_weight ? Sum(each, steps) : Mean(each, steps);
  const Value sum = Sum(each, {0}), samples = Extent(each, {0});
  if (!sums && !by_weight) {
    return {penalties.ok() ? sum / samples + penalties : sum / samples,
            penalties.ok() ? sum + penalties * samples : sum, samples};
  }
  Value batch = sum;
  if (by_weight) {
    steps.insert(steps.begin(), 0);
    const Value weights = Sum(weight, steps);
    batch = DivideNoNan(sum, weights);
  }
  if (penalties.ok()) batch = batch + penalties;
  return {batch, batch * samples, samples};
}

}  // namespace fusebox
