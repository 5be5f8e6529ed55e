// SPDX-License-Identifier: Apache-2.0
// Models with parts written as C++ functions (Lambdas, losses, metrics, classes), from a library or from a program's
// text: with the text, the command has only the symbols that the functions wrote. The models are in
// models/own_functions.cc.
#include <fstream>

#include "fusebox/runtime/describe/history.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/hdf5_reader.h"
#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/files/npz.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class OwnFunctions : public CommandTest {
 protected:
  void SetUp() override {
    CommandTest::SetUp();
    setenv("FUSEBOX_PLUGIN_PATH", FUSEBOX_BUILD_DIR "/tests/models", 1);
    const Tensor x = Numbers({60, 4}), y = Numbers({60, 1});
    Write("column.npz", {{"x", x}, {"y", y}});
    Write("flat.npz", {{"x", x}, {"y", *y.Reshape({60})}});
    Write("graph.npz", {{"in", x}, {"first", y}, {"second", Numbers({60, 2})}});
    Write("alone.npz", {{"in", x}});
    Tensor steps = Numbers({60, 5, 4});
    for (size_t i = 0; i < 60; ++i) {
      // Each sample masks other steps; their targets would be noticed.
      const size_t step = i % 5;
      std::ranges::fill(steps.mutable_values<float>().subspan((i * 5 + step) * 4, 4), 0.0f);
    }
    Write("steps.npz", {{"x", steps}, {"y", Numbers({60, 5, 2})}});
    ASSERT_TRUE(WriteNpy(Path("x.npy"), x).ok());
  }

  void TearDown() override {
    unsetenv("FUSEBOX_PLUGIN_PATH");
    CommandTest::TearDown();
  }

  static std::string Library(const std::string& model) { return "own_functions:model=" + model; }

  ProcessResult Train(const std::string& model, const std::string& data, const std::string& output,
                      const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"train",  model, "--data",    Path(data), "--epochs", "3",
                                      "--seed", "7",   "--verbose", "0",        "-o",       Path(output)};
    words.insert(words.end(), more.begin(), more.end());
    return Fusebox(words);
  }
  nlohmann::json Evaluate(std::vector<std::string> words, const std::string& data) const {
    words.insert(words.begin(), "evaluate");
    words.insert(words.end(), {"--data", Path(data), "--json"});
    const ProcessResult result = Fusebox(words);
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return result.exit_code == 0 ? nlohmann::json::parse(result.output) : nlohmann::json();
  }
  std::vector<std::string> Lines(const std::string& name) const {
    std::ifstream file(Path(name));
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  // The program's text as a file.
  std::string Dumped(const std::string& model, const std::string& program) const {
    const ProcessResult text = Fusebox({"dump", model, "--program", program});
    EXPECT_EQ(text.exit_code, 0) << text.errors;
    std::ofstream(Path(program + ".fbg")) << text.output;
    return Path(program + ".fbg");
  }
  // The whole content of a weights file.
  std::vector<float> Weights(const std::string& name) const {
    std::vector<float> all;
    const std::vector<NamedTensor> weights = *ReadHdf5(*ReadWholeFile(Path(name)), name);
    for (const NamedTensor& weight : weights) {
      const auto values = weight.value.values<float>();
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }

 private:
  static Tensor Numbers(const std::vector<int64_t>& shape) {
    Tensor numbers(DType::kF32, shape);
    uint32_t state = 1;
    for (float& x : numbers.mutable_values<float>()) {
      state = state * 1664525 + 1013904223;
      x = float(state >> 8) / float(1 << 24) - 0.5f;
    }
    return numbers;
  }
  void Write(const std::string& name, const std::vector<NamedTensor>& arrays) {
    ASSERT_TRUE(WriteNpz(Path(name), arrays).ok());
  }
};

void ExpectNear(const std::vector<float>& got, const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-6) << i;
}

TEST_F(OwnFunctions, TrainEvaluateAndPredict) {
  for (const std::string data : {"column.npz", "flat.npz"}) {
    SCOPED_TRACE(data);
    const ProcessResult train = Train(Library("stack"), data, "m.keras", {"--history", Path("h.csv")});
    ASSERT_EQ(train.exit_code, 0) << train.errors;
    // The loss is mean squared error, written as a function.
    const ProcessResult known = Train(Library("stack"), data, "k.keras", {"--loss", "mse", "--metrics", "mae"});
    ASSERT_EQ(known.exit_code, 0) << known.errors;
    const nlohmann::json own = Evaluate({Path("m.keras")}, data), theirs = Evaluate({Path("k.keras")}, data);
    EXPECT_NEAR(own["loss"].get<double>(), theirs["loss"].get<double>(), 1e-6);
    for (const char* name : {"gap", "weighted_gap", "mae"}) {
      ASSERT_TRUE(own.contains(name)) << own;
      EXPECT_NEAR(own[name].get<double>(), theirs["mae"].get<double>(), 1e-6) << name;
    }
    EXPECT_EQ(Lines("h.csv")[0], "epoch,gap,loss,mae,weighted_gap");
  }
  // The saved model continues to train.
  EXPECT_EQ(Train(Path("m.keras"), "flat.npz", "n.keras").exit_code, 0);
  const ProcessResult predict = Fusebox({"predict", Path("m.keras"), "--input", Path("x.npy"), "-o", Path("y.npy")});
  ASSERT_EQ(predict.exit_code, 0) << predict.errors;
  EXPECT_THAT(ReadNpy(Path("y.npy"))->shape(), ElementsAre(60, 1));
}

