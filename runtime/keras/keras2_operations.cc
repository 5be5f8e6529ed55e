// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras2_operations.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

// A setting of the function and what Keras 3 calls it; "" ends the list.
struct Setting {
  std::string_view name, in_keras3;
};

struct Counterpart {
  std::string_view function;                      // "math.multiply" of tf.math.multiply.
  std::string_view class_name;                    // Keras 3's.
  std::array<std::string_view, 2> operands = {};  // Names of the second and third argument, which may be values.
  std::array<Setting, 3> settings = {};
};

constexpr std::array<Setting, 3> kFolds = {{{"axis", "axis"}, {"keepdims", "keepdims"}}};
constexpr std::array<Setting, 3> kAxis = {{{"axis", "axis"}}};

constexpr Counterpart kCounterparts[] = {
    {"__operators__.add", "Add", {"y"}},
    {"math.add", "Add", {"y"}},
    {"math.subtract", "Subtract", {"y"}},
    {"math.multiply", "Multiply", {"y"}},
    {"math.divide", "TrueDivide", {"y"}},
    {"math.truediv", "TrueDivide", {"y"}},
    {"math.floordiv", "FloorDivide", {"y"}},
    {"math.pow", "Power", {"y"}},
    {"math.maximum", "Maximum", {"y"}},
    {"math.minimum", "Minimum", {"y"}},
    {"math.equal", "Equal", {"y"}},
    {"math.not_equal", "NotEqual", {"y"}},
    {"math.greater", "Greater", {"y"}},
    {"math.greater_equal", "GreaterEqual", {"y"}},
    {"math.less", "Less", {"y"}},
    {"math.less_equal", "LessEqual", {"y"}},
    {"math.logical_and", "LogicalAnd", {"y"}},
    {"math.logical_or", "LogicalOr", {"y"}},
    {"math.logical_not", "LogicalNot"},
    {"where", "Where", {"x", "y"}},
    {"linalg.matmul", "Matmul", {"b"}},
    {"math.negative", "Negative"},
    {"math.abs", "Absolute"},
    {"math.sign", "Sign"},
    {"math.square", "Square"},
    {"math.sqrt", "Sqrt"},
    {"math.rsqrt", "Rsqrt"},
    {"math.reciprocal", "Reciprocal"},
    {"math.exp", "Exp"},
    {"math.expm1", "Expm1"},
    {"math.log", "Log"},
    {"math.log1p", "Log1p"},
    {"math.floor", "Floor"},
    {"math.ceil", "Ceil"},
    {"math.round", "Round"},
    {"math.tanh", "Tanh"},
    {"math.sinh", "Sinh"},
    {"math.cosh", "Cosh"},
    {"math.erf", "Erf"},
    {"math.sigmoid", "Sigmoid"},
    {"math.softplus", "Softplus"},
    {"nn.relu", "Relu"},
    {"nn.relu6", "Relu6"},
    {"nn.elu", "Elu"},
    {"nn.selu", "Selu"},
    {"nn.silu", "Silu"},
    {"nn.gelu", "Gelu", {}, {{{"approximate", "approximate"}}}},
    {"nn.leaky_relu", "LeakyRelu", {}, {{{"alpha", "negative_slope"}}}},
    {"nn.softsign", "Softsign"},
    {"nn.softmax", "Softmax", {}, kAxis},
    {"nn.log_softmax", "LogSoftmax", {}, kAxis},
    {"math.reduce_sum", "Sum", {}, kFolds},
    {"math.reduce_mean", "Mean", {}, kFolds},
    {"math.reduce_max", "Max", {}, kFolds},
    {"math.reduce_min", "Min", {}, kFolds},
    {"math.reduce_any", "Any", {}, kFolds},
    {"math.reduce_all", "All", {}, kFolds},
    {"math.reduce_std", "Std", {}, kFolds},
    {"math.reduce_variance", "Var", {}, kFolds},
    {"math.reduce_logsumexp", "Logsumexp", {}, kFolds},
    {"math.argmax", "Argmax", {}, kAxis},
    {"math.argmin", "Argmin", {}, kAxis},
    {"reshape", "Reshape", {}, {{{"shape", "newshape"}}}},
    {"transpose", "Transpose", {}, {{{"perm", "axes"}}}},
    {"compat.v1.transpose", "Transpose", {}, {{{"perm", "axes"}}}},
    {"concat", "Concatenate", {}, kAxis},
    {"stack", "Stack", {}, kAxis},
    {"expand_dims", "ExpandDims", {}, kAxis},
    {"squeeze", "Squeeze", {}, kAxis},
    {"compat.v1.squeeze", "Squeeze", {}, kAxis},
    {"cast", "Cast", {}, {{{"dtype", "dtype"}}}},
    {"clip_by_value", "Clip", {}, {{{"clip_value_min", "x_min"}, {"clip_value_max", "x_max"}}}},
    {"tile", "Tile", {}, {{{"multiples", "repeats"}}}},
    {"repeat", "Repeat", {}, {{{"repeats", "repeats"}, {"axis", "axis"}}}},
    {"one_hot", "OneHot", {}, {{{"depth", "num_classes"}, {"axis", "axis"}}}},
    {"zeros_like", "ZerosLike"},
    {"ones_like", "OnesLike"},
    {"stop_gradient", "StopGradient"},
    {"__operators__.getitem", "GetItem", {"slice_spec"}},
};

