// SPDX-License-Identifier: Apache-2.0
// Updates of weights are computed in the kernels of the products (or sums) that make their gradients, so that no
// gradient goes through memory, for any optimizer.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "fusebox/compiler/fuse/fuse.h"
#include "fusebox/compiler/passes/pipeline.h"
#include "fusebox/fusebox.h"
#include "fusebox/graph/text.h"
#include "fusebox/runtime/plugins/registry.h"
#include "gmock/gmock.h"
#include "tests/support/status.h"

namespace fusebox::testing {
namespace {

// The weights whose new values are not made by the kernel of their gradient, or whose kernel stores more than new
// values of states.
std::set<std::string> WeightsApart(const std::string& optimizer) {
  Sequential model({Dense(64, "relu", {.input_shape = {96}}), Dense(32, "tanh"), Dense(8)}, {.seed = 1});
  EXPECT_OK(model.Compile({.optimizer = optimizer, .loss = "mean_squared_error"}));
  const absl::StatusOr<Graph> program = model.Program(ProgramKind::kTraining);
  EXPECT_OK(program);
  std::vector<PassReport> reports;
  const absl::StatusOr<Graph> graph = RunGraphPasses(*program, {}, reports);
  EXPECT_OK(graph);
  const absl::StatusOr<FusedProgram> fused = Fuse(*graph);
  EXPECT_OK(fused);
  std::set<NodeId> new_values;
  for (const Graph::Update& update : fused->graph.updates()) new_values.insert(StorageOf(fused->graph, update.value));
  std::set<std::string> apart;
  int weights = 0;
  for (const Graph::Update& update : fused->graph.updates()) {
    const Node& state = fused->graph[update.state];
    if (state.attributes.String("kind") != "weight") continue;
    ++weights;
    const NodeId value = StorageOf(fused->graph, update.value);
    const auto makes_it = [&](const Kernel& k) { return std::ranges::find(k.stored, value) != k.stored.end(); };
    const auto kernel = std::ranges::find_if(fused->kernels, makes_it);
    if (kernel == fused->kernels.end()) {
      ADD_FAILURE() << "no kernel stores the new value of " << state.attributes.String("name");
      continue;
    }
    // The gradient of a matrix is a product; that of a bias, a sum over the batch.
    const bool with_gradient =
        state.type.rank() == 2 ? kernel->kind == KernelKind::kMatMul : kernel->kind == KernelKind::kColumns;
    const bool states_alone = std::ranges::all_of(kernel->stored, [&](NodeId id) { return new_values.contains(id); });
    if (!with_gradient || !states_alone) apart.insert(state.attributes.String("name"));
  }
  EXPECT_EQ(weights, 6);
  return apart;
}

const std::set<std::string> kNone = {};

// For these, part of the update is still a separate kernel. Delete an entry when it is fused.
const std::set<std::string> kApartToday = {
    "adam:use_ema=true,ema_overwrite_frequency=3",
    "adam:gradient_accumulation_steps=4",
    "rmsprop:gradient_accumulation_steps=4,use_ema=true,clipvalue=1,weight_decay=0.1",
};

void ExpectFused(const std::string& optimizer) {
  const std::set<std::string> apart = WeightsApart(optimizer);
  if (kApartToday.contains(optimizer)) {
    EXPECT_NE(apart, kNone) << optimizer << " need not be in kApartToday any more";
  } else {
    EXPECT_EQ(apart, kNone) << optimizer;
  }
}

TEST(OptimizerStructure, UpdatesAreFusedIntoTheGradientsProducts) {
  // These need the whole gradient (or values derived from it) before they can use any of it: its norm, its means, or
  // whether all of it is finite.
  const std::set<std::string> needs_all = {"fusebox/lamb", "fusebox/adafactor", "fusebox/muon",
                                           "fusebox/loss_scale_optimizer"};
  int checked = 0;
  for (const PluginItem* item : Registry::Default().items()) {
    if (item->kind != FB_OPTIMIZER || !item->id.starts_with("fusebox/") || needs_all.contains(item->id)) continue;
    ExpectFused(item->id);
    ++checked;
  }
  EXPECT_GE(checked, 4);
}

TEST(OptimizerStructure, SoAreTheArgumentsThatAllOptimizersHave) {
  for (const std::string optimizer :
       {"sgd:momentum=0.9,nesterov=true", "adam:amsgrad=true", "rmsprop:momentum=0.9,centered=true",
        "adam:weight_decay=0.01", "adam:clipvalue=0.5", "sgd:loss_scale_factor=1024", "adam:use_ema=true",
        "adam:use_ema=true,ema_overwrite_frequency=3", "adam:gradient_accumulation_steps=4",
        "rmsprop:gradient_accumulation_steps=4,use_ema=true,clipvalue=1,weight_decay=0.1"}) {
    ExpectFused(optimizer);
  }
}

TEST(OptimizerStructure, NormsNeedAllOfAGradientFirst) {
  for (const char* optimizer :
       {"sgd:clipnorm=1", "sgd:global_clipnorm=1", "lamb", "muon", "loss_scale_optimizer:inner_optimizer=sgd"}) {
    EXPECT_THAT(WeightsApart(optimizer), ::testing::IsSupersetOf({"dense/kernel", "dense_1/kernel", "dense_2/kernel"}))
        << optimizer;
  }
}

}  // namespace
}  // namespace fusebox::testing
