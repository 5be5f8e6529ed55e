// SPDX-License-Identifier: Apache-2.0
// Compares the layers with Keras's, by numbers from tests/python/make_keras_items.py, and tests messages for wrong
// inputs.
#include <cmath>
#include <set>

#include "tests/plugins/keras_items.h"
#include "tests/plugins/plugins.h"
#include "tests/support/random_graph.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr double kRelative = 1e-5, kAbsolute = 2e-6;

// One layer on a batch shaped like Keras's inputs, in training or not.
Expansion Layer(const std::string& words, const std::vector<Literal>& inputs, bool training) {
  std::vector<Type> types;
  for (const Literal& x : inputs) {
    types.push_back({x.dtype(), Shape(x.shape().begin(), x.shape().end())});
    types.back().shape[0] = kBatch;
  }
  return Expansion(BuiltIns(), FB_LAYER, words, types, "it", training);
}

// The weights of a program in Keras's order: trained ones first.
std::vector<std::string> WeightNames(const Graph& graph) {
  std::vector<std::string> names;
  for (const bool trainable : {true, false}) {
    for (NodeId id = 1; id < graph.size(); ++id) {
      const AttributeMap& a = graph[id].attributes;
      if (graph[id].op == Op::kState && a.String("kind") == "weight" && a.Flag("trainable") == trainable) {
        names.push_back(a.String("name"));
      }
    }
  }
  return names;
}

// The numeric attributes of the item, and the model's seed and step.
std::map<std::string, Literal> Scalars(const std::string& words, const Graph& graph) {
  std::map<std::string, Literal> states;
  const ItemSpec spec = *BuiltIns().Resolve(FB_LAYER, Spec(words));
  for (NodeId id = 1; id < graph.size(); ++id) {
    const AttributeMap& a = graph[id].attributes;
    if (graph[id].op != Op::kState || a.String("kind") == "weight") continue;
    const std::string name = a.String("name");
    if (a.String("initializer") == "attribute") {
      const double number[] = {std::get<double>(spec.attributes.at(name.substr(name.rfind('/') + 1)))};
      states.emplace(name, Literal::FromDoubles(graph[id].type.dtype, {}, number));
    } else {
      states.emplace(name, Literal::Scalar(int64_t{name == "seed" ? 3 : 5}));
    }
  }
  return states;
}

struct Case {
  std::vector<Literal> inputs;
  Literal y;
  std::map<std::string, Literal> arrays;  // "weight 0", "training", "after 0"
};
std::map<std::string, Case> Cases() {
  std::map<std::string, Case> cases;
  for (const auto& [name, value] : KerasArrays("keras_items/layers.npz")) {
    const size_t blank = name.find(' ');
    Case& of = cases[name.substr(0, blank)];
    const std::string what = name.substr(blank + 1);
    if (what.starts_with("x")) {
      of.inputs.push_back(value);
    } else {
      (what == "y" ? of.y : of.arrays[what]) = value;
    }
  }
  return cases;
}

TEST(Layers, AreKerass) {
  const std::map<std::string, Case> cases = Cases();
  EXPECT_EQ(cases.size(), 63u);
  for (const auto& [words, keras] : cases) {
    for (const bool training : {false, true}) {
      if (training && !keras.arrays.contains("training")) continue;
      const std::string what = words + (training ? ", training" : "");
      const Expansion e = Layer(words, keras.inputs, training);
      ASSERT_EQ(e.error(), "") << what;
      const Graph& graph = e.builder.graph();
      Bindings bindings = {.inputs = {}, .states = Scalars(words, graph), .batch = keras.inputs[0].shape()[0]};
      for (size_t i = 0; i < keras.inputs.size(); ++i) bindings.inputs[std::string(1, char('a' + i))] = keras.inputs[i];
      const std::vector<std::string> weights = WeightNames(graph);
      for (size_t i = 0; i < weights.size(); ++i) {
        bindings.states[weights[i]] = keras.arrays.at("weight " + std::to_string(i));
      }
      EXPECT_FALSE(keras.arrays.contains("weight " + std::to_string(weights.size()))) << what;
      ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(graph, bindings));
      ExpectClose(got.outputs.at("y"), training ? keras.arrays.at("training") : keras.y, kRelative, kAbsolute, what);
      for (size_t i = 0; training && i < weights.size(); ++i) {
        const auto after = got.states.find(weights[i]);
        ExpectClose(after != got.states.end() ? after->second : bindings.states[weights[i]],
                    keras.arrays.at("after " + std::to_string(i)), kRelative, kAbsolute, what + ": " + weights[i]);
      }
    }
  }
}

