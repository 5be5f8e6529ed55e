// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plugins/registry.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>

#include "fusebox/runtime/plugins/nearest.h"
#include "tests/plugins/plugins.h"

namespace fusebox {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Registry, HasTheBuiltIns) {
  EXPECT_THAT(BuiltIns().refused(), IsEmpty());
  const std::pair<uint32_t, std::vector<const char*>> kItems[] = {
      {FB_LAYER, {"flatten", "dense", "dropout", "batch_normalization"}},
      {FB_ACTIVATION, {"linear", "relu", "sigmoid", "tanh", "softmax"}},
      {FB_LOSS, {"sparse_categorical_crossentropy", "mean_squared_error"}},
      {FB_METRIC, {"accuracy"}},
      {FB_OPTIMIZER, {"sgd"}},
      {FB_INITIALIZER, {"zeros", "glorot_uniform", "he_normal"}},
      {FB_CALLBACK, {"progress", "history"}},
      {FB_DATASET, {"fashion_mnist"}},
  };
  for (const auto& [kind, names] : kItems) {
    for (const char* name : names) {
      const auto item = BuiltIns().Find(kind, name);
      ASSERT_OK(item);
      EXPECT_EQ((*item)->key(), fmt::format("fusebox/{}@1", name));
      EXPECT_NE((*item)->doc, "");
    }
  }
}

TEST(Registry, TakesTheSameFileOnce) {
  const std::string link = std::filesystem::temp_directory_path() / fmt::format("fusebox-registry-{}.so", getpid());
  std::filesystem::create_symlink(kBuiltIns + "/layers.so", link);
  Registry registry;
  EXPECT_OK(registry.Load(kBuiltIns + "/layers.so"));
  EXPECT_OK(registry.Load(link));
  EXPECT_OK(registry.Load(kBuiltIns + "/../plugins/layers.so"));
  EXPECT_EQ(registry.libraries().size(), 1u);
  std::filesystem::remove(link);
}

TEST(Registry, FindsABareNameThatOnlyOneHas) {
  Registry registry;
  registry.LoadFolder(kBuiltIns);
  ASSERT_OK(registry.Load(BadLibrary("same_name_left")));
  ASSERT_OK_AND_ASSIGN(const PluginItem* gate, registry.Find(FB_LAYER, "gate"));
  EXPECT_EQ(gate->key(), "left/gate@1");
  ASSERT_OK(registry.Load(BadLibrary("same_name_right")));
  EXPECT_THAT(
      registry.Find(FB_LAYER, "gate"),
      StatusHasMessage("layer 'gate' could be left/gate of plugin left 1.0.0 or right/gate of plugin right 1.0.0: "
                       "name it in full"));
  ASSERT_OK_AND_ASSIGN(gate, registry.Find(FB_LAYER, "right/gate@1"));
  EXPECT_EQ(gate->key(), "right/gate@1");
  EXPECT_THAT(registry.Find(FB_LAYER, "right/gate@2"),
              StatusHasMessage("unknown layer 'right/gate@2': did you mean 'right/gate@1'?"));
  EXPECT_THAT(registry.Find(FB_LAYER, "gate@x"), StatusHasMessage("layer 'gate@x': a number expected after '@'"));
  EXPECT_OK(registry.Find(FB_LAYER, "dense@1"));
}

TEST(Registry, NamesTheNearestOfWhatIsUnknown) {
  const auto error = [](uint32_t kind, const char* name) {
    const auto found = BuiltIns().Find(kind, name);
    EXPECT_TRUE(absl::IsNotFound(found.status()));
    return std::string(found.status().message());
  };
  EXPECT_EQ(error(FB_LAYER, "dens"), "unknown layer 'dens': did you mean 'dense'?");
  EXPECT_EQ(error(FB_OPTIMIZER, "gsd"), "unknown optimizer 'gsd': did you mean 'sgd'?");
  EXPECT_EQ(error(FB_OPTIMIZER, "adamm"), "unknown optimizer 'adamm': did you mean 'adam', 'adamw' or 'adamax'?");
  EXPECT_EQ(error(FB_LOSS, "mean_square_error"),
            "unknown loss 'mean_square_error': did you mean 'mean_squared_error'?");
  EXPECT_EQ(error(FB_METRIC, "Acuracy"), "unknown metric 'Acuracy': did you mean 'accuracy'?");
  EXPECT_THAT(Registry().Find(FB_SCHEDULE, "cosine"), StatusHasMessage("unknown schedule 'cosine': none are known"));
  EXPECT_EQ(error(FB_DATASET, "acme/dense"),
            "unknown dataset 'acme/dense': known are 'fusebox/california_housing', 'fusebox/fashion_mnist'");
}

TEST(Registry, KnowsKerassOtherNames) {
  ASSERT_OK_AND_ASSIGN(const PluginItem* uniform, BuiltIns().Find(FB_INITIALIZER, "uniform"));
  EXPECT_EQ(uniform->key(), "fusebox/random_uniform@1");
  ASSERT_OK_AND_ASSIGN(const PluginItem* ones, BuiltIns().Find(FB_INITIALIZER, "one@1"));
  EXPECT_EQ(ones->key(), "fusebox/ones@1");
}

