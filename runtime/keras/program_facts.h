// SPDX-License-Identifier: Apache-2.0
// What a program's text (.fbg) says about its model, besides the symbols:
//
//   program {input = "input_layer f32[28,28]", layer.000.flatten = "fusebox/flatten@1", layer.001.dense = "...",
//            loss = "...", metric.000 = "...", model = "net", optimizer = "...", plugin.fusebox/layers = "0.1.0"}
//
// A layer whose weights Fit does not change is named `frozen.001.dense`. A model that is not a plain stack stands as
// JSON, as in .keras files: config = "{...}". Symbols of items that the reader may lack are kept too: kept_symbols.h.
#pragma once
#include "absl/status/statusor.h"
#include "fusebox/graph/graph.h"
#include "fusebox/runtime/describe/model_config.h"

namespace fusebox {

void WriteFacts(const ModelConfig& model, Graph& program);
// The model that the facts describe. Error: there are none, or they are broken.
absl::StatusOr<ModelConfig> ReadFacts(const Graph& program);

}  // namespace fusebox
