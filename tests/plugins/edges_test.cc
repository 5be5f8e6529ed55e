// SPDX-License-Identifier: Apache-2.0
// Losses and metrics at the edges: samples that do not count, values that never change, axes of one element, one
// sample. Where Keras has a number, ours is that number (tests/data/keras_losses/edges.npz, made by
// tests/python/make_keras_losses.py); and every item of the registry, new ones included, has finite results and
// gradients where nothing counts.
#include <cmath>

#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/runtime/programs/loss_reduction.h"
#include "tests/plugins/keras_items.h"
#include "tests/plugins/plugins.h"

namespace fusebox::testing {
namespace {

constexpr double kRelative = 1e-5, kAbsolute = 2e-6;

Type BatchOf(const Literal& data) {
  Type type{data.dtype(), Shape(data.shape().begin(), data.shape().end())};
  type.shape[0] = kBatch;
  return type;
}

Literal Zeros(int64_t samples, DType dtype = DType::kF32) {
  return Literal::FromDoubles(dtype, {samples}, std::vector<double>(size_t(samples)));
}

// Data of a kind, and which of the samples count.
struct Batch {
  const Literal &y_true, &y_pred;
  bool weights = false, mask = false;  // Those of samples that do not count.

  int64_t samples() const { return y_pred.shape()[0]; }
  Bindings Bound() const {
    return {.inputs = {{"a", y_true}, {"b", y_pred}, {"c", Zeros(samples())}, {"m", Zeros(samples(), DType::kBool)}},
            .states = {},
            .batch = samples()};
  }
};

// The reduced loss, and its gradient by y_pred. Nothing where the item refuses such data.
std::optional<std::pair<Literal, Literal>> LossOf(const std::string& words, const Batch& batch) {
  Expansion e(BuiltIns(), FB_LOSS, words, {BatchOf(batch.y_true), BatchOf(batch.y_pred)});
  if (!e.error().empty()) return std::nullopt;
  HostBuilder& b = e.builder;
  const Value none = b.Wrap(0);
  const Value weight = batch.weights ? b.Input("c", F32({kBatch})) : none;
  const Value mask = batch.mask ? b.Input("m", {DType::kBool, {kBatch}}) : none;
  const ReducedLoss reduced = ReduceLoss(b, Spec(words), e.y, weight, mask, none);
  b.Output("loss", reduced.loss);
  b.Output("gradient", Gradient(reduced.loss, b.Wrap(2)));
  if (!b.status().ok()) return std::nullopt;  // A mask of samples, for a loss of steps.
  const absl::StatusOr<Graph> graph = Differentiate(b.graph());
  EXPECT_OK(graph) << words;
  if (!graph.ok()) return std::nullopt;
  const absl::StatusOr<Evaluation> got = Evaluate(*graph, batch.Bound());
  EXPECT_OK(got) << words;
  if (!got.ok()) return std::nullopt;
  return std::pair(got->outputs.at("loss"), got->outputs.at("gradient"));
}

// A metric's result after one batch.
std::optional<Literal> ResultOf(const std::string& words, const Batch& batch) {
  HostBuilder b;
  Values inputs = {b.Input("a", BatchOf(batch.y_true)), b.Input("b", BatchOf(batch.y_pred))};
  if (batch.weights) inputs.push_back(b.Input("c", F32({kBatch})));
  if (batch.mask) {
    b.masks.assign(inputs.size(), 0);
    b.masks[1] = b.Input("m", {DType::kBool, {kBatch}}).id;
  }
  b.Output("y", ExpandItem(b, BuiltIns(), FB_METRIC, Spec(words), inputs));
  if (!b.status().ok()) return std::nullopt;
  Bindings bindings = batch.Bound();
  for (NodeId id = 1; id < b.graph().size(); ++id) {
    const Node& node = b.graph()[id];
    if (node.op != Op::kState) continue;
    bindings.states[node.attributes.String("name")] =
        Literal(node.type.dtype, Sizes(node.type.shape.begin(), node.type.shape.end()));
  }
  const absl::StatusOr<Evaluation> got = Evaluate(b.graph(), bindings);
  EXPECT_OK(got) << words;
  if (!got.ok()) return std::nullopt;
  return got->outputs.at("y");
}

bool IsFinite(const Literal& value) {
  return std::ranges::all_of(value.ToDoubles(), [](double v) { return std::isfinite(v); });
}

std::string WithReduction(const std::string& words, const std::string& reduction) {
  return fmt::format("{}{}reduction={}", words, words.find(':') == words.npos ? ":" : ",", reduction);
}

// "metric auc|halves|none"
struct Case {
  explicit Case(const std::string& name)
      : kind(name.substr(name.find('|') + 1, name.rfind('|') - name.find('|') - 1)),
        which(name.substr(name.rfind('|') + 1)),
        words(name.substr(name.find(' ') + 1, name.find('|') - name.find(' ') - 1)) {}

