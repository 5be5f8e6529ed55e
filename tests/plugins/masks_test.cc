// SPDX-License-Identifier: Apache-2.0
// Which layers set masks, which pass them on, and their effect on losses and metrics.
// tests/runtime/keras_training_test.cc compares training with masks with Keras.
#include <cmath>

#include "fusebox/runtime/programs/loss_reduction.h"
#include "tests/plugins/plugins.h"

namespace fusebox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// An item whose inputs have masks: "a" that of "mask_a", unless it is left out.
struct MaskedItem {
  MaskedItem(uint32_t kind, std::string_view words, const std::vector<Type>& inputs, const std::vector<bool>& masked,
             bool training = false) {
    Values values;
    std::vector<NodeId> masks;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const std::string name(1, char('a' + i));
      values.push_back(b.Input(name, inputs[i]));
      Type mask{DType::kBool, Shape(inputs[i].shape.begin(), inputs[i].shape.end() - 1)};
      masks.push_back(masked[i] ? b.Input("mask_" + name, mask).id : 0);
    }
    b.masks = masks;
    const Value y = ExpandItem(b, BuiltIns(), kind, Spec(words), values, "it", training);
    b.Output("y", y);
    if (b.mask != 0) b.Output("mask", b.Wrap(b.mask));
  }
  std::string error() const { return std::string(b.status().message()); }
  std::string mask_type() const { return b.mask == 0 ? "none" : ToString(b.graph()[b.mask].type); }

  HostBuilder b;
};

Literal Bools(const Sizes& shape, const std::vector<double>& v) { return Literal::FromDoubles(DType::kBool, shape, v); }
Literal Floats(const Sizes& shape, const std::vector<double>& v) { return Literal::FromDoubles(DType::kF32, shape, v); }

std::vector<double> Output(const HostBuilder& b, std::map<std::string, Literal> inputs, const std::string& name,
                           std::map<std::string, Literal> states = {}) {
  const int64_t batch = inputs.begin()->second.shape()[0];
  const absl::StatusOr<Evaluation> got =
      Evaluate(b.graph(), {.inputs = std::move(inputs), .states = std::move(states), .batch = batch});
  EXPECT_OK(got);
  return got.ok() ? got->outputs.at(name).ToDoubles() : std::vector<double>{};
}

TEST(Masks, ComeFromMaskingAndEmbedding) {
  const MaskedItem masking(FB_LAYER, "masking:mask_value=2", {F32({kBatch, 2, 2})}, {false});
  EXPECT_EQ(masking.mask_type(), "bool[N,2]");
  EXPECT_THAT(Output(masking.b, {{"a", Floats({1, 2, 2}, {2, 2, 2, 1})}}, "mask"), ElementsAre(0, 1));
  const MaskedItem embedding(FB_LAYER, "embedding:input_dim=3,output_dim=1,mask_zero=true", {I32({kBatch, 3})},
                             {false});
  EXPECT_EQ(embedding.mask_type(), "bool[N,3]");
  EXPECT_THAT(Output(embedding.b, {{"a", Literal::FromDoubles(DType::kI32, {1, 3}, std::vector<double>{2, 0, 1})}},
                     "mask", {{"it/embeddings", Floats({3, 1}, {1, 2, 3})}}),
              ElementsAre(1, 0, 1));
  EXPECT_EQ(MaskedItem(FB_LAYER, "embedding:input_dim=3,output_dim=1", {I32({kBatch, 3})}, {false}).mask_type(),
            "none");
}