TEST_F(OwnFunctions, Summaries) {
  const ProcessResult summary = Fusebox({"summary", Library("stack,width=5")});
  ASSERT_EQ(summary.exit_code, 0) << summary.errors;
  EXPECT_THAT(summary.output, AllOf(HasSubstr("lambda (Lambda)"), HasSubstr("(None, 5)")));
}

TEST_F(OwnFunctions, LookAtThem) {
  for (const std::string model : {"stack", "graph", "class", "added", "masked"}) {
    SCOPED_TRACE(model);
    const ProcessResult summary = Fusebox({"summary", Library(model)});
    EXPECT_EQ(summary.exit_code, 0) << summary.errors;
    const ProcessResult plot = Fusebox({"plot", Library(model), "-o", Path(model + ".dot"), "--show-shapes"});
    EXPECT_EQ(plot.exit_code, 0) << plot.errors;
    for (const char* program : {"training", "evaluation", "prediction"}) {
      const ProcessResult dump = Fusebox({"dump", Library(model), "--program", program, "--emit", "fused"});
      EXPECT_EQ(dump.exit_code, 0) << dump.errors;
      EXPECT_THAT(dump.output, HasSubstr("kernel"));
    }
    if (model != "class") continue;
    const ProcessResult explain = Fusebox({"explain", Library(model), "--batch-size", "4"});
    EXPECT_EQ(explain.exit_code, 0) << explain.errors;
  }
  EXPECT_THAT(*ReadWholeFile(Path("graph.dot")), HasSubstr("distance"));
}

TEST_F(OwnFunctions, OfSeveralOutputs) {
  const ProcessResult train = Train(Library("graph"), "graph.npz", "m.keras", {"--history", Path("h.csv")});
  ASSERT_EQ(train.exit_code, 0) << train.errors;
  EXPECT_EQ(Lines("h.csv")[0], "epoch,first_loss,loss,second_gap,second_loss");
  const nlohmann::json logs = Evaluate({Path("m.keras")}, "graph.npz");
  EXPECT_NEAR(logs["second_gap"].get<double>(), logs["second_loss"].get<double>(), 1e-6);
  EXPECT_NEAR(logs["loss"].get<double>(), logs["first_loss"].get<double>() + 0.5 * logs["second_loss"].get<double>(),
              1e-6);
  // Another optimizer leaves everything else unchanged.
  const ProcessResult other = Train(Library("graph"), "graph.npz", "o.keras", {"--optimizer", "sgd"});
  ASSERT_EQ(other.exit_code, 0) << other.errors;
  EXPECT_TRUE(Evaluate({Path("o.keras")}, "graph.npz").contains("second_gap"));
}

TEST_F(OwnFunctions, HeedMasks) {
  ASSERT_EQ(Train(Library("masked"), "steps.npz", "m.keras").exit_code, 0);
  ASSERT_EQ(Train(Library("masked"), "steps.npz", "k.keras", {"--loss", "mse", "--metrics", "mae"}).exit_code, 0);
  const nlohmann::json own = Evaluate({Path("m.keras")}, "steps.npz"),
                       theirs = Evaluate({Path("k.keras")}, "steps.npz");
  EXPECT_NEAR(own["loss"].get<double>(), theirs["loss"].get<double>(), 1e-6);
  EXPECT_NEAR(own["gap"].get<double>(), theirs["mae"].get<double>(), 1e-6);
}