// Settings whose value changes nothing.
bool SaysNothing(std::string_view name, const Json& value) {
  return value.is_null() || name == "name" || (value == false && name != "keepdims" && name != "approximate");
}

bool IsHistory(const Json& json) {
  return json.is_array() && json.size() >= 3 && json[0].is_string() && json[1].is_number_integer();
}

// A value, or a constant as in ["_CONSTANT_VALUE", -1, 2.0].
Json Argument(const Json& json) {
  if (!IsHistory(json)) return json;
  if (json[0] == "_CONSTANT_VALUE") return json[2];
  return {{"class_name", "__keras_tensor__"}, {"config", {{"keras_history", {json[0], json[1], json[2]}}}}};
}

// [slice, 2, ...] as Keras 3 writes it.
Json Slices(const Json& spec) {
  Json items = Json::array();
  for (const Json& each : spec.is_array() ? spec : Json::array({spec})) {
    const bool is_slice = each.is_object() && !each.contains("class_name");
    items.push_back(is_slice ? Json{{"class_name", "__slice__"}, {"config", each}} : each);
  }
  return items;
}

// Adds a call's keyword arguments to the node, or to the settings of all calls.
absl::Status AddArguments(const Counterpart& counterpart, const Json& keywords, const std::string& who, Json& args,
                          Json& config) {
  for (const std::string_view operand : counterpart.operands) {
    const Json& given = Member(keywords, std::string(operand));
    if (operand.empty() || given.is_null()) continue;
    args.push_back(operand == "slice_spec" ? Slices(given) : Argument(given));
  }
  for (const auto& [name, value] : keywords.items()) {
    if (SaysNothing(name, value) ||
        std::ranges::find(counterpart.operands, std::string_view(name)) != counterpart.operands.end()) {
      continue;
    }
    const auto setting = std::ranges::find(counterpart.settings, std::string_view(name), &Setting::name);
    if (setting == counterpart.settings.end())
      return Refuse("{}: called with {} = {}, which is not supported", who, name, Excerpt(value));
    config[std::string(setting->in_keras3)] = value;
  }
  return absl::OkStatus();
}

}  // namespace

std::string KerasModuleOf(std::string_view class_name) {
  const auto among = [&](std::initializer_list<std::string_view> classes) {
    return std::ranges::find(classes, class_name) != classes.end();
  };
  if (among({"Cast", "StopGradient"})) return "keras.src.ops.core";
  if (among({"Erf", "Logsumexp", "Rsqrt"})) return "keras.src.ops.math";
  if (among({"Elu", "Gelu", "LeakyRelu", "LogSoftmax", "OneHot", "Relu", "Relu6", "Selu", "Sigmoid", "Silu", "Softmax",
             "Softplus", "Softsign"}))
    return "keras.src.ops.nn";
  return "keras.src.ops.numpy";
}

bool IsKeras2Operation(const Json& layer) {
  const std::string class_name = StringMember(layer, "class_name");
  return class_name == "TFOpLambda" || class_name == "SlicingOpLambda";
}

absl::StatusOr<Json> UpgradeKeras2Operation(const Json& layer, const std::string& who) {
  const std::string function = StringMember(Member(layer, "config"), "function");
  const auto counterpart = std::ranges::find(kCounterparts, std::string_view(function), &Counterpart::function);
  if (counterpart == std::end(kCounterparts))
    return Refuse("{}: the operation tf.{} is not supported: use a layer in its place", who, function);
  Json config = Json::object(), nodes = Json::array();
  for (Json node : Member(layer, "inbound_nodes")) {
    // One call is a value or [value, value, ...]; values have the call's keyword arguments behind them.
    if (IsHistory(node)) node = Json::array({node});
    if (node.is_array() && node.size() == 1 && node[0].is_array() && !IsHistory(node[0])) node = Json(node[0]);
    if (!node.is_array() || node.empty() || !std::ranges::all_of(node, IsHistory))
      return Refuse("{}: a call as in [[\"x\", 0, 0, {{}}]] expected, got {}", who, Excerpt(node));
    const bool takes_list = counterpart->class_name == "Concatenate" || counterpart->class_name == "Stack";
    Json args = Json::array();
    for (const Json& value : node) args.push_back(Argument(value));
    if (takes_list) args = Json::array({std::move(args)});
    const Json keywords = node[0].size() > 3 ? node[0][3] : Json::object();
    FUSEBOX_RETURN_IF_ERROR(AddArguments(*counterpart, keywords, who, args, config));
    nodes.push_back({{"args", std::move(args)}, {"kwargs", Json::object()}});
  }
  // Defaults that differ from Keras 3's.
  if (function == "nn.leaky_relu" && !config.contains("negative_slope")) config["negative_slope"] = 0.2;
  if (function == "nn.gelu" && !config.contains("approximate")) config["approximate"] = false;
  return Json{{"module", KerasModuleOf(counterpart->class_name)},
              {"class_name", std::string(counterpart->class_name)},
              {"config", std::move(config)},
              {"inbound_nodes", std::move(nodes)}};
}

}  // namespace fusebox
