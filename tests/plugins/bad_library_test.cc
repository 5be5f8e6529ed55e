// SPDX-License-Identifier: Apache-2.0
// Libraries with one defect each: the registry's message, and that nothing of the library remains.
#include <elf.h>
#include <unistd.h>

#include <algorithm>
#include <cfenv>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "fusebox/runtime/plugins/objects.h"
#include "tests/plugins/plugins.h"

namespace fusebox {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class BadLibrary : public ::testing::Test {
 protected:
  BadLibrary() : folder_(std::filesystem::temp_directory_path() / fmt::format("fusebox-bad-library-{}", getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~BadLibrary() override { std::filesystem::remove_all(folder_); }

  // The end of the last segment: the rest of the file is for debuggers, and may be missing.
  static size_t EndOfSegments(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    Elf64_Ehdr header;
    file.read(reinterpret_cast<char*>(&header), sizeof header);
    file.seekg(std::streamoff(header.e_phoff));
    size_t end = 0;
    for (int i = 0; i < header.e_phnum; ++i) {
      Elf64_Phdr segment;
      file.read(reinterpret_cast<char*>(&segment), sizeof segment);
      if (segment.p_type == PT_LOAD) end = std::max(end, size_t(segment.p_offset + segment.p_filesz));
    }
    EXPECT_TRUE(file.good()) << path;
    return end;
  }

  // The message of Load, after the file's name.
  static std::string Refusal(const std::string& path) {
    Registry registry;
    const absl::Status status = registry.Load(path);
    EXPECT_TRUE(registry.items().empty());
    EXPECT_TRUE(registry.libraries().empty());
    const std::string message(status.message());
    EXPECT_THAT(message, StartsWith(path + ": "));
    return message.substr(std::min(message.size(), path.size() + 2));
  }

  std::filesystem::path folder_;
};

TEST_F(BadLibrary, IsNamedWithItsReason) {
  EXPECT_EQ(Refusal(testing::BadLibrary("wrong_abi")), "needs plugin ABI 2.0, this is 1.0");
  EXPECT_EQ(Refusal(testing::BadLibrary("newer_minor")), "needs plugin ABI 1.99, this is 1.0");
  EXPECT_EQ(Refusal(testing::BadLibrary("no_magic")), "its descriptor has no magic number");
  EXPECT_EQ(Refusal(testing::BadLibrary("no_entry")), "exports no fusebox_plugin, so it is no plugin");
  EXPECT_EQ(Refusal(testing::BadLibrary("undefined_symbol")),
            "cannot be loaded: undefined symbol: a_function_that_nobody_has");
  EXPECT_EQ(Refusal(testing::BadLibrary("twice")), "brings metric bad/error@1 twice");
  EXPECT_EQ(Refusal(testing::BadLibrary("throws_at_entry")), "failed while it was asked what it brings: not today");
}

TEST_F(BadLibrary, NeedNotBeALibraryAtAll) {
  EXPECT_EQ(Refusal(folder_ / "missing.so"), "No such file or directory");
  EXPECT_EQ(Refusal(folder_), "is not a file");

  const std::string text = folder_ / "text.so";
  std::ofstream(text) << "This is not a library, but it is longer than the header of one would have to be.\n";
  EXPECT_EQ(Refusal(text), "cannot be loaded: invalid ELF header");
  const std::string empty = folder_ / "empty.so";
  std::ofstream(empty).flush();
  EXPECT_EQ(Refusal(empty), "cannot be loaded: file too short");
}

// Some of these would crash the dynamic linker.
TEST_F(BadLibrary, MayBeCutOffAnywhere) {
  const std::string whole = kBuiltIns + "/optimizers.so", cut = folder_ / "cut.so";
  const size_t size = std::filesystem::file_size(whole), needed = EndOfSegments(whole);
  EXPECT_GT(needed, 1000U);
  for (size_t length = 0; length < size; length += 509) {
    std::filesystem::remove(cut);
    std::filesystem::copy_file(whole, cut);
    std::filesystem::resize_file(cut, length);
    const bool is_refused = !LoadLibrary(cut).ok();
    EXPECT_TRUE(is_refused || length >= needed) << length << " bytes of " << needed << " are taken";
  }
  std::filesystem::resize_file(cut, 1000);
  EXPECT_THAT(Refusal(cut), StartsWith("is truncated: expected "));
  EXPECT_THAT(Refusal(cut), EndsWith(", found 1000"));
}

TEST_F(BadLibrary, MayNotLieAboutItself) {
  const std::pair<const char*, const char*> kLies[] = {
      {"null library id", "has no id or no version"},
      {"empty version", "has no id or no version"},
      {"no register", "has no function register_items"},
      {"short library", "its descriptor has only 24 bytes"},
      {"null item", "registers a null item"},
      {"short item", "registers an item of only 8 bytes"},
      {"kind", "item 'liar/item' is of the unknown kind 77"},
      {"null id", "has a layer without an id"},
      {"bare id", "layer 'item' needs an id of the form namespace/name"},
      {"odd id", "layer 'liar/it em' needs an id of the form namespace/name"},
      {"major", "layer liar/item@0: its major version must be 1 or more"},
      {"no expand", "layer liar/item@1: has no expand function"},
      {"no hooks", "callback liar/item@1: has no hooks"},
      {"empty hooks", "callback liar/item@1: lacks one of its hooks"},
      {"null attributes", "layer liar/item@1: claims 2 attributes"},
      {"attribute count", "layer liar/item@1: claims 4000000000 attributes"},
      {"null name", "layer liar/item@1: has an attribute without a proper name"},
      {"attribute type", "layer liar/item@1: attribute 'second' is of the unknown type 99"},
      {"equal attributes", "layer liar/item@1: has two attributes 'first'"},
      {"default", "layer liar/item@1: attribute 'second' has the default 2, which is not in [0, 1]"},
      {"nan default", "layer liar/item@1: attribute 'second' has the default nan, which is not in [0, 1]"},
      {"range", "layer liar/item@1: attribute 'second' has the empty range [3, 1]"},
      {"program scalar", "layer liar/item@1: attribute 'second' is a program scalar, but no number"},
      {"reference", "layer liar/item@1: attribute 'second' refers to items of the unknown kind 0"},
      {"null ints", "layer liar/item@1: attribute 'second' has a null default"},
  };
  for (const auto& [lie, reason] : kLies) {
    SCOPED_TRACE(lie);
    setenv("LIE", lie, 1);
    EXPECT_EQ(Refusal(testing::BadLibrary("liar")), reason);
  }
  unsetenv("LIE");
  Registry registry;
  EXPECT_OK(registry.Load(testing::BadLibrary("liar")));  // The refusals above were due to LIE.
  EXPECT_EQ(registry.items().size(), 1u);
}

TEST_F(BadLibrary, LosesAllItsItemsIfOneKeyIsTaken) {
  Registry registry;
  ASSERT_OK(registry.Load(kBuiltIns + "/layers.so"));
  const size_t before = registry.items().size();
  EXPECT_THAT(
      registry.Load(testing::BadLibrary("second_dense")),
      StatusHasMessage(AllOf(HasSubstr("second_dense.so: plugin second 2.0.0 brings layer fusebox/dense@1, as does "
                                       "plugin fusebox/layers "),
                             EndsWith("layers.so)"))));
  EXPECT_EQ(registry.items().size(), before);
  EXPECT_THAT(registry.Find(FB_LAYER, "bad/before"), StatusHasMessage(HasSubstr("unknown layer 'bad/before'")));
}

TEST_F(BadLibrary, InAFolderIsLeftOutAndNoted) {
  std::filesystem::copy_file(kBuiltIns + "/layers.so", folder_ / "a.so");
  std::ofstream(folder_ / "b.so") << "not a library either, though it lies in a folder of libraries .......";
  std::ofstream(folder_ / "readme.txt") << "not even called one";
  Registry registry;
  registry.LoadFolder(folder_);
  EXPECT_OK(registry.Find(FB_LAYER, "dense"));
  EXPECT_THAT(registry.refused(), ::testing::ElementsAre(EndsWith("b.so: cannot be loaded: invalid ELF header")));
  EXPECT_THAT(registry.Find(FB_LAYER, "gated"),
              StatusHasMessage(HasSubstr("(plugin libraries refused: 1, the first is ")));
  Registry nothing;
  nothing.LoadFolder(folder_ / "missing");
  EXPECT_TRUE(nothing.items().empty());
}

TEST_F(BadLibrary, MayBeLongerThanWeKnow) {
  Registry registry;
  ASSERT_OK(registry.Load(testing::BadLibrary("longer_structs")));
  ASSERT_OK_AND_ASSIGN(const ItemSpec spec, registry.Resolve(FB_LAYER, {"later/layer", {}}));
  EXPECT_EQ(Print(spec), "later/layer@1:first=3,second=0.5");
  EXPECT_EQ(registry.libraries().at(0)->licence, "MIT");
}

TEST_F(BadLibrary, ChangesNoFloatingPointMode) {
  const volatile float tiny = 1e-40f;
  Registry registry;
  ASSERT_OK(registry.Load(testing::BadLibrary("float_mode")));
  EXPECT_GT(tiny * 0.5f, 0.0f);
#if defined(__x86_64__)
  EXPECT_TRUE(registry.libraries().at(0)->changed_float_mode);
#endif
  Expansion e(registry, FB_LAYER, "bad/harmless", {F32({kBatch, 2})});
  EXPECT_EQ(e.error(), "");
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
}

const Registry& Throwing() {
  static const Registry* const registry = [] {
    auto* r = new Registry;
    EXPECT_OK(r->Load(testing::BadLibrary("throws")));
    EXPECT_OK(r->Load(testing::BadLibrary("garbage")));
    return r;
  }();
  return *registry;
}

TEST(AnExceptionOutOfAPlugin, IsAnErrorThatNamesLayerAndPlugin) {
  const auto error = [](uint32_t kind, const char* item, const std::vector<Type>& inputs) {
    return Expansion(Throwing(), kind, item, inputs, "gate").error();
  };
  const Type x = F32({kBatch, 2});
  EXPECT_EQ(error(FB_LAYER, "bad/in_constructor", {x}),
            "'gate', layer bad/in_constructor@1 of plugin throws 1.0.0: threw something that is no std::exception");
  EXPECT_EQ(error(FB_LAYER, "bad/in_expand", {x}),
            "'gate', layer bad/in_expand@1 of plugin throws 1.0.0: the dog ate it");
  EXPECT_EQ(
      error(FB_LAYER, "bad/unknown_attribute", {x}),
      "'gate', layer bad/unknown_attribute@1 of plugin throws 1.0.0: its schema has no attribute 'units' of this type");
  EXPECT_THAT(error(FB_ACTIVATION, "bad/throws", {x}), EndsWith("no activation"));
  EXPECT_THAT(error(FB_LOSS, "bad/throws", {x, x}), EndsWith("no loss"));
  EXPECT_THAT(error(FB_METRIC, "bad/throws", {x, x}), EndsWith("no metric"));
  EXPECT_THAT(error(FB_OPTIMIZER, "bad/throws", {x, x, F32({})}), EndsWith("no optimizer"));
  HostBuilder b;
  EXPECT_FALSE(ExpandInitializer(b, Throwing(), Spec("bad/throws"), F32({3}), "kernel").ok());
  EXPECT_THAT(b.status(),
              StatusHasMessage("'kernel', initializer bad/throws@1 of plugin throws 1.0.0: no initializer"));
}

TEST(AnExceptionOutOfAPlugin, IsAnErrorOfCallbacks) {
  EXPECT_THAT(CallbackObject::Create(Throwing(), Spec("bad/callback_constructor")),
              StatusHasMessage("callback bad/callback_constructor@1 of plugin throws 1.0.0: no callback"));
  ASSERT_OK_AND_ASSIGN(CallbackObject callback, CallbackObject::Create(Throwing(), Spec("bad/callback_methods")));
  const std::string who = "callback bad/callback_methods@1 of plugin throws 1.0.0: ";
  CallbackEvent event{.kind = FB_EPOCH_END};
  EXPECT_THAT(callback.OnEvent(event), StatusHasMessage(who + "no epoch ends"));
  event.kind = FB_BATCH_END;
  EXPECT_THAT(callback.OnEvent(event), StatusHasMessage(who + "threw something that is no std::exception"));
  event.kind = FB_TRAIN_BEGIN;
  EXPECT_OK(callback.OnEvent(event));
  EXPECT_THAT(callback.SaveState(), StatusHasMessage(who + "no state saved"));
  EXPECT_THAT(callback.LoadState("x"), StatusHasMessage(who + "no state loaded"));
}

TEST(AnExceptionOutOfAPlugin, IsAnErrorOfDatasets) {
  EXPECT_THAT(DatasetObject::Create(Throwing(), Spec("bad/dataset_constructor")),
              StatusHasMessage(EndsWith(": threw something that is no std::exception")));
  ASSERT_OK_AND_ASSIGN(const DatasetObject no_splits, DatasetObject::Create(Throwing(), Spec("bad/dataset_splits")));
  EXPECT_THAT(no_splits.Splits(), StatusHasMessage("dataset bad/dataset_splits@1 of plugin throws 1.0.0: no splits"));
  ASSERT_OK_AND_ASSIGN(const DatasetObject no_arrays, DatasetObject::Create(Throwing(), Spec("bad/dataset_load")));
  EXPECT_THAT(no_arrays.Load("test"), StatusHasMessage("dataset bad/dataset_load@1 of plugin throws 1.0.0: no arrays"));
  EXPECT_THAT(
      no_arrays.Load("tset"),
      StatusHasMessage("dataset bad/dataset_load@1 of plugin throws 1.0.0: has no split 'tset': did you mean 'test'?"));
}

TEST(GarbageOutOfAPlugin, IsAnError) {
  const auto error = [](const std::string& name) {
    const Expansion e(Throwing(), FB_LAYER, "garbage/" + name, {F32({kBatch, 2})}, "g");
    EXPECT_FALSE(e.y.ok());
    const std::string who = fmt::format("'g', layer garbage/{}@1 of plugin garbage 1.0.0: ", name);
    EXPECT_THAT(e.error(), StartsWith(who));
    return e.error().substr(std::min(who.size(), e.error().size()));
  };
  EXPECT_EQ(error("unknown_value"), "returned the value 4711, which this graph does not have");
  EXPECT_EQ(error("no_value"), "returned no value");
  EXPECT_EQ(error("throws"), "threw across the plugin's border: over the border");
  EXPECT_EQ(error("throws_int"), "threw across the plugin's border");
  EXPECT_EQ(error("unknown_op"), "no op is named 'teleport'");
  EXPECT_EQ(error("unknown_input"), "tanh: value 4711 does not exist");
  EXPECT_EQ(error("weight_of_batch_size"), "weight 'kernel' needs fixed dimensions, got f32[N,3]");
  EXPECT_EQ(error("weight_twice"), "declares 'g/kernel' twice");
  EXPECT_EQ(error("assigns_to_input"), "assigns to what is no state of this program");

  const Expansion endless(Throwing(), FB_ACTIVATION, "garbage/itself", {F32({kBatch})});
  EXPECT_THAT(endless.error(), EndsWith("refers to items that refer to each other without end"));
  HostBuilder b;
  ExpandInitializer(b, Throwing(), Spec("garbage/other_type"), F32({3, 4}));
  EXPECT_THAT(b.status(), StatusHasMessage(EndsWith("was to make f32[3,4], and made f32[]")));
}

}  // namespace
}  // namespace fusebox
