// SPDX-License-Identifier: Apache-2.0
// A user's model with a layer of a third-party plugin. As a program, it declares the model and prints its table.
#include <fusebox/fusebox.h>

#include <cstdio>

namespace fb = fusebox;

absl::StatusOr<fb::Sequential> Build(const fb::sdk::Attributes& attributes) {
  fb::Sequential model({fb::Flatten({.input_shape = {28, 28}}),
                        fb::Layer("acme/gated_dense", {{"units", attributes.Int("units")}}), fb::Dense(10, "softmax")},
                       {.name = "gated_mlp"});
  const absl::Status compiled = model.Compile(
      {.optimizer = "acme/sign_momentum", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  if (!compiled.ok()) return compiled;
  return model;
}

FUSEBOX_MODEL(Build, {.id = "gated_mlp",
                      .doc = "A classifier with one gated layer.",
                      .attributes = {fb::sdk::Int("units", 30).Min(1).Doc("width of the gated layer")}});

int main() {
  fb::Sequential model({fb::Flatten({.input_shape = {28, 28}}), fb::Layer("acme/gated_dense", {{"units", 30}})});
  std::printf("%s", model.Summary().c_str());
  return model.status().ok() ? 0 : 1;
}
