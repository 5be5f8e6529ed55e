// SPDX-License-Identifier: Apache-2.0
// Training from the command line, with small data made by the test.
#include "fusebox/runtime/files/atomic_file.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/npy.h"
#include "fusebox/runtime/files/npz.h"
#include "fusebox/runtime/fusebox.h"
#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command.h"

namespace fusebox::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Train : public CommandTest {
 protected:
  // Images with one bright row each, whose index is the class.
  void WriteData(const std::string& name, int64_t rows, int32_t shift = 0) {
    Tensor x(DType::kF32, {rows, 28, 28}), y(DType::kI32, {rows});
    for (int64_t i = 0; i < rows; ++i) {
      const int64_t label = (i * 7) % 10;
      y.mutable_values<int32_t>()[size_t(i)] = int32_t(label) + shift;
      for (int64_t j = 0; j < 28; ++j) x.mutable_values<float>()[size_t(i * 784 + (2 * label + 3) * 28 + j)] = 1;
    }
    ASSERT_TRUE(WriteNpz(Path(name), {{"x", x}, {"y", y}}).ok());
    ASSERT_TRUE(WriteNpy(Path(name + ".x.npy"), x).ok());
  }
  ProcessResult Run(std::vector<std::string> more) {
    std::vector<std::string> words = {"train", "fashion_mnist_mlp", "--seed", "42"};
    words.insert(words.end(), more.begin(), more.end());
    return Fusebox(words);
  }
};

// A table's classes and means are kept beside the model.
TEST_F(Train, PredictsFromTablesAsItWasTrained) {
  const auto write = [&](const char* name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(Path(name), text).ok());
  };
  write("d.csv", "id;age;town;y\nx;1,5;Rome;1\ny;2;Bonn;2\nz;;Oslo;3\nw;4;Rome;4\n");
  write("x.CSV", "town;age\nRome;3\nOslo;\n");
  write("same.csv", "age;town\n3;Rome\n2,5;Oslo\n");
  // One column of age, three of town.
  Sequential model({Dense(1, {.input_shape = {4}})});
  ASSERT_TRUE(model.Compile({.optimizer = "sgd", .loss = "mse"}).ok());
  ASSERT_TRUE(model.Save(Path("m.keras")).ok());
  const std::vector<std::string> form = {"--separator", ";", "--decimal", ","};
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.end(), form.begin(), form.end());
    return Fusebox(words);
  };
  const ProcessResult train = run({"train", Path("m.keras"), "--data", Path("d.csv"), "--target", "y", "--ignore", "id",
                                   "--one-hot", "town", "--na", "mean", "-o", Path("n.keras")});
  ASSERT_EQ(train.exit_code, 0) << train.errors;
  EXPECT_THAT(train.errors, HasSubstr("n.keras.columns.json"));
  EXPECT_EQ(run({"evaluate", Path("n.keras"), "--data", Path("d.csv")}).exit_code, 0);
  for (const std::string name : {"x.CSV", "same.csv"}) {
    const ProcessResult predict = run({"predict", Path("n.keras"), "--input", Path(name), "-o", Path(name + ".npy")});
    ASSERT_EQ(predict.exit_code, 0) << predict.errors;
  }
  EXPECT_EQ(*ReadWholeFile(Path("x.CSV.npy")), *ReadWholeFile(Path("same.csv.npy")));

  // Training goes on with the same classes, and a training on other data keeps none.
  write("few.csv", "age;town;y\n1;Oslo;2\n");
  EXPECT_EQ(run({"train", Path("n.keras"), "--data", Path("few.csv"), "-o", Path("n.keras")}).exit_code, 0);
  EXPECT_THAT(*ReadWholeFile(Path("n.keras.columns.json")), HasSubstr("Bonn"));
  ASSERT_TRUE(WriteNpz(Path("d.npz"), {{"x", Tensor(DType::kF32, {3, 4})}, {"y", Tensor(DType::kF32, {3})}}).ok());
  EXPECT_EQ(run({"train", Path("m.keras"), "--data", Path("d.npz"), "-o", Path("n.keras")}).exit_code, 0);
  EXPECT_FALSE(ReadWholeFile(Path("n.keras.columns.json")).ok());
}

