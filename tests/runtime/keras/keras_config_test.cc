// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/keras/keras_config.h"

#include <nlohmann/json.hpp>

#include "fusebox/runtime/model.h"
#include "tests/support/status.h"

namespace fusebox {
namespace {

using ::fusebox::testing::StatusHasMessage;
using ::nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelConfig Mlp() {
  const std::string relu = "relu", glorot = "glorot_uniform", zeros = "zeros";
  return {.name = "mlp",
          .inputs = {{.name = "input_layer", .dtype = DType::kU8, .shape = {28, 28}}},
          .layers =
              {{.item = {"fusebox/flatten@1", {}}, .name = "flatten"},
               {.item = {"fusebox/dense@1",
                         {{"units", int64_t{300}},
                          {"activation", relu},
                          {"use_bias", true},
                          {"kernel_initializer", std::string("he_normal:seed=3")},
                          {"bias_initializer", zeros}}},
                .name = "dense",
                .trainable = false},
               {.item = {"acme/gated_dense@2",
                         {{"units", int64_t{10}}, {"rate", 0.25}, {"axes", Ints{1, 2}}, {"kind", std::string("a b")}}},
                .name = "gated"}},
          .compile = CompileConfig{.optimizer = {"fusebox/sgd@1", {{"learning_rate", 0.01}, {"nesterov", false}}},
                                   .loss = {"sparse_categorical_crossentropy", {}},
                                   .metrics = {{"accuracy", {}}, {"acme/f2@1", {}}}}};
}

TEST(KerasConfig, ReadsWhatItWrites) {
  const ModelConfig model = Mlp();
  ASSERT_OK_AND_ASSIGN(const ModelConfig back, ParseKerasConfig(KerasConfigJson(model), "f"));
  EXPECT_EQ(back, model) << KerasConfigJson(back);
}

TEST(KerasConfig, ReadsWhatItWritesWithoutInputAndCompile) {
  ModelConfig model = Mlp();
  model.inputs.clear();
  model.compile.reset();
  EXPECT_EQ(*ParseKerasConfig(KerasConfigJson(model), "f"), model);
}

TEST(KerasConfig, WritesKerasForm) {
  const json written = json::parse(KerasConfigJson(Mlp()));
  EXPECT_EQ(written["module"], "keras");
  EXPECT_EQ(written["class_name"], "Sequential");
  const json& layers = written["config"]["layers"];
  EXPECT_EQ(layers[0], json::parse(R"({"module": "keras.layers", "class_name": "InputLayer", "registered_name": null,
      "config": {"batch_shape": [null, 28, 28], "dtype": "uint8", "sparse": false, "name": "input_layer"}})"));
  EXPECT_EQ(layers[2], json::parse(R"({"module": "keras.layers", "class_name": "Dense", "registered_name": null,
      "fusebox_item": "fusebox/dense@1", "config": {
        "name": "dense", "trainable": false, "dtype": "float32", "units": 300, "activation": "relu", "use_bias": true,
        "kernel_initializer": {"module": "keras.initializers", "class_name": "HeNormal", "config": {"seed": 3}, "registered_name": null},
        "bias_initializer": {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": null}}})"));
  EXPECT_EQ(layers[3]["module"], "acme");
  EXPECT_EQ(layers[3]["class_name"], "GatedDense");
  EXPECT_EQ(layers[3]["registered_name"], "acme>GatedDense");
  EXPECT_EQ(written["compile_config"]["optimizer"]["config"],
            json::parse(R"({"name": "SGD", "learning_rate": 0.01, "nesterov": false})"));
  EXPECT_EQ(written["compile_config"]["loss"], "sparse_categorical_crossentropy");
  EXPECT_EQ(written["compile_config"]["metrics"][0], "accuracy");
  EXPECT_EQ(written["compile_config"]["metrics"][1]["registered_name"], "acme>F2");
}

TEST(KerasConfig, WritesLossesAndMetricsAsKerasFindsThem) {
  ModelConfig model = Mlp();
  model.compile->loss = {"fusebox/huber@1", {{"delta", 2.0}, {"reduction", std::string("sum")}}};
  model.compile->metrics = {{"fusebox/accuracy@1", {{"name", std::string("acc")}}},
                            {"fusebox/exact_accuracy@1", {}},
                            {"fusebox/mean_squared_error@1", {}},
                            {"fusebox/mean_squared_error@1", {{"name", std::string("mse")}}}};
  model.compile->weighted_metrics = {{"fusebox/auc@1", {{"curve", std::string("PR")}}}};
  const json written = json::parse(KerasConfigJson(model))["compile_config"];
  EXPECT_EQ(written["loss"]["class_name"], "Huber");
  EXPECT_EQ(written["loss"]["config"], json::parse(R"({"name": "huber", "delta": 2.0, "reduction": "sum"})"));
  EXPECT_EQ(written["metrics"][0], "acc");
  EXPECT_EQ(written["metrics"][1]["class_name"], "Accuracy");
  EXPECT_EQ(written["metrics"][2], "mean_squared_error");
  EXPECT_EQ(written["metrics"][3]["class_name"], "MeanSquaredError");
  EXPECT_EQ(written["metrics"][3]["config"], json::parse(R"({"name": "mse"})"));
  EXPECT_EQ(written["weighted_metrics"][0]["config"], json::parse(R"({"name": "auc", "curve": "PR"})"));
  model.compile->loss = {"fusebox/crossentropy@1", {}};
  EXPECT_EQ(json::parse(KerasConfigJson(model))["compile_config"]["loss"], "crossentropy");
}

// A model with one layer of this config.
std::string Layer(const std::string& config, const std::string& more = "") {
  return R"({"class_name": "Sequential", "config": {"layers": [{"module": "keras.layers", "class_name": "Dense", "config": {)" +
         config + "}" + more + "}]}}";
}

ItemAttributes Attributes(const std::string& config) {
  const absl::StatusOr<ModelConfig> model = ParseKerasConfig(Layer(R"("name": "d")" + config), "f");
  EXPECT_OK(model);
  return model.ok() ? model->layers[0].item.attributes : ItemAttributes{};
}

TEST(KerasConfig, LeavesOutWhatSaysNothing) {
  EXPECT_EQ(
      Attributes(
          R"(, "kernel_regularizer": null, "quantization_config": null, "data_format": "channels_last", "trainable": true,
                          "dtype": {"class_name": "DTypePolicy", "config": {"name": "float32"}})"),
      ItemAttributes());
  EXPECT_EQ(Attributes(R"(, "data_format": "channels_first")"),
            (ItemAttributes{{"data_format", std::string("channels_first")}}));
}

TEST(KerasConfig, ReadsValues) {
  EXPECT_EQ(
      Attributes(
          R"(, "a": 1, "b": 0.009999999776482582, "c": 1e-07, "d": [1, 2], "e": {"class_name": "__tuple__", "items": [3]})"),
      (ItemAttributes{{"a", int64_t{1}}, {"b", 0.01}, {"c", 1e-7}, {"d", Ints{1, 2}}, {"e", Ints{3}}}));
  EXPECT_EQ(
      Attributes(R"(, "i": {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": null}})"),
      (ItemAttributes{{"i", std::string("glorot_uniform")}}));
  EXPECT_EQ(Attributes(
                R"(, "i": {"module": "acme", "class_name": "Odd", "config": {"x": 2}, "registered_name": "acme>Odd"})"),
            (ItemAttributes{{"i", std::string("acme/odd:x=2")}}));
  EXPECT_EQ(Attributes(R"(, "activation": {"module": "builtins", "class_name": "function", "config": "relu"})"),
            (ItemAttributes{{"activation", std::string("relu")}}));
}

TEST(KerasConfig, ReadsCompileConfigs) {
  const auto parse = [](const std::string& compile) {
    return ParseKerasConfig(
        R"({"class_name": "Sequential", "config": {"layers": []}, "compile_config": )" + compile + "}", "f");
  };
  EXPECT_EQ(parse("null")->compile, std::nullopt);
  EXPECT_EQ(parse("{}")->compile, std::nullopt);
  EXPECT_EQ(parse(R"({"optimizer": "sgd", "loss": null, "metrics": null})")->compile->loss.id, "");
  const CompileConfig compile = *parse(R"({"optimizer": {"module": "keras.optimizers", "class_name": "SGD", "config": {
        "name": "sgd_1", "learning_rate": 0.5, "weight_decay": null, "use_ema": false, "ema_momentum": 0.99}},
      "loss": {"module": "keras.losses", "class_name": "MeanSquaredError", "config": {"name": "mean_squared_error", "reduction": "sum_over_batch_size"}},
      "metrics": [["accuracy", {"module": "keras.metrics", "class_name": "Precision", "config": {"name": "p", "top_k": 3}}]],
      "loss_weights": null, "weighted_metrics": null, "run_eagerly": false, "jit_compile": true})")
                                     ->compile;
  EXPECT_EQ(Print(compile.optimizer), "fusebox/sgd:learning_rate=0.5");
  EXPECT_EQ(Print(compile.loss), "fusebox/mean_squared_error");
  ASSERT_EQ(compile.metrics.size(), 2u);
  EXPECT_EQ(Print(compile.metrics[1]), "fusebox/precision:name=p,top_k=3");
  EXPECT_EQ(parse(R"({"loss": ["mse"], "metrics": "accuracy"})")->compile->loss.id, "mse");
  EXPECT_EQ(parse(R"({"loss": {"out": "mse"}, "metrics": {"out": ["mae"]}})")->compile->metrics[0].id, "mae");
  // The class and the string of this name are two different metrics; the class's own name has no effect.
  EXPECT_EQ(Print(parse(R"({"loss": "mse", "metrics": [{"class_name": "Accuracy", "config": {"name": "accuracy"}}]})")
                      ->compile->metrics[0]),
            "fusebox/exact_accuracy:name=accuracy");
  EXPECT_EQ(Print(parse(R"({"loss": "mse", "weighted_metrics": [{"class_name": "AUC", "config": {"name": "auc"}}]})")
                      ->compile->weighted_metrics[0]),
            "fusebox/auc");
  EXPECT_EQ(Print(parse(R"({"loss": "mse", "metrics": [{"class_name": "AUC", "config": {"label_weights": {
                "module": "builtins", "class_name": "__tensor__", "config": {"value": [1.0, 0.5], "dtype": "float32"}}}}]})")
                      ->compile->metrics[0]),
            "fusebox/auc:label_weights='[1.0;0.5]'");
  // What cannot be read does not take away the rest, is kept as it is, and is told when it is needed.
  const ModelConfig odd = *parse(R"({"optimizer": "adam", "loss": ["mse", "mae"], "metrics": ["mae"]})");
  ASSERT_TRUE(odd.compile.has_value());
  EXPECT_EQ(odd.compile->loss.problem, R"(f: one loss expected, got ["mse","mae"])");
  EXPECT_EQ(odd.compile->optimizer.id, "adam");
  EXPECT_EQ(odd.compile->metrics.size(), 1u);
  EXPECT_EQ(json::parse(KerasConfigJson(odd))["compile_config"]["loss"], json::parse(R"(["mse", "mae"])"));
  const CompileConfig weighted = *parse(R"({"loss": "mse", "loss_weights": [0.5]})")->compile;
  ASSERT_EQ(weighted.outputs.size(), 1u);
  EXPECT_EQ(weighted.outputs[0].loss.id, "mse");
  EXPECT_EQ(weighted.outputs[0].weight, 0.5);
  EXPECT_EQ(parse("[1]")->compile->problem, "f: compile_config: an object expected, got [1]");
  EXPECT_EQ(parse("[1]")->compile->keras_json, "[1]");
}

