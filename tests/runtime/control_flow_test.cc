// SPDX-License-Identifier: Apache-2.0
// Branches and loops compared with Keras's, and within models.
#include <cmath>
#include <filesystem>
#include <map>

#include "fusebox/compiler/compiler.h"
#include "fusebox/fusebox.h"
#include "fusebox/graph/builder.h"
#include "fusebox/graph/control.h"
#include "fusebox/runtime/files/npz.h"
#include "gtest/gtest.h"
#include "tests/support/status.h"

namespace fusebox {
namespace {

using Arrays32 = std::map<std::string, Tensor>;

// Runs one step of a program on arrays of these names, and returns its outputs.
std::map<std::string, std::vector<float>> StepOf(GraphBuilder& builder, const Arrays32& arrays) {
  EXPECT_OK(builder.status());
  std::map<std::string, std::vector<float>> outputs;
  const absl::StatusOr<Executable> program = Compile(std::move(builder).Take(), {.row_capacity = 1, .cache = false});
  EXPECT_OK(program);
  if (!program.ok()) return outputs;
  std::vector<void*> ports;
  for (const Port& port : program->ports()) {
    if (port.kind == Port::Kind::kOutput) {
      outputs[port.name].resize(size_t(NumElements(port.type.shape, 1)));
      ports.push_back(outputs[port.name].data());
    } else {
      ports.push_back(const_cast<float*>(arrays.at(port.name).values<float>().data()));
    }
  }
  std::vector<char> memory(size_t(program->arena_bytes()) + 64);
  void* arena = memory.data();
  size_t space = memory.size();
  RunContext context{
      .ports = ports.data(), .arena = std::align(64, 1, arena, space), .steps = 1, .batch = 1, .rows = 1};
  program->Enter(context, 0);
  return outputs;
}

class KerasControl : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> all,
                         ReadNpz(FUSEBOX_SOURCE_DIR "/tests/data/keras_training/control.npz"));
    for (const auto& [name, value] : all) keras_[name] = value;
  }

  Value Input(const char* name) {
    const auto& shape = keras_.at(name).shape();
    return builder_.Input(name, {DType::kF32, Shape(shape.begin(), shape.end())});
  }

  // Compares outputs with the arrays of Keras of the same names.
  void ExpectAsKeras() {
    for (const auto& [name, values] : StepOf(builder_, keras_)) {
      const auto expected = keras_.at(name).values<float>();
      ASSERT_EQ(values.size(), expected.size()) << name;
      for (size_t i = 0; i < values.size(); ++i) {
        EXPECT_NEAR(values[i], expected[i], 1e-5 * (1 + std::abs(expected[i]))) << name << " " << i;
      }
    }
  }

  GraphBuilder builder_;
  Arrays32 keras_;
};

TEST_F(KerasControl, Scan) {
  const Value xs = Input("xs"), h0 = Input("h0"), w = Input("w"), u = Input("u"), b = Input("b");
  for (const bool reverse : {false, true}) {
    const std::string name = reverse ? "back" : "rnn";
    const auto [carry, y] = Scan(
        [&](const Values& c, const Values& x) -> Scanned {
          const Value h = Tanh(MatMul(x[0], w) + MatMul(c[0], u) + b);
          return {{h}, {h}};
        },
        {h0}, {xs}, {.reverse = reverse});
    builder_.Output(name + "_last", carry[0]);
    builder_.Output(name + "_all", y[0]);
    const Value loss = Sum(y[0] * y[0], {0, 1, 2}) + Sum(carry[0], {0, 1});
    for (const auto& [of, value] : {std::pair("xs", xs), {"h0", h0}, {"w", w}, {"u", u}, {"b", b}}) {
      builder_.Output(name + "_d_" + of, Gradient(loss, value));
    }
  }
  ExpectAsKeras();
}

TEST_F(KerasControl, Cond) {
  const Value xs = Input("xs"), h0 = Input("h0"), u = Input("u");
  for (const double sign : {1.0, -1.0}) {
    const std::string name = sign > 0 ? "yes" : "no";
    const Value y =
        Cond(Greater(Sum(xs * sign, {0, 1, 2}), 0), [&] { return Tanh(MatMul(h0, u)); }, [&] { return h0 * 3.0; });
    builder_.Output(name + "_y", y);
    const Value loss = Sum(y * y, {0, 1});
    builder_.Output(name + "_d_h0", Gradient(loss, h0));
    builder_.Output(name + "_d_u", Gradient(loss, u));
  }
  ExpectAsKeras();
}

TEST_F(KerasControl, While) {
  const Value of = Input("root_of");
  const Values last = While([](const Values& v) { return LessEqual(1e-6, Abs(v[0] - v[1])); },
                            [&](const Values& v) { return Values{(v[0] + of / v[0]) / 2.0, v[0], v[2] + 1.0}; },
                            {of, of + 1.0, of * 0.0}, {.maximum_iterations = 50});
  builder_.Output("root_x", last[0]);
  builder_.Output("root_times", last[2]);
  ExpectAsKeras();
}