TEST(Layers, HaveTheGradientsOfFiniteDifferences) {
  std::set<std::string> all = {"alpha_dropout:rate=0.3", "gaussian_noise:stddev=0.5", "gaussian_dropout:rate=0.3"};
  const std::map<std::string, Case> cases = Cases();
  for (const auto& [words, keras] : cases) all.insert(words);
  for (const std::string& words : all) {
    const auto known = cases.find(words);
    std::vector<Literal> x = {Literal(DType::kF32, {5, 4})};
    if (known != cases.end()) x = known->second.inputs;
    for (const bool training : {false, true}) {
      const Expansion e = Layer(words, x, training);
      ASSERT_EQ(e.error(), "") << words;
      const Graph graph = Widened(e.builder.graph());
      if (graph[graph.outputs()[0].value].type.dtype != DType::kF64) continue;  // Indices of bins.
      const bool ids = x[0].dtype() == DType::kI32;
      Bindings bindings = RandomBindings(graph, 5, ids ? x[0].shape()[0] : 6);
      if (ids) bindings.inputs["a"] = x[0];
      for (const auto& [name, value] : Scalars(words, graph)) bindings.states[name] = value;
      for (auto& [name, value] : bindings.states) {
        if (name.ends_with("variance"))
          value = Literal::FromDoubles(DType::kF64, value.shape(), std::vector<double>(size_t(value.size()), 0.7));
      }
      ExpectGradientsOf(graph, bindings, words + (training ? ", training" : ""));
    }
  }
}

TEST(BatchNormalization, LeavesItsStatisticsAloneWhereItIsFrozen) {
  for (const bool frozen : {false, true}) {
    HostBuilder b;
    const Value x = b.Input("x", F32({kBatch, 4}));
    b.Output("y", ExpandItem(b, BuiltIns(), FB_LAYER, Spec("batch_normalization"), {x}, "it", true, frozen));
    ASSERT_OK(b.status());
    EXPECT_EQ(b.graph().updates().size(), frozen ? 0u : 2u);
    EXPECT_EQ(b.graph().FindNamed(Op::kState, "it/momentum") == 0, frozen);
  }
}

// A layer's result for ones, in training.
std::vector<double> OfOnes(const std::string& words, Sizes shape, int64_t seed = 3, int64_t step = 5) {
  Literal x = Literal::FromDoubles(
      DType::kF32, shape, std::vector<double>(size_t(shape[0] * shape[1] * (shape.size() > 2 ? shape[2] : 1)), 1.0));
  const Expansion e = Layer(words, {x}, true);
  EXPECT_EQ(e.error(), "") << words;
  Bindings bindings = {.inputs = {{"a", x}}, .states = Scalars(words, e.builder.graph()), .batch = shape[0]};
  for (auto& [name, value] : bindings.states) {
    if (name == "seed") value = Literal::Scalar(seed);
    if (name.ends_with("step") || name.ends_with("iterations")) value = Literal::Scalar(step);
  }
  const absl::StatusOr<Evaluation> got = Evaluate(e.builder.graph(), bindings);
  EXPECT_OK(got);
  return got->outputs.at("y").ToDoubles();
}

struct Moments {
  double mean = 0, variance = 0;
};
Moments MomentsOf(const std::vector<double>& v) {
  Moments m;
  for (const double x : v) m.mean += x / double(v.size());
  for (const double x : v) m.variance += (x - m.mean) * (x - m.mean) / double(v.size());
  return m;
}