// An id outside the table gives NaN, as in Keras on JAX; a negative id counts from the end.
TEST(Embedding, GivesNanForIdsOutside) {
  for (const DType dtype : {DType::kI32, DType::kI64, DType::kF32}) {
    const Expansion e(BuiltIns(), FB_LAYER, "embedding:input_dim=3,output_dim=1", {{dtype, {kBatch}}}, "it");
    const double far = dtype == DType::kI64 ? 4294967296.0 : 3;  // As an i32 it would be 0.
    const std::vector<double> y =
        Output(e.builder, {{"a", Literal::FromDoubles(dtype, {5}, std::vector<double>{2, -1, -3, far, -4})}}, "y",
               {{"it/embeddings", Floats({3, 1}, {10, 20, 30})}});
    EXPECT_THAT(std::vector<double>(y.begin(), y.begin() + 3), ElementsAre(30, 30, 10));
    EXPECT_TRUE(std::isnan(y[3]) && std::isnan(y[4]));
  }
}

TEST(Masks, AreMergedAsInKeras) {
  const Type x = F32({kBatch, 2, 1});
  const std::map<std::string, Literal> inputs = {{"a", Floats({1, 2, 1}, {1, 2})},
                                                 {"b", Floats({1, 2, 1}, {3, 4})},
                                                 {"mask_a", Bools({1, 2}, {0, 1})},
                                                 {"mask_b", Bools({1, 2}, {0, 0})}};
  for (const char* words : {"add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate"}) {
    const MaskedItem both(FB_LAYER, words, {x, x}, {true, true});
    EXPECT_THAT(Output(both.b, inputs, "mask"), ElementsAre(0, 1)) << words;
  }
  EXPECT_EQ(MaskedItem(FB_LAYER, "add", {x, x}, {true, false}).mask_type(), "none");
  EXPECT_EQ(MaskedItem(FB_LAYER, "dot:axes=1", {x, x}, {true, true}).mask_type(), "none");
  const MaskedItem in_time(FB_LAYER, "concatenate:axis=1", {x, x}, {true, true});
  EXPECT_THAT(Output(in_time.b, inputs, "mask"), ElementsAre(0, 1, 0, 0));
  // An input without a mask counts everywhere.
  std::map<std::string, Literal> one = inputs;
  one.erase("mask_b");
  const MaskedItem part(FB_LAYER, "concatenate:axis=1", {x, x}, {true, false});
  EXPECT_THAT(Output(part.b, one, "mask"), ElementsAre(0, 1, 1, 1));
}

TEST(BatchNormalization, LeavesOutMaskedSteps) {
  const MaskedItem norm(FB_LAYER, "batch_normalization:epsilon=0,center=false,scale=false,momentum=0",
                        {F32({kBatch, 3, 1})}, {true}, true);
  ASSERT_EQ(norm.error(), "");
  const std::vector<double> y =
      Output(norm.b, {{"a", Floats({1, 3, 1}, {1, 100, 3})}, {"mask_a", Bools({1, 3}, {1, 0, 1})}}, "y",
             {{"it/moving_mean", Floats({1}, {0})},
              {"it/moving_variance", Floats({1}, {1})},
              {"it/momentum", Literal::Scalar(0.0f)}});
  EXPECT_NEAR(y[0], -1, 1e-5);
  EXPECT_NEAR(y[2], 1, 1e-5);
}

TEST(Masks, SayWhatDoesNotFit) {
  const Type x = F32({kBatch, 2, 3});
  HostBuilder norm, joined, other;
  norm.masks = {norm.Input("mask", {DType::kBool, {kBatch}}).id};
  ExpandItem(norm, BuiltIns(), FB_LAYER, Spec("batch_normalization"), {norm.Input("x", x)}, "it");
  EXPECT_THAT(std::string(norm.status().message()),
              HasSubstr("expects a mask of one axis less than f32[N,2,3], got bool[N]"));
  joined.masks = {joined.Input("mask", {DType::kBool, {kBatch}}).id, 0};
  ExpandItem(joined, BuiltIns(), FB_LAYER, Spec("concatenate"), {joined.Input("a", x), joined.Input("b", x)}, "it");
  EXPECT_THAT(std::string(joined.status().message()),
              HasSubstr("expects a mask of all axes but the last of f32[N,2,3], got bool[N]"));
  other.SetMask(other.Input("x", x));
  EXPECT_THAT(std::string(other.status().message()),
              HasSubstr("sets f32[N,2,3] as the mask of its result, bool[N, ...] expected"));
  HostBuilder metric;
  const Values data = {metric.Input("a", F32({kBatch, 3, 1})), metric.Input("b", F32({kBatch, 3, 1}))};
  metric.masks = {0, metric.Input("mask", {DType::kBool, {kBatch, 2}}).id};
  ExpandItem(metric, BuiltIns(), FB_METRIC, Spec("mean_absolute_error"), data, "it");
  EXPECT_THAT(std::string(metric.status().message()),
              HasSubstr("expects one value or more for each step of the mask bool[N,2], got f32[N,3]"));
  EXPECT_THAT(MaskedItem(FB_LAYER, "softmax", {F32({kBatch, 2, 3})}, {true}).error(),
              HasSubstr(": expects no mask, got bool[N,2]: use the activation softmax"));
}

