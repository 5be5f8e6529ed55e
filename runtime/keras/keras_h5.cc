// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras_h5.h"

#include <algorithm>
#include <map>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/hdf5_reader.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/keras/keras2_config.h"
#include "fusebox/runtime/keras/keras_config.h"

namespace fusebox {
namespace {

class Reader {
 public:
  Reader(Hdf5Content content, const std::string& who) : texts_(std::move(content.texts)), who_(who) {
    for (NamedTensor& dataset : content.datasets) datasets_[dataset.name] = std::move(dataset.value);
  }

  absl::StatusOr<KerasH5> Read() {
    KerasH5 file;
    FUSEBOX_ASSIGN_OR_RETURN(file.config, ReadConfig());
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<std::string> names, Names("model_weights@layer_names"));
    for (const std::string& name : names) {
      FUSEBOX_ASSIGN_OR_RETURN(std::vector<Tensor> weights, Weights("model_weights/" + name));
      if (!weights.empty()) file.layers.push_back({Keras2LayerName(name), std::move(weights)});
    }
    if (texts_.contains("optimizer_weights@weight_names")) {
      FUSEBOX_ASSIGN_OR_RETURN(file.optimizer_vars, Weights("optimizer_weights"));
      FUSEBOX_ASSIGN_OR_RETURN(file.optimizer_names, Names("optimizer_weights@weight_names"));
    }
    return file;
  }

 private:
  absl::StatusOr<ModelConfig> ReadConfig() const {
    if (!texts_.contains("@model_config")) {
      return Refuse("{}: has no model_config: expected a whole model, as model.save writes it, not weights alone",
                    who_);
    }
    FUSEBOX_ASSIGN_OR_RETURN(Json model, JsonOf("@model_config"));
    if (!model.is_object()) return Refuse("{}: model_config: an object expected", who_);
    if (texts_.contains("@training_config")) {
      FUSEBOX_ASSIGN_OR_RETURN(Json compile, JsonOf("@training_config"));
      if (!compile.is_object()) return Refuse("{}: training_config: an object expected", who_);
      if (compile.contains("optimizer_config")) compile["optimizer"] = Json(compile["optimizer_config"]);
      model["compile_config"] = std::move(compile);
    }
    SetShapesOfNormalizations(model);
    std::string version;
    if (texts_.contains("@keras_version")) {
      FUSEBOX_ASSIGN_OR_RETURN(const Json text, ParseJson(texts_.at("@keras_version"), who_));
      if (text.is_string()) version = text.get<std::string>();
    }
    return ParseKerasConfig(JsonText(model), who_ + ": model_config", version);
  }

  // Says for which shape a Normalization layer was built: its weights tell, the description does not.
  void SetShapesOfNormalizations(Json& model) const {
    if (!Member(model, "config").is_structured()) return;
    Json& config = model["config"];
    if (config.is_object() && !config.contains("layers")) return;
    for (Json& layer : config.is_array() ? config : config["layers"]) {
      if (StringMember(layer, "class_name") != "Normalization" || layer.contains("build_config")) continue;
      const std::string group = "model_weights/" + StringMember(Member(layer, "config"), "name");
      if (!texts_.contains(group + "@weight_names")) continue;
      const absl::StatusOr<std::vector<Tensor>> weights = Weights(group);
      if (!weights.ok() || weights->empty() || weights->front().rank() != 1) continue;
      layer["build_config"] = {{"input_shape", {nullptr, weights->front().shape()[0]}}};
    }
  }

  // Parses the JSON in an attribute's text.
  absl::StatusOr<Json> JsonOf(const std::string& attribute) const {
    const std::string who = fmt::format("{}: {}", who_, attribute.substr(1));
    FUSEBOX_ASSIGN_OR_RETURN(const Json text, ParseJson(texts_.at(attribute), who));
    if (!text.is_string()) return Refuse("{}: a text expected, got a list", who);
    return ParseJson(text.get<std::string>(), who);
  }

  // Reads a list of texts. Keras cuts a long list into pieces, with numbers behind the name.
  absl::StatusOr<std::vector<std::string>> Names(const std::string& attribute) const {
    std::vector<std::string> names;
    std::vector<std::string> pieces;
    if (texts_.contains(attribute)) pieces.push_back(attribute);
    for (size_t i = 0; texts_.contains(attribute + std::to_string(i)); ++i)
      pieces.push_back(attribute + std::to_string(i));
    if (pieces.empty()) return Refuse("{}: '{}' is missing", who_, attribute);
    for (const std::string& piece : pieces) {
      FUSEBOX_ASSIGN_OR_RETURN(const Json list, ParseJson(texts_.at(piece), who_));
      if (!list.is_array()) return Refuse("{}: '{}': a list of names expected", who_, piece);
      for (const Json& name : list) names.push_back(name.get<std::string>());
    }
    return names;
  }

  absl::StatusOr<std::vector<Tensor>> Weights(const std::string& group) const {
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<std::string> names, Names(group + "@weight_names"));
    std::vector<Tensor> weights;
    for (const std::string& name : names) {
      const auto dataset = datasets_.find(group + "/" + name);
      if (dataset == datasets_.end()) return Refuse("{}: the weight '{}/{}' is missing", who_, group, name);
      weights.push_back(dataset->second);
    }
    return weights;
  }

  std::map<std::string, std::string> texts_;
  std::map<std::string, Tensor> datasets_;
  const std::string& who_;
};

}  // namespace

absl::StatusOr<KerasH5> ParseKerasH5(std::string_view bytes, const std::string& who) {
  FUSEBOX_ASSIGN_OR_RETURN(Hdf5Content content, ReadHdf5WithTexts(bytes, who));
  return Reader(std::move(content), who).Read();
}

}  // namespace fusebox
