// SPDX-License-Identifier: Apache-2.0
// Applies any activation as a layer of its own.
#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

class ActivationLayer final : public sdk::Layer {
 public:
  explicit ActivationLayer(const sdk::Attributes& attributes) : activation_(attributes.Activation("activation")) {}

  Value Expand(sdk::Scope&, Value x) const override { return activation_(x); }

 private:
  sdk::Reference activation_;
};

FUSEBOX_PLUGIN(ActivationLayer,
               {.id = "fusebox/activation",
                .doc = "An activation as a layer: activation(x).",
                .keeps_mask = true,
                .attributes = {
                    sdk::ActivationRef("activation").Doc("any activation: \"relu\", \"gelu:approximate=true\"")}});

}  // namespace
}  // namespace fusebox