// The mean over the steps that count; the weight of a sample applies to all its steps.
TEST(Masks, WeighLosses) {
  const auto reduced = [](const char* loss, bool weighted, const std::vector<double>& mask) {
    HostBuilder b;
    const Value each = b.Input("each", F32({kBatch, 2}));
    const Value weight = weighted ? b.Input("weight", F32({kBatch})) : b.Wrap(0);
    const Value of_steps = b.Input("mask", {DType::kBool, {kBatch, 2}});
    b.Output("loss", ReduceLoss(b, Spec(loss), each, weight, of_steps, b.Wrap(0)).loss);
    EXPECT_OK(b.status());
    std::map<std::string, Literal> inputs = {{"each", Floats({2, 2}, {1, 2, 4, 8})}, {"mask", Bools({2, 2}, mask)}};
    if (weighted) inputs.emplace("weight", Floats({2}, {1, 10}));
    return Output(b, inputs, "loss")[0];
  };
  EXPECT_EQ(reduced("mse", false, {1, 0, 1, 1}), 13.0f / 3);
  EXPECT_EQ(reduced("mse", false, {0, 0, 0, 0}), 0);
  EXPECT_EQ(reduced("mse", true, {1, 0, 0, 1}), (1 + 80) / 2.0f);
  EXPECT_EQ(reduced("mse:reduction=sum", true, {1, 0, 0, 1}), 81);
  EXPECT_EQ(reduced("mse:reduction=mean_with_sample_weight", true, {1, 0, 0, 1}), 81 / 11.0f);
  HostBuilder b;
  ReduceLoss(b, Spec("mse"), b.Input("each", F32({kBatch})), b.Wrap(0), b.Input("mask", {DType::kBool, {kBatch, 2}}),
             b.Wrap(0));
  EXPECT_THAT(std::string(b.status().message()),
              HasSubstr("loss mse: makes f32[N], for which the mask bool[N,2] of the output does not fit"));
}

TEST(Masks, LeaveOutWhatMetricsCount) {
  HostBuilder b;
  const Value y_true = b.Input("a", F32({kBatch, 2, 1})), y_pred = b.Input("b", F32({kBatch, 2, 1}));
  b.masks = {0, b.Input("mask", {DType::kBool, {kBatch, 2}}).id};
  b.Output("y", ExpandItem(b, BuiltIns(), FB_METRIC, Spec("mean_absolute_error"), {y_true, y_pred}, "it"));
  ASSERT_OK(b.status());
  std::map<std::string, Literal> states;
  for (const char* name : {"it/total", "it/count"}) states.emplace(name, Literal::Scalar(0.0));
  EXPECT_THAT(Output(b,
                     {{"a", Floats({2, 2, 1}, {0, 0, 0, 0})},
                      {"b", Floats({2, 2, 1}, {1, 50, 2, 6})},
                      {"mask", Bools({2, 2}, {1, 0, 1, 1})}},
                     "y", states),
              ElementsAre(3));
}

}  // namespace
}  // namespace fusebox::testing