TEST(Registry, ResolvesToTheFullKeyAndAllAttributes) {
  ASSERT_OK_AND_ASSIGN(const ItemSpec dense, BuiltIns().Resolve(FB_LAYER, Spec("dense:units=300,activation=relu")));
  EXPECT_EQ(dense.id, "fusebox/dense@1");
  EXPECT_EQ(dense.attributes, (ItemAttributes{{"activation", "relu"},
                                              {"bias_initializer", "zeros"},
                                              {"kernel_initializer", "glorot_uniform"},
                                              {"units", int64_t{300}},
                                              {"use_bias", true}}));
  ASSERT_OK_AND_ASSIGN(const ItemSpec again, BuiltIns().Resolve(FB_LAYER, dense));
  EXPECT_EQ(again, dense);
  ASSERT_OK_AND_ASSIGN(const ItemSpec sgd, BuiltIns().Resolve(FB_OPTIMIZER, Spec("sgd:learning_rate=1")));
  EXPECT_EQ(sgd.attributes.at("learning_rate"), AttributeValue(1.0));  // An int where a float is needed.
}

TEST(Registry, ChecksAttributes) {
  const auto error = [](uint32_t kind, const char* spec) {
    return std::string(BuiltIns().Resolve(kind, Spec(spec)).status().message());
  };
  const std::string who = "layer fusebox/dense@1 of plugin fusebox/layers " +
                          (*BuiltIns().Find(FB_LAYER, "dense"))->library->version + ": ";
  EXPECT_EQ(error(FB_LAYER, "dense"), who + "needs attribute 'units', an int of at least 1: width of the output");
  EXPECT_EQ(error(FB_LAYER, "dense:units=-3"), who + "attribute 'units' must be an int of at least 1, got -3");
  EXPECT_EQ(error(FB_LAYER, "dense:units=2.5"), who + "attribute 'units' must be an int of at least 1, got 2.5");
  EXPECT_EQ(error(FB_LAYER, "dense:units=ten"), who + "attribute 'units' must be an int of at least 1, got 'ten'");
  EXPECT_EQ(error(FB_LAYER, "dense:units=[1;2]"), who + "attribute 'units' must be an int of at least 1, got [1, 2]");
  EXPECT_EQ(error(FB_LAYER, "dense:unit=3"), who + "has no attribute 'unit': did you mean 'units'?");
  EXPECT_EQ(error(FB_LAYER, "dense:units=3,use_bias=1"), who + "attribute 'use_bias' must be true or false, got 1");
  EXPECT_EQ(error(FB_LAYER, "dense:units=3,activation=rellu"),
            who + "attribute 'activation': unknown activation 'rellu': did you mean 'relu', 'celu' or 'elu'?");
  EXPECT_EQ(error(FB_LAYER, "dense:units=3,activation=''"),
            who + "attribute 'activation' must be the name of a known activation, got ''");
  EXPECT_THAT(error(FB_LAYER, "dense:units=3,kernel_initializer='zeros:value=3'"),
              AllOf(HasSubstr(who + "attribute 'kernel_initializer': initializer fusebox/zeros@1"),
                    HasSubstr("has no attribute 'value', nor any other")));
  EXPECT_THAT(error(FB_OPTIMIZER, "sgd:momentum=1.5"),
              HasSubstr("attribute 'momentum' must be a float in [0, 1], got 1.5"));
  EXPECT_THAT(
      error(FB_OPTIMIZER, "sgd:learning_rate=nan"),
      HasSubstr("attribute 'learning_rate' must be a float of at least 0, or the name of a known schedule, got nan"));
}

