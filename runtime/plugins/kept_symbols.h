// SPDX-License-Identifier: Apache-2.0
// The symbols of strangers' items and of C++ functions (see expansions.h), written down beside the model that needs them: in
// the metadata of .keras files, in what a model's library says, and in programs' texts (.fbg).
#pragma once
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/runtime/model/model_impl.h"

namespace fusebox {

// All that the model's programs use for its usual data. C++ functions that are losses and metrics are kept for classes and
// for samples' weights besides, as far as they take them.
Expansions CollectExpansions(const Model::Impl& model);

// A JSON object with a member more, "expansions": {"layer acme/gated@1:units=30 (f32[N,784])": "%0 = ...", ...}. Without
// expansions it stays as it is.
std::string WithExpansions(const std::string& json, const Expansions& expansions);
// Those that such an object has. Error: its member is something else.
absl::StatusOr<Expansions> ExpansionsIn(std::string_view json, const std::string& who);

// The same for a program, of which they are one fact more.
void WriteExpansions(const Expansions& expansions, Graph& program);
absl::StatusOr<Expansions> ReadExpansions(const Graph& program);

// Whether the model has items whose symbols are kept, those that attributes name included.
bool UsesOthersItems(const ModelConfig& model);
// Whether one of its layers, losses or metrics is a C++ function.
bool UsesFunctions(const ModelConfig& model);

}  // namespace fusebox
