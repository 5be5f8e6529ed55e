// SPDX-License-Identifier: Apache-2.0
// The contract of every verb: exit codes, one line on stderr, no half-written files.
#include <fstream>

#include "fusebox/runtime/files/npy.h"
#include "gmock/gmock.h"
#include "tests/tools/command.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class Contract : public CommandTest {};

// Checks for one line, written by fusebox.
void ExpectError(const ProcessResult& result, int code, const std::string& text) {
  EXPECT_EQ(result.exit_code, code) << result.errors;
  EXPECT_THAT(result.errors, StartsWith("fusebox: error: "));
  EXPECT_THAT(result.errors, HasSubstr(text));
  EXPECT_EQ(std::ranges::count(result.errors, '\n'), 1) << result.errors;
  EXPECT_THAT(result.output, IsEmpty());
}

TEST_F(Contract, WrongWordsAreTwo) {
  ExpectError(Fusebox({"trian", "x"}), 2, "unknown verb 'trian': did you mean 'train'");
  ExpectError(Fusebox({}), 2, "subcommand");
  ExpectError(Fusebox({"train"}), 2, "required");
  ExpectError(Fusebox({"summary", "m.keras", "--jsno"}), 2, "--jsno");
  const std::vector<std::string> train = {"train", "fashion_mnist_mlp", "--data", "fashion_mnist",
                                          "-o",    Path("m.keras")};
  const auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> words = train;
    words.insert(words.end(), more.begin(), more.end());
    return Fusebox(words);
  };
  ExpectError(with({"--epochs", "0"}), 2, "--epochs: expected a whole number of 1 or more, got '0'");
  ExpectError(with({"--epochs", "many"}), 2, "got 'many'");
  ExpectError(with({"--batch-size", "-4"}), 2, "--batch-size");
  ExpectError(with({"--validation-split", "1.5"}), 2, "between 0 and 1, got '1.5'");
  ExpectError(with({"--threads", "0"}), 2, "--threads");
  ExpectError(Fusebox({"dump", "fashion_mnist_mlp", "--emit", "grpah"}), 2, "grpah");
  ExpectError(Fusebox({"explain", "fashion_mnist_mlp", "--threads", "0"}), 2, "--threads");
  ExpectError(Fusebox({"dump", "fashion_mnist_mlp", "--x-dtype", "u7"}), 2, "u7");
  ExpectError(Fusebox({"plugins"}), 2, "subcommand");
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(Contract, WrongFilesAndModelsAreOne) {
  ExpectError(Fusebox({"summary", Path("none.keras")}), 1, "none.keras");
  ExpectError(Fusebox({"summary", "fashion_mnist_mpl"}), 1,
              "unknown model 'fashion_mnist_mpl': did you mean 'fashion_mnist_mlp'?");
  ExpectError(Fusebox({"summary", Path("none.so")}), 1, "none.so");
  ExpectError(Fusebox({"summary", Path("none.h5")}), 1, "none.h5");
  ExpectError(Fusebox({"summary", Path("some.weights.h5")}), 1, "this file holds only weights");
  std::ofstream(Path("broken.keras")) << "PK no archive";
  ExpectError(Fusebox({"summary", Path("broken.keras")}), 1, "broken.keras");
  std::ofstream(Path("broken.fbg")) << "%x = inputt : f32[N]\n";
  ExpectError(Fusebox({"opt", Path("broken.fbg"), "--passes=dce"}), 1, "broken.fbg");
  ExpectError(Fusebox({"dump", Path("broken.fbg"), "--x-dtype", "u8"}), 1, "--x-dtype is for models");
  ExpectError(Fusebox({"curves", Path("none.csv"), "-o", Path("c.png")}), 1, "none.csv");
  ExpectError(Fusebox({"plugins", "describe", "dens"}), 1, "unknown plugin 'dens': did you mean 'dense' or 'ones'?");
  EXPECT_THAT(Files(), ::testing::UnorderedElementsAre("broken.keras", "broken.fbg"));
}