TEST_F(Train, TrainsEvaluatesAndPredicts) {
  WriteData("d.npz", 320);
  const ProcessResult train =
      Run({"--data", Path("d.npz"), "--validation-split", "0.1", "--epochs", "12", "--optimizer",
           "sgd:learning_rate=0.1", "-o", Path("m.keras"), "--history", Path("h.csv")});
  ASSERT_EQ(train.exit_code, 0) << train.errors;
  EXPECT_THAT(train.output, IsEmpty());
  EXPECT_THAT(train.errors, HasSubstr("Epoch 12/12\n9/9 - "));
  EXPECT_THAT(train.errors, HasSubstr(" - val_loss: "));
  EXPECT_EQ(train.errors.find('\r'), std::string::npos);
  EXPECT_THAT(*ReadWholeFile(Path("h.csv")), StartsWith("epoch,accuracy,loss,val_accuracy,val_loss\n0,"));

  const ProcessResult evaluate = Fusebox({"evaluate", Path("m.keras"), "--data", Path("d.npz"), "--json"});
  ASSERT_EQ(evaluate.exit_code, 0) << evaluate.errors;
  const auto json = nlohmann::json::parse(evaluate.output);
  EXPECT_GT(json["accuracy"].get<double>(), 0.9);
  EXPECT_LT(json["loss"].get<double>(), 1);
  EXPECT_THAT(Fusebox({"evaluate", Path("m.keras"), "--data", Path("d.npz")}).output, StartsWith("accuracy: "));

  const ProcessResult predict =
      Fusebox({"predict", Path("m.keras"), "--input", Path("d.npz.x.npy"), "-o", Path("y.npy")});
  ASSERT_EQ(predict.exit_code, 0) << predict.errors;
  EXPECT_THAT(ReadNpy(Path("y.npy"))->shape(), ElementsAre(320, 10));
  ASSERT_EQ(Fusebox({"predict", Path("m.keras"), "--input", "x=" + Path("d.npz.x.npy"), "-o", Path("y.npz")}).exit_code,
            0);
  EXPECT_EQ((*ReadNpz(Path("y.npz")))[0].name, "dense_2");
  const ProcessResult wrong =
      Fusebox({"predict", Path("m.keras"), "--input", "z=" + Path("d.npz.x.npy"), "-o", Path("z.npy")});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.errors, HasSubstr("(or 'x'), given are 'z'"));

  // Training continues with the file's own settings.
  const ProcessResult on =
      Fusebox({"train", Path("m.keras"), "--data", Path("d.npz"), "-o", Path("n.keras"), "--verbose", "0"});
  EXPECT_EQ(on.exit_code, 0) << on.errors;
  EXPECT_THAT(on.errors, IsEmpty());
}

TEST_F(Train, SameSeedGivesTheSameFileForAnyThreads) {
  WriteData("d.npz", 100);
  std::vector<std::string> files;
  for (const char* threads : {"1", "2", "4", "1"}) {
    const std::string path = Path("m" + std::to_string(files.size()) + ".keras");
    ASSERT_EQ(Run({"--data", Path("d.npz"), "--threads", threads, "--verbose", "0", "-o", path}).exit_code, 0);
    files.push_back(*ReadWholeFile(path));
  }
  for (const std::string& file : files) EXPECT_TRUE(file == files[0]);
}

TEST_F(Train, WrongDataIsFoundBeforeTheFirstStep) {
  WriteData("shifted.npz", 20, 5);
  const ProcessResult labels = Run({"--data", Path("shifted.npz"), "-o", Path("m.keras")});
  EXPECT_EQ(labels.exit_code, 1);
  EXPECT_EQ(labels.errors,
            "fusebox: error: sparse_categorical_crossentropy: y of sample 1 is 12, expected a class from 0 to 9\n");
  ASSERT_TRUE(
      WriteNpz(Path("narrow.npz"), {{"x", Tensor(DType::kF32, {4, 28, 27})}, {"y", Tensor(DType::kI32, {4})}}).ok());
  const ProcessResult shape = Run({"--data", Path("narrow.npz"), "-o", Path("m.keras")});
  EXPECT_EQ(shape.exit_code, 1);
  EXPECT_EQ(shape.errors, "fusebox: error: layer 'flatten' expects x of shape [N,28,28], got [4,28,27]\n");
  EXPECT_FALSE(std::filesystem::exists(Path("m.keras")));
}

}  // namespace
}  // namespace fusebox::testing
