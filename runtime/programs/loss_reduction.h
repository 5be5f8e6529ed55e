// SPDX-License-Identifier: Apache-2.0
// Reduces the losses of samples to one number for the batch, as the loss's attribute `reduction` says in Keras's terms:
//
//     sum_over_batch_size, mean    the mean of each * weight, over all samples; the default
//     sum                          the sum of each * weight
//     mean_with_sample_weight      sum(each * weight) / sum(weight); the mean, if samples have no weights
//
// A sample with several losses, f32[N, ...], counts with their mean, or for "sum" with their sum. If the weights are
// those of steps, f32[N, steps], each step has its own weight. If the output has a mask, the losses of steps that it
// leaves out are 0, and means are taken over the other steps.
#pragma once
#include "fusebox/runtime/describe/item_spec.h"
#include "fusebox/runtime/expand/host_builder.h"

namespace fusebox {

struct ReducedLoss {
  Value loss;     // f32[]: what training minimizes.
  Value share;    // f32[]: the same times the number of samples, which is what the mean over an epoch adds up.
  Value samples;  // f32[]
};

// `each` is f32[N, ...], `weight` f32[N], f32[N, steps] or the error value, if there are no weights; `mask`, likewise,
// is bool[N, ...]; `penalties` are added to the loss of a batch. Errors: an unknown reduction; weights of steps for a
// loss without steps; a mask of another shape than the losses.
ReducedLoss ReduceLoss(HostBuilder& b, const ItemSpec& loss, Value each, Value weight, Value mask, Value penalties);

}  // namespace fusebox