TEST(KerasConfig, KnowsTheInputWithoutAnInputLayer) {
  ASSERT_OK_AND_ASSIGN(
      const ModelConfig model,
      ParseKerasConfig(R"({"class_name": "Sequential", "config": {"layers": [], "build_input_shape": [null, 7]}})",
                       "f"));
  ASSERT_EQ(model.inputs.size(), 1u);
  EXPECT_THAT(model.inputs[0].shape, ElementsAre(7));
}

// A layer 'd' of the input 'i', called with the mask of `mask`; and an operation 'masks'. `output` is the model's.
std::string Masked(const std::string& mask, const std::string& output = "d") {
  const auto value = [](const std::string& layer) {
    return R"({"class_name": "__keras_tensor__", "config": {"keras_history": [")" + layer + R"(", 0, 0]}})";
  };
  return R"({"class_name": "Functional", "config": {"layers": [
      {"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [null, 3, 2]}},
      {"module": "keras.src.ops.numpy", "class_name": "NotEqual", "config": {"name": "masks"},
       "inbound_nodes": [{"args": [)" +
         value("i") + R"(, 0.0], "kwargs": {}}]},
      {"class_name": "Dense", "config": {"name": "d", "trainable": true, "units": 2},
       "inbound_nodes": [{"args": [)" +
         value("i") + R"(], "kwargs": {"mask": )" + value(mask) + R"(}}]}],
      "input_layers": [["i", 0, 0]], "output_layers": [[")" +
         output + R"(", 0, 0]]}})";
}

// Keras's own masks are not calls for us: layers handle them by themselves.
TEST(KerasConfig, LeavesOutOperationsThatMakeMasks) {
  ASSERT_OK_AND_ASSIGN(const ModelConfig model, ParseKerasConfig(Masked("masks"), "f"));
  EXPECT_EQ(model.layers.size(), 1u);
  EXPECT_EQ(model.calls, (std::vector<CallConfig>{{0, {{0, 0}}}}));
}

TEST(KerasConfig, SaysWhatIsWrong) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "f: not JSON: "},
      {"[]", "f: a Sequential or Functional model expected, got no class_name"},
      {R"({"class_name": "WideAndDeep", "config": {}})",
       "f: a Sequential or Functional model expected, got WideAndDeep"},
      {R"({"class_name": "Functional", "config": {}})", "f: config.layers: a list expected, got null"},
      {R"({"class_name": "Sequential", "config": {}})", "f: config.layers: a list expected, got null"},
      {R"({"class_name": "Sequential", "config": {"layers": [3]}})", "f: a layer with a config expected, got 3"},
      {Layer(R"("name": "d", "dtype": "int8_from_float32")"),
       "f: layer 'd': dtype float32 expected, got int8_from_float32"},
      {Layer(
           R"("name": "d", "dtype": {"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", "source_name": "float32"}})"),
       "f: layer 'd': is quantized (int8), which fusebox does not compute: save the model as it was before quantize()"},
      {Layer(R"("name": "d", "dtype": {"class_name": "DTypePolicy", "config": {"name": "complex64"}})"),
       "expected, got complex64"},
      {Layer(R"("name": "d", "layers": [])"), "f: layer 'd': a Sequential or Functional model expected, got Dense"},
      {Layer(R"("name": "d", "k": {"x": 1})"), R"(f: layer 'd': 'k': an object with class_name expected, got {"x":1})"},
      {Layer(R"("name": "d", "k": ["a"])"), "f: layer 'd': 'k': a list of numbers expected, got [\"a\"]"},
      {Layer(R"("name": "d", "k": 18446744073709551615)"), "f: layer 'd': 'k': 18446744073709551615 is too large"},
      {R"({"class_name": "Sequential", "config": {"layers": [{"class_name": "InputLayer", "config": {"name": "i", "batch_shape": [null, null]}}]}})",
       "f: InputLayer: numbers expected behind the batch, got [null,null]"},
      {R"({"class_name": "Sequential", "config": {"layers": [{"class_name": "InputLayer", "config": {"name": "i", "dtype": "string", "batch_shape": [null, 2]}}]}})",
       "f: InputLayer: dtype string is not supported"},
      {R"({"class_name": "Sequential", "config": {"layers": [{"class_name": "A", "config": {"name": "x"}}, {"class_name": "B", "config": {"name": "x"}}]}})",
       "f: two layers are named 'x'"},
      {Masked("i"), "f: layer 'd': called with a mask of one's own, 'i', which is not supported"},
      {Masked("masks", "masks"), "f: layer 'd': called with a mask of one's own, 'masks', which is not supported"}};
  for (const auto& [text, message] : cases)
    EXPECT_THAT(ParseKerasConfig(text, "f"), StatusHasMessage(HasSubstr(message))) << text;
}

// Whether they are known is asked when a model is made: see keras_compile_test.cc.
TEST(KerasConfig, ClassesOfOtherModulesKeepTheirNames) {
  ASSERT_OK_AND_ASSIGN(
      const ModelConfig model,
      ParseKerasConfig(
          R"({"class_name": "Sequential", "config": {"layers": [{"module": "my_code", "class_name": "Mine", "config": {"name": "m"}, "registered_name": "Mine"}]}})",
          "f"));
  EXPECT_EQ(model.layers[0].item.id, "my_code/mine");
  EXPECT_THAT(Model::FromConfig(model).status(), StatusHasMessage(HasSubstr("unknown layer 'my_code/mine'")));
}

TEST(KerasConfig, DeepNestingIsAnError) {
  std::string item = "1";
  for (int i = 0; i < 20; ++i) item = R"({"class_name": "A", "config": {"a": )" + item + "}}";
  EXPECT_THAT(ParseKerasItem(item, "f"), StatusHasMessage(HasSubstr("items are nested deeper than 8")));
}

TEST(KerasConfig, NamesLayersWithoutAName) {
  const std::string layer =
      R"({"class_name": "GatedDense", "registered_name": "acme>GatedDense", "config": {"units": 2}})";
  ASSERT_OK_AND_ASSIGN(
      const ModelConfig model,
      ParseKerasConfig(R"({"class_name": "Sequential", "config": {"layers": [)" + layer + "," + layer + "]}}", "f"));
  EXPECT_EQ(model.layers[0].name, "gated_dense");
  EXPECT_EQ(model.layers[1].name, "gated_dense_1");
}

TEST(KerasConfig, ParsesSingleItems) {
  EXPECT_EQ(Print(*ParseKerasItem(R"({"class_name": "Adam", "config": {"learning_rate": 0.1}})", "f")),
            "fusebox/adam:learning_rate=0.1");
  EXPECT_EQ(Print(*ParseKerasItem(R"("sgd")", "f")), "sgd");
}

}  // namespace
}  // namespace fusebox