// x after some steps of a recurrence, scaled unless it is small already: an example of a class's Call.
class Settling final : public Model {
 public:
  CallOutputs Call(const SymbolicTensors& inputs, bool) const override {
    const SymbolicTensor h = dense_(inputs[0]);
    return Lambda([](Value x) {
      const Scanned made =
          Scan([&](const Values& c, const Values&) -> Scanned { return {{Tanh(c[0] * 0.9 + x * 0.1)}, {}}; }, {x}, {},
               {.length = 5});
      const Value size = Sum(Square(made.carry[0]), {0, 1});
      return Cond(Less(size, 1e-9), [&] { return made.carry[0]; }, [&] { return made.carry[0] * 2.0; });
    })(h);
  }

 private:
  Layer dense_ = Dense(3);
};

Tensor Ramp(int64_t rows, int64_t columns) {
  Tensor x(DType::kF32, {rows, columns});
  for (size_t i = 0; i < size_t(x.size()); ++i) x.mutable_values<float>()[i] = std::sin(float(i));
  return x;
}

TEST(ControlInModels, TrainsAndIsKeptInFiles) {
  const Tensor x = Ramp(40, 4), y = Ramp(40, 3);
  Settling model;
  ASSERT_OK(model.Compile({.optimizer = "adam:learning_rate=0.05", .loss = "mse"}));
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y, {.epochs = 20, .batch_size = 16, .verbose = 0}));
  EXPECT_LT(history["loss"].back(), 0.8 * history["loss"].front());
  ASSERT_OK_AND_ASSIGN(const Arrays predicted, model.Predict(x));
  const std::string file = (std::filesystem::path(::testing::TempDir()) / "settling.keras").string();
  ASSERT_OK_AND_ASSIGN(Model traced, model.Traced());
  ASSERT_OK(traced.Save(file));
  ASSERT_OK_AND_ASSIGN(Model loaded, LoadModel(file));
  ASSERT_OK_AND_ASSIGN(const Arrays again, loaded.Predict(x));
  EXPECT_TRUE(std::ranges::equal(predicted[0].values<float>(), again[0].values<float>()));
}

// A loss that processes the batch one sample at a time.
TEST(ControlInModels, ALossMayLoop) {
  const Tensor x = Ramp(32, 4), y = Ramp(32, 1);
  Sequential ours({Dense(1, {.input_shape = {4}})}, {.seed = 1}), known({Dense(1, {.input_shape = {4}})}, {.seed = 1});
  const ItemSpec loss = LossFn("huber_by_hand", [](Value y_true, Value y_pred) {
    return Scan(
               [](const Values&, const Values& v) -> Scanned {
                 const Value e = Abs(v[0] - v[1]);
                 return {{}, {Sum(Select(Less(e, 1), e * e * 0.5, e - 0.5), {0})}};
               },
               {}, {y_true, y_pred})
        .y[0];
  });
  ASSERT_OK(ours.Compile({.optimizer = "sgd:learning_rate=0.1", .loss = loss}));
  ASSERT_OK(known.Compile({.optimizer = "sgd:learning_rate=0.1", .loss = "huber"}));
  const FitArgs how{.epochs = 4, .batch_size = 12, .shuffle = false, .verbose = 0};
  ASSERT_OK_AND_ASSIGN(const History a, ours.Fit(x, y, how));
  ASSERT_OK_AND_ASSIGN(const History b, known.Fit(x, y, how));
  for (size_t epoch = 0; epoch < 4; ++epoch) EXPECT_NEAR(a["loss"][epoch], b["loss"][epoch], 1e-6);
}

// Pairs of the batch, in a loop. Class numbers are arbitrary, and may exceed the dimensions of embeddings.
TEST(ControlInModels, CirclesLossPullsClassesTogether) {
  const Tensor x = Ramp(48, 6);
  Tensor y(DType::kI32, {48});
  for (size_t i = 0; i < 48; ++i) y.mutable_values<int32_t>()[i] = int32_t(i % 4) * 1000;
  Sequential model({Dense(3, {.input_shape = {6}}), Layer("unit_normalization")}, {.seed = 2});
  ASSERT_OK(model.Compile({.optimizer = "adam:learning_rate=0.02", .loss = "circle:gamma=4"}));
  ASSERT_OK_AND_ASSIGN(const History history, model.Fit(x, y, {.epochs = 30, .batch_size = 16, .verbose = 0}));
  EXPECT_LT(history["loss"].back(), 0.9 * history["loss"].front());
  Tensor halves(DType::kF32, {48});
  std::ranges::fill(halves.mutable_values<float>(), 0.5F);
  EXPECT_THAT(model.Fit(x, halves, {.verbose = 0}).status(),
              testing::StatusHasMessage(
                  ::testing::HasSubstr("circle: y of sample 0 is 0.5, expected a class, which is a whole number")));
}

TEST(ControlInModels, AnErrorInsideIsToldAtItsLine) {
  Sequential model({Lambda(
      [](Value x) {
        return Scan([&](const Values&, const Values& v) -> Scanned { return {{}, {v[0].Error("no such thing")}}; }, {},
                    {x})
            .y[0];
      },
      {.input_shape = {4}})});
  EXPECT_THAT(model.Predict(Ramp(2, 4)).status(), testing::StatusHasMessage(::testing::HasSubstr("no such thing")));
}

}  // namespace
}  // namespace fusebox
