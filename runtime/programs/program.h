// SPDX-License-Identifier: Apache-2.0
// The programs of a model, as symbols: training, evaluation and prediction. Each is one step on a batch of N rows.
//
//   training     order i32[N] -> rows of x and y -> layers -> losses and penalties -> gradients -> optimizer; losses
//                and metrics of the epoch so far; step and other counters
//   evaluation   x, y -> layers -> losses and metrics so far
//   prediction   x -> layers -> y
//
// x and y are the caller's arrays as they are: the program casts what it takes of them, x to the dtype of the model's
// input and y to i32 for losses that take classes, else to f32. Where a model has several, see InputPorts and
// OutputPorts; targets are there for the outputs that have a loss or metrics.
//
// A mask (of Masking or Embedding) says which steps of a value count. It goes with the value from layer to layer, into
// models within and out of them. Losses and metrics leave out the steps that do not count.
//
// States: weights "dense/kernel", "encoder/dense/kernel" of a model within; what the optimizer keeps,
// "optimizer/learning_rate" and "optimizer/dense/kernel/momentum"; of penalties, "losses/dense/kernel/l2"; accumulators
// "loss/total", "loss/main_output/total", "metrics/accuracy/count"; "loss/main_output/weight"; the counter "step";
// "seed".
//
// runtime/programs/ turns a model's description into graphs: the layers (forward.h), losses (losses.h,
// loss_reduction.h, penalties.h), metrics (metrics.h), the optimizer (optimizer_program.h). What goes into a program
// and what comes out is ports.h. Of runtime/ it sees data/, describe/, plugins/ and expand/.
#pragma once
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/runtime/describe/model_config.h"
#include "fusebox/runtime/expand/kept_symbols.h"
#include "fusebox/runtime/programs/ports.h"

namespace fusebox {

// See above.
enum class ProgramKind { kTraining, kEvaluation, kPrediction };

// Whether all of the compile settings that programs of this kind need can be used: for evaluation losses and metrics, for
// training the optimizer too. Error: names the first item that cannot, and says why and what to do.
absl::Status CheckUsable(ProgramKind kind, const ModelConfig& model);

// Items are expanded by their plugins or, where one is missing, from `embedded`. Errors name the layer.
absl::StatusOr<Graph> BuildProgram(ProgramKind kind, const ModelConfig& model, const BatchTypes& types,
                                   const Expansions& embedded = {});

// In the order of CallsOf. After an error `failed`, if it is there, is the number of the call that is wrong.
absl::StatusOr<std::vector<CallTypes>> InferTypes(const ModelConfig& model, const std::vector<Type>& x,
                                                  const Expansions& embedded = {}, size_t* failed = nullptr);

}  // namespace fusebox