TEST(Dropout, DropsTheShareAndKeepsTheMean) {
  const std::vector<double> y = OfOnes("dropout:rate=0.3", {400, 100});
  const auto dropped = std::ranges::count(y, 0.0);
  EXPECT_NEAR(double(dropped) / 40000, 0.3, 0.01);
  for (const double v : y) EXPECT_TRUE(v == 0 || std::abs(v - 1 / 0.7) < 1e-6) << v;
  EXPECT_EQ(OfOnes("dropout:rate=0", {2, 3}), std::vector<double>(6, 1.0));
  EXPECT_EQ(OfOnes("dropout:rate=1", {2, 3}), std::vector<double>(6, 0.0));
}

TEST(Dropout, FollowsSeedAndStep) {
  const auto mask = [](const char* words, int64_t seed, int64_t step) { return OfOnes(words, {8, 20}, seed, step); };
  EXPECT_EQ(mask("dropout:rate=0.5", 3, 5), mask("dropout:rate=0.5", 3, 5));
  EXPECT_NE(mask("dropout:rate=0.5", 3, 5), mask("dropout:rate=0.5", 4, 5));
  EXPECT_NE(mask("dropout:rate=0.5", 3, 5), mask("dropout:rate=0.5", 3, 6));
  // With its own seed, it does not use the model's.
  EXPECT_EQ(mask("dropout:rate=0.5,seed=9", 3, 5), mask("dropout:rate=0.5,seed=9", 4, 5));
  EXPECT_NE(mask("dropout:rate=0.5,seed=9", 3, 5), mask("dropout:rate=0.5,seed=9", 3, 6));
  EXPECT_NE(mask("dropout:rate=0.5,seed=9", 3, 5), mask("dropout:rate=0.5,seed=8", 3, 5));
}

TEST(Dropout, SharesTheMaskAlongAxesOfSizeOne) {
  for (const char* words : {"dropout:rate=0.5,noise_shape=[-1;1;-1]", "spatial_dropout1d:rate=0.5"}) {
    const std::vector<double> y = OfOnes(words, {6, 5, 7});
    for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], y[i / 35 * 35 + i % 7]) << words;
    EXPECT_GT(std::ranges::count(y, 0.0), 0) << words;
    EXPECT_GT(std::ranges::count(y, 2.0), 0) << words;
  }
}

TEST(Noise, HasItsMoments) {
  const Moments noise = MomentsOf(OfOnes("gaussian_noise:stddev=0.5", {400, 100}));
  EXPECT_NEAR(noise.mean, 1, 0.01);
  EXPECT_NEAR(noise.variance, 0.25, 0.01);
  const Moments dropout = MomentsOf(OfOnes("gaussian_dropout:rate=0.2", {400, 100}));
  EXPECT_NEAR(dropout.mean, 1, 0.01);
  EXPECT_NEAR(dropout.variance, 0.25, 0.01);
}

// Tested on normal numbers, for which it is designed.
TEST(AlphaDropout, KeepsMeanAndVariance) {
  const Expansion e(BuiltIns(), FB_LAYER, "alpha_dropout:rate=0.3", {F32({kBatch, 100})}, "it", true);
  const Literal x = Literal::FromDoubles(DType::kF32, {400, 100}, [] {
    std::vector<double> v = OfOnes("gaussian_noise:stddev=1", {400, 100});
    for (double& n : v) n -= 1;
    return v;
  }());
  Bindings bindings = {
      .inputs = {{"a", x}}, .states = Scalars("alpha_dropout:rate=0.3", e.builder.graph()), .batch = 400};
  bindings.states["seed"] = Literal::Scalar(int64_t{77});
  ASSERT_OK_AND_ASSIGN(const Evaluation got, Evaluate(e.builder.graph(), bindings));
  const Moments m = MomentsOf(got.outputs.at("y").ToDoubles());
  EXPECT_NEAR(m.mean, 0, 0.02);
  EXPECT_NEAR(m.variance, 1, 0.03);
}