TEST_F(Contract, TrainRefusesBeforeWork) {
  const auto train = [&](std::vector<std::string> more) {
    std::vector<std::string> words = {"train", "fashion_mnist_mlp", "--data", "fashion_mnist:test[:64]"};
    words.insert(words.end(), more.begin(), more.end());
    return Fusebox(words);
  };
  ExpectError(train({"-o", "/nowhere/m.keras"}), 1, "/nowhere");
  std::filesystem::create_directory(Path("folder.keras"));
  ExpectError(train({"-o", Path("folder.keras")}), 1, "folder.keras");
  ExpectError(train({"-o", Path("m.keras"), "--history", "/nowhere/h.csv"}), 1, "/nowhere");
  // One file for two results, or the history in place of what is read.
  ExpectError(train({"-o", Path("m.keras"), "--history", Path("folder.keras/../m.keras")}), 1,
              "--history expects a file of its own");
  ExpectError(Fusebox({"train", "fashion_mnist_mlp", "--data", Path("d.csv"), "--target", "y", "-o", Path("m.keras"),
                       "--history", Path("d.csv")}),
              1, "which is that of --data too");
  const std::string long_name(250, 'n');
  ExpectError(train({"-o", Path(long_name + ".keras")}), 1, "expected a file name of at most 255 bytes, got 256");
  ExpectError(train({"-o", Path("m.keras"), "--history", Path(long_name + "ho.csv")}), 1, "got 256");
  ExpectError(train({"-o", Path("m.keras"), "--optimizer", "sdg"}), 1, "unknown optimizer 'sdg': did you mean 'sgd'?");
  ExpectError(train({"-o", Path("m.keras"), "--loss", "mse_"}), 1, "unknown loss 'mse_'");
  ExpectError(train({"-o", Path("m.keras"), "--metrics", "acuracy"}), 1, "did you mean 'accuracy'?");
  ExpectError(train({"-o", Path("m.keras"), "--callback", "progres"}), 1, "did you mean 'progress'?");
  ExpectError(train({"-o", Path("m.keras"), "--validation-data", "fashion_mnist:test[:0]"}), 1, "has no rows");
  ExpectError(Fusebox({"train", "fashion_mnist_mlp", "--data", Path("none.npz"), "-o", Path("m.keras")}), 1,
              "none.npz");
  ExpectError(Fusebox({"train", "fashion_mnist_mlp", "--data", "fashon_mnist", "-o", Path("m.keras")}), 1,
              "did you mean 'fashion_mnist'?");
  EXPECT_THAT(Files(), ElementsAre("folder.keras"));
}

TEST_F(Contract, PredictNeedsWeights) {
  ExpectError(Fusebox({"predict", "fashion_mnist_mlp", "--input", Path("x.npy"), "-o", Path("y.npy")}), 1,
              "'fashion_mnist_mlp' has no weights");
  EXPECT_THAT(Files(), IsEmpty());
}