// Keras's base class has attributes that optimizers do not declare themselves; neither do those of third-party plugins.
TEST(Registry, KnowsWhatEveryOptimizerMayBeGiven) {
  ASSERT_OK_AND_ASSIGN(const ItemSpec sgd,
                       BuiltIns().Resolve(FB_OPTIMIZER, Spec("sgd:clipnorm=1,lr=0.5,use_ema=true")));
  EXPECT_EQ(sgd.attributes,
            (ItemAttributes{
                {"clipnorm", 1.0}, {"learning_rate", 0.5}, {"momentum", 0.0}, {"nesterov", false}, {"use_ema", true}}));
  // AdamW declares its own weight_decay.
  ASSERT_OK_AND_ASSIGN(const ItemSpec adamw, BuiltIns().Resolve(FB_OPTIMIZER, Spec("adamw")));
  EXPECT_EQ(adamw.attributes.at("weight_decay"), AttributeValue(0.004));
  ASSERT_OK_AND_ASSIGN(const ItemSpec adam, BuiltIns().Resolve(FB_OPTIMIZER, Spec("adam")));
  EXPECT_FALSE(adam.attributes.contains("weight_decay"));

  const std::string who = "optimizer fusebox/sgd@1 of plugin fusebox/optimizers " +
                          (*BuiltIns().Find(FB_OPTIMIZER, "sgd"))->library->version + ": ";
  const auto error = [&](const std::string& spec) {
    const absl::StatusOr<ItemSpec> resolved = BuiltIns().Resolve(FB_OPTIMIZER, Spec("sgd:" + spec));
    EXPECT_THAT(std::string(resolved.status().message()), ::testing::StartsWith(who));
    return std::string(resolved.status().message()).substr(std::min(who.size(), resolved.status().message().size()));
  };
  EXPECT_EQ(error("clipnorm=1,global_clipnorm=0.5"),
            "only one of clipnorm, clipvalue and global_clipnorm may be given, got clipnorm=1, global_clipnorm=0.5");
  EXPECT_EQ(error("lr=1,learning_rate=1"), "learning_rate and its alias lr are both given");
  EXPECT_EQ(error("clip_norm=1"), "has no attribute 'clip_norm': did you mean 'clipnorm'?");
  EXPECT_EQ(error("clipvalue=-1"), "attribute 'clipvalue' must be a float of at least 0, got -1");
  EXPECT_EQ(error("ema_momentum=1.5"), "attribute 'ema_momentum' must be a float in [0, 1], got 1.5");
  EXPECT_EQ(error("ema_overwrite_frequency=0"),
            "attribute 'ema_overwrite_frequency' must be an int of at least 1, got 0");
  EXPECT_EQ(error("gradient_accumulation_steps=1"),
            "attribute 'gradient_accumulation_steps' must be an int of at least 2, got 1");
  EXPECT_EQ(error("loss_scale_factor=0"), "attribute 'loss_scale_factor' must not be 0");
  EXPECT_EQ(error("learning_rate=cosine_decai"),
            "attribute 'learning_rate': unknown schedule 'cosine_decai': did you mean 'cosine_decay'?");
}

TEST(Registry, SearchesListsInOrder) {
  Registry registry;
  registry.LoadSearchPath(BadLibrary("same_name_left") + "::" + BadLibrary("second_dense") + ":/missing/folder.so");
  EXPECT_OK(registry.Find(FB_LAYER, "left/gate"));
  // The first library keeps the key, and the later one is left out as a whole.
  ASSERT_OK_AND_ASSIGN(const PluginItem* dense, registry.Find(FB_LAYER, "dense"));
  EXPECT_EQ(dense->library->id, "second");
  EXPECT_FALSE(registry.Find(FB_LAYER, "flatten").ok());
  EXPECT_THAT(registry.refused(), ::testing::Contains(HasSubstr("/missing/folder.so: No such file or directory")));
  EXPECT_OK(registry.Find(FB_OPTIMIZER, "sgd"));  // Found in the folder beside libfusebox.
}

// The whole start-up cost of a program. The bound is generous: machines are busy when tests run.
TEST(Registry, LoadsInMilliseconds) {
  const auto begin = std::chrono::steady_clock::now();
  Registry registry;
  registry.LoadFolder(kBuiltIns);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{} libraries in {:.2f} ms\n", registry.libraries().size(), took.count());
  EXPECT_LT(took.count(), 100);
}

// Symbols of one plugin must not conflict with those of another.
TEST(PluginLibrary, ExportsItsEntryAlone) {
  int checked = 0;
  for (const auto& file : std::filesystem::directory_iterator(kBuiltIns)) {
    if (file.path().extension() != ".so") continue;
    const std::string command = fmt::format("nm -D --defined-only '{}'", file.path().string());
    FILE* pipe = popen(command.c_str(), "r");
    ASSERT_NE(pipe, nullptr);
    std::string text;
    for (int c; (c = std::fgetc(pipe)) != EOF;) text += char(c);
    EXPECT_EQ(pclose(pipe), 0);
    EXPECT_THAT(text, ::testing::MatchesRegex("[0-9a-f]+ [TW] fusebox_plugin\n")) << file.path();
    ++checked;
  }
  EXPECT_GE(checked, 8);
}

TEST(EditDistance, CountsLettersAndSwaps) {
  EXPECT_EQ(EditDistance("", ""), 0);
  EXPECT_EQ(EditDistance("relu", "relu"), 0);
  EXPECT_EQ(EditDistance("relu", "ReLU"), 0);
  EXPECT_EQ(EditDistance("rellu", "relu"), 1);
  EXPECT_EQ(EditDistance("gsd", "sgd"), 1);
  EXPECT_EQ(EditDistance("abc", ""), 3);
  EXPECT_EQ(EditDistance("adam", "sgd"), 4);
}

TEST(SuggestNames, TakesTheNearestThree) {
  const std::vector<std::string> known = {"mean", "means", "meant", "men", "softmax"};
  EXPECT_EQ(SuggestNames("meat", known), "did you mean 'mean', 'meant' or 'means'?");
  EXPECT_EQ(SuggestNames("convolution", known), "known are 'mean', 'means', 'meant', 'men', 'softmax'");
  EXPECT_EQ(SuggestNames("x", std::vector<std::string>{}), "none are known");
}

}  // namespace
}  // namespace fusebox