TEST(Layers, SayWhatIsWrong) {
  const auto error = [](const char* words, const Type& type) {
    return Expansion(BuiltIns(), FB_LAYER, words, {type}, "it").error();
  };
  const Type row = F32({kBatch, 6}), cube = F32({kBatch, 3, 4}), flat = F32({kBatch});
  for (const char* words : {"dropout", "alpha_dropout", "gaussian_dropout", "spatial_dropout1d"}) {
    for (const char* rate : {"1.5", "-0.1", "nan"}) {
      EXPECT_THAT(error(fmt::format("{}:rate={}", words, rate).c_str(), cube),
                  AllOf(HasSubstr(fmt::format("layer fusebox/{}@1", words)),
                        HasSubstr(": attribute 'rate' must be a float in [0, 1], got")));
    }
    EXPECT_THAT(error(words, cube), HasSubstr("needs attribute 'rate', a float in [0, 1]"));
  }
  EXPECT_THAT(error("dropout:rte=0.5", row), HasSubstr("has no attribute 'rte': did you mean 'rate'?"));
  EXPECT_THAT(error("dropout:rate=half", row), HasSubstr("attribute 'rate' must be a float in [0, 1], got 'half'"));
  EXPECT_THAT(Expansion(BuiltIns(), FB_LAYER, "dropout:rate=0.5,noise_shape=[-1;2]", {row}, "it", true).error(),
              HasSubstr("expects 1, -1 or 6 in axis 1 of noise_shape, got 2"));
  EXPECT_THAT(Expansion(BuiltIns(), FB_LAYER, "dropout:rate=0.5,noise_shape=[1]", {row}, "it", true).error(),
              HasSubstr("expects a noise_shape of 2 numbers for f32[N,6], got 1"));
  EXPECT_THAT(error("gaussian_noise:stddev=2", row), HasSubstr("attribute 'stddev' must be a float in [0, 1], got 2"));
  EXPECT_THAT(error("gaussian_dropout:rate=1", row), HasSubstr("expects a rate below 1"));
  EXPECT_THAT(error("spatial_dropout1d:rate=0.5", row),
              HasSubstr("expects input [batch, steps, channels], got f32[N,6]"));
  for (const char* words : {"batch_normalization", "layer_normalization", "group_normalization", "rms_normalization",
                            "unit_normalization", "softmax"}) {
    EXPECT_THAT(error(fmt::format("{}:axis=2", words).c_str(), row),
                HasSubstr("expects an axis from -2 to 1 for f32[N,6], got 2"));
    EXPECT_THAT(error(fmt::format("{}:axis=0", words).c_str(), row),
                HasSubstr("expects an axis of fixed size, got axis 0 of f32[N,6]"));
  }
  EXPECT_THAT(error("layer_normalization:axis=[1;-1]", row), HasSubstr("expects one or more axes without repetition"));
  EXPECT_THAT(error("batch_normalization", flat), HasSubstr("expects input [batch, ...], got f32[N]"));
  EXPECT_THAT(error("batch_normalization:epsilon=-1", row),
              HasSubstr("attribute 'epsilon' must be a float of at least 0"));
  EXPECT_THAT(error("group_normalization:groups=4", row),
              HasSubstr("expects a number of groups that divides the 6 channels of f32[N,6], got 4"));
  EXPECT_THAT(error("reshape:target_shape=[4;-1]", row),
              HasSubstr("cannot make samples of 6 elements, as in f32[N,6], into target_shape [4, -1]"));
  EXPECT_THAT(error("reshape:target_shape=[-1;-1]", row), HasSubstr("expects at most one -1 in target_shape, got 2"));
  EXPECT_THAT(error("permute:dims=[1;3]", cube),
              HasSubstr("expects dims that are a permutation of 1 to 2, got [1, 3]"));
  EXPECT_THAT(error("permute:dims=[2;1]", row), HasSubstr("expects input of rank 3 for dims [2, 1], got f32[N,6]"));
  EXPECT_THAT(error("repeat_vector:n=0", row), HasSubstr("attribute 'n' must be an int of at least 1, got 0"));
  EXPECT_THAT(error("repeat_vector:n=2", cube), HasSubstr("expects input [batch, features], got f32[N,3,4]"));
  EXPECT_THAT(error("prelu:shared_axes=[2]", row), HasSubstr("expects shared_axes from 1 to 1 for f32[N,6], got 2"));
  const auto merge_error = [](const char* words, const Type& a, const Type& b) {
    return Expansion(BuiltIns(), FB_LAYER, words, {a, b}, "it").error();
  };
  for (const char* words : {"add", "multiply", "average", "maximum", "minimum", "concatenate"}) {
    EXPECT_THAT(error(words, row), HasSubstr("expects 2 or more inputs, got 1")) << words;
  }
  EXPECT_THAT(error("subtract", row), HasSubstr("expects 2 inputs, got 1"));
  EXPECT_THAT(merge_error("dense:units=2", row, row), HasSubstr("takes one input, got 2"));
  EXPECT_THAT(merge_error("add", row, F32({kBatch, 5})), HasSubstr("shapes [N,6] and [N,5] do not broadcast together"));
  for (const char* words : {"add", "multiply", "average", "maximum", "subtract"}) {  // Integers beside floats.
    EXPECT_EQ(Expansion(BuiltIns(), FB_LAYER, words, {I32({kBatch, 6}), row}, "it").type(), "f32[N,6]") << words;
  }
  EXPECT_THAT(merge_error("concatenate", row, cube), HasSubstr("expects inputs of one rank"));
  EXPECT_THAT(merge_error("concatenate:axis=2", row, row),
              HasSubstr("expects an axis from -2 to 1 for f32[N,6], got 2"));
  EXPECT_THAT(merge_error("dot:axes=1", row, cube),
              HasSubstr("expects axes of one size, got 6 of f32[N,6] and 3 of f32[N,3,4]"));
  const auto operation_error = [&](const std::string& call, const Type& type) {
    return error(Print({"operation", {{"call", call}}}).c_str(), type);
  };
  EXPECT_THAT(operation_error("nothing", row), HasSubstr("expects a call with a class_name, got"));
  EXPECT_THAT(operation_error(R"({"class_name": "Fft"})", row), HasSubstr("does not know the operation keras.ops.fft"));
  EXPECT_THAT(operation_error(R"({"class_name": "Sum", "args": [{"value": 0}]})", row),
              HasSubstr("folds the batch of f32[N,6], expected axes of a sample"));
  EXPECT_THAT(operation_error(R"({"class_name": "Sum", "config": {"axis": 2}, "args": [{"value": 0}]})", row),
              HasSubstr("expects an axis from -2 to 1, got 2"));
  EXPECT_THAT(operation_error(R"({"class_name": "Exp", "args": ["text"]})", row),
              HasSubstr("expects a value or numbers as argument 1, 'x', got \"text\""));
  EXPECT_THAT(operation_error(R"({"class_name": "Add", "args": [1, 2]})", row),
              HasSubstr("expects a value among its operands"));
  EXPECT_THAT(
      operation_error(R"({"class_name": "Reshape", "config": {"newshape": [-1, 7]}, "args": [{"value": 0}]})", row),
      HasSubstr("expects a shape of 6 numbers a sample, got 7"));
  EXPECT_THAT(operation_error(R"({"class_name": "GetItem", "args": [{"value": 0}, [0]]})", row),
              HasSubstr("takes a part of the batch, which is not supported"));
  EXPECT_THAT(operation_error(R"({"class_name": "Transpose", "args": [{"value": 0}]})", row),
              HasSubstr("expects an order of all axes of f32[N,6] that keeps the batch first"));
  EXPECT_THAT(operation_error(R"({"class_name": "Cast", "config": {"dtype": "float16"}, "args": [{"value": 0}]})", row),
              HasSubstr("expects dtype float32, float64, int32, int64, uint8 or bool, got \"float16\""));
  EXPECT_THAT(error("embedding:input_dim=0,output_dim=2", row),
              HasSubstr("attribute 'input_dim' must be an int in [1, 2147483647], got 0"));
  EXPECT_THAT(error("embedding:input_dim=3", row), HasSubstr("needs attribute 'output_dim', an int of at least 1"));
  EXPECT_THAT(error("category_encoding", row), HasSubstr("needs attribute 'num_tokens', an int in [1, 2147483647]"));
  EXPECT_THAT(error("category_encoding:num_tokens=3,output_mode=onehot", row),
              HasSubstr("expects output_mode one_hot, multi_hot or count, got 'onehot'"));
  EXPECT_THAT(error("category_encoding:num_tokens=3,sparse=true", row), HasSubstr("expects sparse=false"));
  EXPECT_THAT(error("category_encoding:num_tokens=3", cube),
              HasSubstr("expects input [batch, length] for output_mode multi_hot, got f32[N,3,4]"));
  EXPECT_THAT(merge_error("category_encoding:num_tokens=3", row, row),
              HasSubstr("takes count_weights only with output_mode count, got multi_hot"));
  EXPECT_THAT(merge_error("category_encoding:num_tokens=3,output_mode=count", row, F32({kBatch, 5})),
              HasSubstr("expects count_weights like its input f32[N,6], got f32[N,5]"));
  EXPECT_THAT(error("discretization:num_bins=3", row), HasSubstr("expects bin_boundaries: give them, or num_bins and "
                                                                 "Adapt the layer to data"));
  EXPECT_THAT(error("discretization:bin_boundaries=[1;0]", row),
              HasSubstr("expects bin_boundaries in ascending order"));
  EXPECT_THAT(error("discretization:bin_boundaries=[0],output_mode=bins", row),
              HasSubstr("expects output_mode int, one_hot, multi_hot or count, got 'bins'"));
  EXPECT_THAT(error("discretization:bin_boundaries=[0],output_mode=count", flat),
              HasSubstr("expects input [batch, length] for output_mode count, got i32[N]"));
  EXPECT_THAT(error("normalization:axis=0", row), HasSubstr("expects an axis of fixed size, got axis 0 of f32[N,6]"));
  EXPECT_THAT(error("normalization:mean=1", row), HasSubstr("expects both mean and variance, or neither"));
  EXPECT_THAT(error("normalization:mean=[1;2],variance=[1;2]", row),
              HasSubstr("expects 6 numbers as mean for f32[N,6], or one, got 2"));
  EXPECT_THAT(error("activity_regularization:l1=-1", row), HasSubstr("attribute 'l1' must be a float of at least 0"));
  EXPECT_THAT(error("masking", flat), HasSubstr("expects input [batch, ..., features], got f32[N]"));
  EXPECT_THAT(error("time_distributed", cube), HasSubstr("needs attribute 'layer', the name of a known layer"));
  EXPECT_THAT(error("time_distributed:layer=flatten", row),
              HasSubstr("expects input [batch, time, ...] of rank 3 or more, got f32[N,6]"));
  EXPECT_THAT(error("time_distributed:layer='dense:unit=3'", cube), HasSubstr("did you mean 'units'"));
  EXPECT_THAT(error("time_distributed:layer=activity_regularization", cube),
              HasSubstr("takes no activity_regularization, whose penalty Keras drops inside this layer"));
  EXPECT_THAT(Expansion(BuiltIns(), FB_LAYER, "time_distributed:layer=batch_normalization", {cube}, "it", true).error(),
              HasSubstr("cannot train batch_normalization step by step"));
  EXPECT_THAT(error("activation", row), HasSubstr("needs attribute 'activation', the name of a known activation"));
  EXPECT_THAT(error("activation:activation=rellu", row), HasSubstr("did you mean 'relu'"));
}

}  // namespace
}  // namespace fusebox::testing
