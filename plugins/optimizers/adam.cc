// SPDX-License-Identifier: Apache-2.0
#include "fusebox/plugins/optimizers/adam.h"

namespace fusebox {
namespace {

FUSEBOX_PLUGIN(
    Adam, {.id = "fusebox/adam",
           .doc = "Steps along the mean gradient, divided by the root of its mean square.",
           .attributes = {
               sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
               sdk::Float("beta_1", 0.9).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean"),
               sdk::Float("beta_2", 0.999).Range(0, 1).ProgramScalar().Doc("weight of the past in the mean square"),
               sdk::Float("epsilon", 1e-7).Min(0).ProgramScalar().Doc("added to the root"),
               sdk::Bool("amsgrad", false).Doc("divides by the largest mean square so far"),
           }});

}  // namespace
}  // namespace fusebox
