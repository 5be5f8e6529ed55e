// SPDX-License-Identifier: Apache-2.0
#include "fusebox/plugins/optimizers/adam.h"

namespace fusebox {
namespace {

class AdamW final : public Adam {
 public:
  using Adam::Adam;
};

FUSEBOX_PLUGIN(
    AdamW, {.id = "fusebox/adamw",
            .doc = "Adam with decoupled weight decay.",
            .attributes = {
                sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
                sdk::Float("weight_decay", 0.004)
                    .Min(0)
                    .Doc("subtracts this fraction of each variable, times the learning rate"),
                sdk::Float("beta_1", 0.9).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean"),
                sdk::Float("beta_2", 0.999).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean square"),
                sdk::Float("epsilon", 1e-7).Min(0).ProgramScalar().Doc("added to the root"),
                sdk::Bool("amsgrad", false).Doc("divides by the largest mean square so far"),
            }});

}  // namespace
}  // namespace fusebox
