// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/loss_reduction.h"

#include "fusebox/graph/ops.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

std::string ReductionOf(const ItemSpec& loss) {
  const std::string* const text = TextAttribute(loss, "reduction");
  return text != nullptr ? *text : "sum_over_batch_size";
}

// The weights of samples against [N, ...] of this rank.
Value Column(Value weight, int64_t rank) {
  Dims dims(size_t(rank), 1);
  dims[0] = weight.dim(0);
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
    batch = Select(Equal(valid, 0), 0, batch / valid);
  }
  if (penalties.ok()) batch = batch + penalties;
  return {batch, batch * samples, samples};
}

}  // namespace

ReducedLoss ReduceLoss(GraphBuilder& b, const ItemSpec& loss, Value each, Value weight, Value mask, Value penalties) {
  const std::string reduction = ReductionOf(loss);
  const bool sums = reduction == "sum";
  const bool by_weight = reduction == "mean_with_sample_weight" && (weight.ok() || mask.ok());
  if (!sums && !by_weight && reduction != "sum_over_batch_size" && reduction != "mean" &&
      reduction != "mean_with_sample_weight") {
    const Value error =
        b.Wrap(b.Fail(fmt::format("loss {}: expects reduction sum_over_batch_size, mean, sum or "
                                  "mean_with_sample_weight, got '{}'",
                                  loss.id, reduction)));
    return {error, error, error};
  }
  if (mask.ok()) {
    if (mask.dims() == each.dims()) return ReduceMasked(sums, by_weight, each, weight, mask, penalties);
    const Value error = b.Wrap(b.Fail(fmt::format("loss {}: makes {}, for which the mask {} of the output does not fit",
                                                  loss.id, ToString(each.type()), ToString(mask.type()))));
    return {error, error, error};
  }
  Dims inner;
  for (int64_t i = 1; i < each.rank(); ++i) inner.push_back(i);
  if (!inner.empty()) each = sums ? Sum(each, inner) : Mean(each, inner);
  if (weight.ok()) each = each * weight;
  const Value sum = Sum(each, {0}), samples = Extent(each, {0});
  if (!sums && !by_weight) {
    return {penalties.ok() ? sum / samples + penalties : sum / samples,
            penalties.ok() ? sum + penalties * samples : sum, samples};
  }
  Value batch = sum;
  if (by_weight) {
    const Value weights = Sum(weight, {0});
    batch = Select(Equal(weights, 0), 0, sum / weights);
  }
  if (penalties.ok()) batch = batch + penalties;
  return {batch, batch * samples, samples};
}

}  // namespace fusebox
