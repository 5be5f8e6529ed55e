// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras_input_shape.h"

#include <algorithm>
#include <string>

namespace fusebox {
namespace {

// Whether a size behind the batch is open.
bool IsOpen(const Json& shape) {
  return shape.is_array() && shape.size() > 1 &&
         std::any_of(shape.begin() + 1, shape.end(), [](const Json& dim) { return dim.is_null(); });
}

// The shape that the layer was built for; null if the file does not say.
Json BuiltFor(const Json& layer) {
  const Json& build = Member(layer, "build_config");
  const Json& shape = Member(build, "input_shape");
  return shape.is_null() ? Json(Member(build, "shape")) : Json(shape);
}

void Fill(Json& config, const Json& built) {
  for (const char* key : {"batch_shape", "batch_input_shape"}) {
    if (!IsOpen(Member(config, key)) || !built.is_array() || built.size() != config[key].size()) continue;
    for (size_t i = 1; i < built.size(); ++i) {
      if (config[key][i].is_null()) config[key][i] = Json(built[i]);
    }
  }
}

// Whether the layer is called with this input.
bool Takes(const Json& arguments, const std::string& input) {
  if (arguments.is_array() && arguments.size() >= 3 && arguments[0] == input) return true;
  return arguments.is_structured() &&
         std::any_of(arguments.begin(), arguments.end(), [&](const Json& each) { return Takes(each, input); });
}

}  // namespace

void FillInputShapes(Json& model) {
  if (!Member(Member(model, "config"), "layers").is_array()) return;
  Json& layers = model["config"]["layers"];
  const bool stack = StringMember(model, "class_name") == "Sequential";
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!Member(layers[i], "config").is_object()) continue;
    Json& config = layers[i]["config"];
    if (stack && i < 2) {
      // The InputLayer, or the first layer, which may tell the input's shape itself.
      Fill(config, BuiltFor(layers[i]));
      if (i + 1 < layers.size()) Fill(config, BuiltFor(layers[i + 1]));
      continue;
    }
    if (stack || StringMember(layers[i], "class_name") != "InputLayer") continue;
    for (const Json& layer : layers) {
      if (Takes(Member(layer, "inbound_nodes"), StringMember(config, "name"))) Fill(config, BuiltFor(layer));
    }
  }
}

}  // namespace fusebox