// A .keras file cannot hold additions of AddLoss, but the weights can be saved.
TEST_F(OwnFunctions, AddedLosses) {
  for (const auto& [model, data] : {std::pair("class", "column.npz"), {"added", "alone.npz"}}) {
    SCOPED_TRACE(model);
    const ProcessResult refused = Train(Library(model), data, "m.keras");
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_EQ(
        refused.errors,
        "fusebox: error: '" + Path("m.keras") + "': model '" + (std::string(model) == "class" ? "ranker" : "added") +
            "' has what AddLoss or AddMetric has added, which no .keras file can hold: expected a name that ends in "
            ".weights.h5\n");
    EXPECT_FALSE(std::filesystem::exists(Path("m.keras")));
    const ProcessResult train = Train(Library(model), data, "m.weights.h5", {"--history", Path("h.csv")});
    ASSERT_EQ(train.exit_code, 0) << train.errors;
    const std::vector<std::string> history = Lines("h.csv");
    ASSERT_EQ(history.size(), 4);
    const auto logs = Evaluate({Library(model), "--weights", Path("m.weights.h5")}, data);
    EXPECT_GT(logs["loss"].get<double>(), 0);
    EXPECT_EQ(logs.contains("size"), std::string(model) == "class") << logs;
    const ProcessResult predict = Fusebox(
        {"predict", Library(model), "--weights", Path("m.weights.h5"), "--input", Path("x.npy"), "-o", Path("y.npy")});
    EXPECT_EQ(predict.exit_code, 0) << predict.errors;
    // Another optimizer does not need another loss.
    const ProcessResult other = Train(Library(model), data, "o.weights.h5", {"--optimizer", "adam"});
    EXPECT_EQ(other.exit_code, 0) << other.errors;
  }
}

// The text may be of any program of the model: it contains the symbols that the other programs need.
class ProgramsTexts : public OwnFunctions {
 protected:
  void ExpectToBeModels(const std::string& model, const std::string& data) const {
    const ProcessResult train = Train(Library(model), data, "m.weights.h5");
    ASSERT_EQ(train.exit_code, 0) << train.errors;
    const std::vector<float> expected = Weights("m.weights.h5");
    const nlohmann::json logs = Evaluate({Library(model), "--weights", Path("m.weights.h5")}, data);
    for (const std::string program : {"training", "prediction"}) {
      SCOPED_TRACE(program);
      const std::string text = Dumped(Library(model), program);
      EXPECT_EQ(Fusebox({"summary", text}).output, Fusebox({"summary", Library(model)}).output);
      EXPECT_EQ(Fusebox({"opt", text, "--passes=dce"}).exit_code, 0);
      const ProcessResult again = Train(text, data, "n.weights.h5");
      ASSERT_EQ(again.exit_code, 0) << again.errors;
      ExpectNear(Weights("n.weights.h5"), expected);
      EXPECT_EQ(Evaluate({text, "--weights", Path("n.weights.h5")}, data), logs);
    }
  }
};

TEST_F(ProgramsTexts, OfAStack) { ExpectToBeModels("stack", "flat.npz"); }
TEST_F(ProgramsTexts, OfAGraph) { ExpectToBeModels("graph", "graph.npz"); }
TEST_F(ProgramsTexts, OfAClass) { ExpectToBeModels("class", "column.npz"); }
TEST_F(ProgramsTexts, OfAddedLosses) { ExpectToBeModels("added", "alone.npz"); }
TEST_F(ProgramsTexts, OfMasks) { ExpectToBeModels("masked", "steps.npz"); }

TEST_F(OwnFunctions, SayWhatIsWrong) {
  const auto error = [](const std::string& model) {
    const ProcessResult result = Fusebox({"summary", Library(model)});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.output, IsEmpty());
    return result.errors;
  };
  EXPECT_THAT(error("differs"),
              HasSubstr("model 'noisy' computes something else in training, which one trace cannot hold: "
                        "leave the difference to layers that know about training, such as Dropout"));
  EXPECT_THAT(error("shapeless"),
              HasSubstr("model 'sequential': its input's shape is not known: give its first layer an "
                        "input_shape"));
  EXPECT_THAT(error("unbuilt"), HasSubstr("its inputs' shapes are not known: call Build, or give it data first"));
  const ProcessResult train = Train(Library("stack"), "flat.npz", "m.h5");
  EXPECT_EQ(train.exit_code, 1);
  EXPECT_THAT(train.errors, HasSubstr("m.h5': expected a name that ends in .keras or .weights.h5"));
  // A text from which the symbols have been removed.
  std::ifstream file(Dumped(Library("stack"), "training"));
  std::string text(std::istreambuf_iterator<char>(file), {});
  const size_t at = text.find("expansions");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 10, "expunsions");
  std::ofstream(Path("cut.fbg")) << text;
  const ProcessResult cut = Fusebox({"summary", Path("cut.fbg")});
  EXPECT_EQ(cut.exit_code, 1);
  EXPECT_THAT(cut.errors, HasSubstr("lambda is a C++ function of the program that made the model, and its symbols were "
                                    "not kept"));
  text.replace(at, 10, "expansions");
  text.replace(text.find("{\\\"expansions"), 1, "[");
  std::ofstream(Path("broken.fbg")) << text;
  EXPECT_THAT(Fusebox({"summary", Path("broken.fbg")}).errors, HasSubstr("broken.fbg': program: expansions: not JSON"));
}

}  // namespace
}  // namespace fusebox::testing