// An unknown target is an error before any work, whatever else is wrong.
TEST_F(Contract, ATargetThatCannotBeIsOne) {
  const std::vector<std::vector<std::string>> verbs = {
      {"train", "fashion_mnist_mlp", "--data", "none", "-o", Path("m.keras")},
      {"evaluate", "none.keras", "--data", "none"},
      {"predict", "none.keras", "--input", "none.npy", "-o", Path("y.npy")},
      {"explain", "fashion_mnist_mlp"}};
  for (std::vector<std::string> words : verbs) {
    words.insert(words.end(), {"--target-cpu", "z80"});
    ExpectError(Fusebox(words), 1, "target cpu 'z80': expected 'native' or a CPU of ");
    words.back() = "sparc:v9";
    ExpectError(Fusebox(words), 1, "expected the architecture x86_64 or aarch64, got 'sparc'");
#ifdef __x86_64__
    words.back() = "aarch64:generic";
    ExpectError(Fusebox(words), 1, "target cpu 'aarch64:generic': this machine is of x86_64");
#endif
  }
  setenv("FUSEBOX_TARGET_CPU", "z80", 1);
  ExpectError(Fusebox(verbs[0]), 1, "FUSEBOX_TARGET_CPU 'z80': expected 'native' or a CPU of ");
  unsetenv("FUSEBOX_TARGET_CPU");
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(Contract, DumpsForAnyTarget) {
  const auto dump = [](const char* stage, const char* target) {
    return Fusebox({"dump", "fashion_mnist_mlp", "--emit", stage, "--target-cpu", target}).output;
  };
  const std::string object = dump("object", "aarch64:neoverse-n1");
  constexpr unsigned char kAArch64 = 183;  // e_machine, in the ELF header.
  ASSERT_GT(object.size(), 64U);
  EXPECT_EQ(object.substr(0, 4), "\177ELF");
  EXPECT_EQ(static_cast<unsigned char>(object[18]), kAArch64);
  EXPECT_THAT(dump("asm", "aarch64:neoverse-n1"), HasSubstr("fmla"));
  EXPECT_THAT(dump("asm", "x86_64:x86-64-v4"), HasSubstr("%zmm"));
  EXPECT_THAT(dump("asm", "x86_64:x86-64-v3"), AllOf(HasSubstr("%ymm"), Not(HasSubstr("%zmm"))));
  EXPECT_THAT(dump("asm", "x86_64:x86-64"), AllOf(HasSubstr("mulps"), Not(HasSubstr("%ymm"))));
  ExpectError(Fusebox({"dump", "fashion_mnist_mlp", "--emit=asm", "--target-cpu=z80"}), 1, "target cpu 'z80'");
}

TEST_F(Contract, VerbsSayWhatTheyWrote) {
  const auto expect = [&](std::vector<std::string> words, const std::string& output) {
    const ProcessResult result = Fusebox(std::move(words));
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    EXPECT_THAT(result.errors, EndsWith("wrote " + output + "\n"));
    EXPECT_THAT(result.output, Not(HasSubstr("wrote"))) << "results alone go to stdout";
  };
  expect({"train", "fashion_mnist_mlp", "--data", "fashion_mnist:test[:64]", "-o", Path("m.keras")}, Path("m.keras"));
  expect({"train", Path("m.keras"), "--data", "fashion_mnist:test[:64]", "-o", Path("n.keras"), "--history",
          Path("h.csv")},
         Path("n.keras") + "\nwrote " + Path("h.csv"));
  expect({"plot", Path("m.keras"), "-o", Path("m.dot")}, Path("m.dot"));
  expect({"curves", Path("h.csv"), "-o", Path("c.svg")}, Path("c.svg"));
  ASSERT_TRUE(WriteNpy(Path("x.npy"), Tensor(DType::kF32, {3, 28, 28})).ok());
  expect({"predict", Path("m.keras"), "--input", Path("x.npy"), "-o", Path("y.npy")}, Path("y.npy"));
  expect({"predict", Path("m.keras"), "--input", Path("x.npy"), "-o", Path("y.npz")}, Path("y.npz"));
  std::ofstream(Path("p.fbg")) << "%x = input : f32[N,8]\n%0 = tanh %x : f32[N,8]\nreturn y = %0\n";
  expect({"opt", Path("p.fbg"), "--passes=dce", "-o", Path("q.fbg")}, Path("q.fbg"));
  expect({"explain", Path("p.fbg"), "--profile", Path("t.json")}, Path("t.json"));
  expect({"bench", "--filter", "^start", "--seconds", "0", "--json", Path("b.json")}, Path("b.json"));
}

TEST_F(Contract, HelpAndVersionAreResults) {
  const ProcessResult help = Fusebox({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* verb :
       {"train", "evaluate", "predict", "summary", "dump", "plot", "curves", "plugins", "opt", "explain", "bench"}) {
    EXPECT_THAT(help.output, HasSubstr(verb));
  }
  EXPECT_THAT(help.errors, IsEmpty());
  EXPECT_THAT(Fusebox({"--version"}).output, StartsWith("fusebox "));
  EXPECT_EQ(Fusebox({"train", "--help"}).exit_code, 0);
}

TEST_F(Contract, LooksAtAModel) {
  const ProcessResult old = Fusebox({"summary", FUSEBOX_SOURCE_DIR "/tests/data/tf_keras/nested.h5"});
  EXPECT_THAT(old.output, HasSubstr("Total params: 81 (324.00 B)")) << old.errors;
  EXPECT_THAT(Fusebox({"summary", "fashion_mnist_mlp"}).output, HasSubstr("Total params: 266,610 (1.02 MB)"));
  const ProcessResult graph = Fusebox({"dump", "fashion_mnist_mlp"});
  EXPECT_EQ(graph.exit_code, 0) << graph.errors;
  EXPECT_THAT(graph.output, AllOf(HasSubstr("%dense/kernel = state"), HasSubstr("gradient"), HasSubstr("@dense")));
  EXPECT_THAT(Fusebox({"dump", "fashion_mnist_mlp", "--emit=json"}).output, HasSubstr("\"op\": \"matmul\""));
  EXPECT_THAT(Fusebox({"dump", "fashion_mnist_mlp", "--emit=dot"}).output, StartsWith("digraph"));
  std::ofstream(Path("m.fbg")) << graph.output;
  EXPECT_THAT(Fusebox({"summary", Path("m.fbg")}).output, HasSubstr("Total params: 266,610"));
  const ProcessResult opt = Fusebox({"opt", Path("m.fbg"), "--passes=differentiate"});
  EXPECT_EQ(opt.exit_code, 0) << opt.errors;
  EXPECT_THAT(opt.output, Not(HasSubstr("= gradient ")));
  ExpectError(Fusebox({"opt", Path("m.fbg"), "--passes=diferentiate"}), 1, "did you mean 'differentiate'?");
}

TEST_F(Contract, ListsAndDescribesPlugins) {
  const ProcessResult list = Fusebox({"plugins", "list"});
  EXPECT_EQ(list.exit_code, 0) << list.errors;
  EXPECT_THAT(list.output, AllOf(HasSubstr("dense"), HasSubstr("sgd"), HasSubstr("fashion_mnist_mlp")));
  const ProcessResult dense = Fusebox({"plugins", "describe", "dense"});
  EXPECT_THAT(dense.output, AllOf(HasSubstr("layer fusebox/dense@1"), HasSubstr("units"), HasSubstr("glorot_uniform")));
  EXPECT_THAT(Fusebox({"plugins", "describe", "dense", "--json"}).output, HasSubstr("\"id\": \"fusebox/dense@1\""));
  EXPECT_THAT(Fusebox({"plugins", "describe", "fashion_mnist_mlp"}).output,
              HasSubstr("model fusebox/fashion_mnist_mlp@1"));
}

}  // namespace
}  // namespace fusebox::testing
