// SPDX-License-Identifier: Apache-2.0
// A model with a recurrent layer of a third-party plugin, which reads an image row by row.
#include <fusebox/fusebox.h>

namespace fb = fusebox;

absl::StatusOr<fb::Sequential> Build() {
  fb::Sequential model(
      {fb::Input({28, 28}), fb::Layer("acme/simple_recurrent", {{"units", 32}}), fb::Dense(10, "softmax")},
      {.name = "rows_of_pictures"});
  const absl::Status compiled =
      model.Compile({.optimizer = "adam", .loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}});
  if (!compiled.ok()) return compiled;
  return model;
}

FUSEBOX_MODEL(Build, {.id = "rows_of_pictures", .doc = "A classifier that reads pictures row by row."});

int main() { return Build().ok() ? 0 : 1; }
