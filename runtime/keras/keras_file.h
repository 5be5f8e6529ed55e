// SPDX-License-Identifier: Apache-2.0
// Keras 3's native files: .keras, a zip archive of config.json, metadata.json and model.weights.h5, and the .weights.h5
// alone.
//
// runtime/keras/ is models in Keras's words: their description as JSON (keras_config.h), files of Keras 3 (here) and of
// Keras 1 and 2 (keras_h5.h), and the facts of a program's text, which has the same JSON (program_facts.h). Of runtime/
// it sees data/, files/, describe/, plugins/ and programs/.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/tensor.h"
#include "fusebox/runtime/describe/model_config.h"

namespace fusebox {

// A layer's weights in the order in which the layer made them, as Keras's: kernel, bias.
struct WeightGroup {
  std::string layer_name;  // "encoder/dense" of a layer within a model within the model.
  std::string class_name;  // "Dense". In the file a group is named by class and number, not by layer: dense, dense_1.
  std::vector<Tensor> vars;
  std::string path = {};  // "layers/functional/layers/dense"; if it is empty, class and number say it.
  // Which group within the layer's own each of vars lies in: "", or "/activation" of those of a layer that serves as
  // the layer's activation. Those of the layer itself come first. Empty: all lie in the layer's own.
  std::vector<std::string> places = {};
};

// The groups of a model's layers (LeafLayers), without weights.
std::vector<WeightGroup> GroupsOf(const ModelConfig& config);

struct KerasFile {
  ModelConfig config;
  std::vector<WeightGroup> layers;     // As GroupsOf has them, also for layers without weights.
  std::vector<Tensor> optimizer_vars;  // i64 iteration, f32 learning rate, then the slots; empty if not compiled.
  // Of an optimizer within that one, which optimizer_vars ends with: written again, in a group of their own. Never
  // read.
  std::vector<Tensor> inner_optimizer_vars = {};
  std::string fusebox_metadata;  // JSON of our own, key "fusebox" in metadata.json; empty for none.
};

// Equal contents give equal bytes: nothing in the file tells when it was written, unless SOURCE_DATE_EPOCH says so.
// The file is replaced whole or not at all. Error: groups that do not fit the layers, metadata that is no JSON.
absl::Status WriteKeras(const std::string& path, const KerasFile& file);
absl::StatusOr<std::string> KerasBytes(const KerasFile& file);

// What Keras or WriteKeras wrote. Errors name the file and what is wrong in it: no archive, a damaged or missing
// member, a layer or kind of model that is not supported, weights that belong to no layer. The caller checks whether
// the shapes fit the layers.
absl::StatusOr<KerasFile> ReadKeras(const std::string& path);
// `on_config`, if given, sees the description before the weights are unpacked and read. It returns how many bytes they may
// take, beside a few times the file's size, or an error.
absl::StatusOr<KerasFile> ParseKeras(std::string_view bytes, const std::string& who,
                                     const std::function<absl::StatusOr<uint64_t>(KerasFile&)>& on_config = {});

// The weights alone. A path that ends in .weights.json names the files with the parts, as Keras's save_weights with
// max_shard_size writes them. For reading, `layers` says which layers there are (name and class); their vars are ignored.
struct KerasWeights {
  std::vector<WeightGroup> layers;
  std::vector<Tensor> optimizer_vars, inner_optimizer_vars = {};
};
absl::Status WriteKerasWeights(const std::string& path, const KerasWeights& weights);
absl::StatusOr<std::string> KerasWeightsBytes(const KerasWeights& weights);
absl::StatusOr<KerasWeights> ReadKerasWeights(const std::string& path, std::vector<WeightGroup> layers);
absl::StatusOr<KerasWeights> ParseKerasWeights(std::string_view bytes, const std::string& who,
                                               std::vector<WeightGroup> layers);

}  // namespace fusebox