  std::string kind, which, words;
};

// Whether the data lie at a kink of this loss, |x| at 0 or a clipping at its bound. There any number between the slopes of
// both sides is a subgradient: JAX takes the one side or their mean, TensorFlow, PyTorch and fusebox take 0.
bool IsAtKink(const std::string& words, const std::string& kind) {
  if (words == "hinge" || words == "kl_divergence") return kind == "ones";
  constexpr std::string_view kEqual[] = {"zeros", "ones", "hot_zeros", "hot_wrong"};  // Some y_pred are y_true.
  return words.starts_with("mean_absolute_") && std::ranges::find(kEqual, kind) != std::end(kEqual);
}

TEST(Edges, LossesAreKerass) {
  const std::map<std::string, Literal> arrays = KerasArrays("keras_losses/edges.npz");
  int compared = 0;
  for (const auto& [name, expected] : arrays) {
    const bool gradient = name.starts_with("gradient ");
    if (!gradient && !name.starts_with("loss ")) continue;
    const auto [kind, which, words] = Case(gradient ? name.substr(9) : name);
    const Batch batch = {arrays.at(kind + " true"), arrays.at(kind + " pred"), which != "plain"};
    const auto got = LossOf(which == "rest" ? WithReduction(words, "mean_with_sample_weight") : words, batch);
    if (!got) continue;  // What is refused here is named in the tests of messages.
    ++compared;
    if (!gradient || !IsAtKink(words, kind)) {
      ExpectClose(gradient ? got->second : got->first, expected, kRelative, kAbsolute, name);
      continue;
    }
    const std::vector<double> mine = got->second.ToDoubles(), keras = expected.ToDoubles();
    ASSERT_EQ(mine.size(), keras.size()) << name;
    for (size_t i = 0; i < mine.size(); ++i) {
      if (mine[i] != 0) EXPECT_NEAR(mine[i], keras[i], kAbsolute + kRelative * std::abs(keras[i])) << name;
    }
  }
  EXPECT_GE(compared, 300);
}

TEST(Edges, MetricsAreKerass) {
  const std::map<std::string, Literal> arrays = KerasArrays("keras_losses/edges.npz");
  int compared = 0;
  for (const auto& [name, expected] : arrays) {
    if (!name.starts_with("metric ")) continue;
    const auto [kind, which, words] = Case(name);
    const Batch batch = {arrays.at(kind + " true"), arrays.at(kind + " pred"), which == "none"};
    const std::optional<Literal> got = ResultOf(words, batch);
    if (!got) continue;
    ExpectClose(Literal::FromDoubles(DType::kF32, expected.shape(), got->ToDoubles()), expected, kRelative, kAbsolute,
                name);
    ++compared;
  }
  EXPECT_GE(compared, 300);
}

// The item with something for each attribute that it requires.
std::string WithRequired(const PluginItem& item) {
  std::string words = item.id;
  for (const AttributeInfo& info : item.attributes) {
    if (!info.required) continue;
    const std::string value = info.numbers ? "0.5" : info.type == FB_INT ? "5" : info.type == FB_INTS ? "[0]" : "0.5";
    words += fmt::format("{}{}={}", words == item.id ? ":" : ",", info.name, value);
  }
  return words;
}

// Kinds of data that every loss or metric has numbers for, if it takes them at all.
constexpr const char* kKinds[] = {"halves",       "still_scores",        "narrow", "one_sample", "one_number",
                                  "labels_still", "labels_of_one_sample"};

TEST(Edges, AllItemsAreFiniteWhereNothingCounts) {
  const std::map<std::string, Literal> arrays = KerasArrays("keras_losses/edges.npz");
  for (const PluginItem* item : BuiltIns().items()) {
    if (item->kind != FB_LOSS && item->kind != FB_METRIC) continue;
    if (item->name() == "perceptron") continue;  // Takes only what the activation heaviside has made.
    const std::string words = WithRequired(*item);
    int accepted = 0;
    for (const char* kind : kKinds) {
      const Literal &y_true = arrays.at(std::string(kind) + " true"), &y_pred = arrays.at(std::string(kind) + " pred");
      for (const auto& [weights, mask] : {std::pair(true, false), {false, true}, {true, true}}) {
        const Batch batch = {y_true, y_pred, weights, mask};
        const std::string what = fmt::format("{}|{}{}{}", words, kind, weights ? " weights" : "", mask ? " mask" : "");
        if (item->kind == FB_METRIC) {
          const std::optional<Literal> result = ResultOf(words, batch);
          accepted += result.has_value();
          if (result) EXPECT_TRUE(IsFinite(*result)) << what;
          continue;
        }
        const bool reduces = item->Find("reduction") != nullptr;
        for (const char* reduction : {"sum_over_batch_size", "sum", "mean_with_sample_weight"}) {
          const auto got = LossOf(reduces ? WithReduction(words, reduction) : words, batch);
          accepted += got.has_value();
          if (!got) continue;
          EXPECT_EQ(got->first.ToDoubles()[0], 0) << what << " " << reduction;
          EXPECT_TRUE(IsFinite(got->second)) << what << " " << reduction;
        }
      }
    }
    EXPECT_GT(accepted, 0) << words << " takes none of the data: add a kind for it";
  }
}

}  // namespace
}  // namespace fusebox::testing
