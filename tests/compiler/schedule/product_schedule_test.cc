// SPDX-License-Identifier: Apache-2.0
// Schedules of matrix products: the model's choice for each machine, equal bits for all schedules, and validation of
// those on disk.
#include "fusebox/compiler/schedule/product_schedule.h"

#include <filesystem>
#include <fstream>
#include <set>

#include "fmt/format.h"
#include "fusebox/compiler/native/object_cache.h"
#include "fusebox/compiler/schedule/found_schedules.h"
#include "fusebox/compiler/schedule/schedule_model.h"
#include "fusebox/compiler/schedule/schedule_variations.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/compiler/run_jit.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr Target kAvx2 = {.vector_bytes = 32, .registers = 16, .fma = true, .caches = {}};
constexpr Target kAvx512 = {
    .vector_bytes = 64, .registers = 32, .fma = true, .caches = {.l1d = 48 << 10, .l2 = 2 << 20, .l3 = 32 << 20}};
constexpr Target kNeon = {.vector_bytes = 16, .registers = 32, .fma = true, .caches = {}};
constexpr Target kSse2 = {};

// ---- The model.

TEST(ProductSchedule, FitsEveryTargetAndShape) {
  for (const Target& target : {kAvx2, kAvx512, kNeon, kSse2}) {
    for (const DType dtype : {DType::kF32, DType::kF64}) {
      for (const int64_t m : {0, 1, 2, 3, 7, 64, 1000}) {
        for (const int64_t k : {0, 1, 30, 784, 4096}) {
          for (const int64_t n : {-1, 0, 1, 100, 1000, 4096}) {
            for (const Layout layout : {Layout::kExact, Layout::kPadded, Layout::kPanels}) {
              const ProductShape shape = {.m = m,
                                          .k = k,
                                          .n = n,
                                          .rows = 32,
                                          .dtype = dtype,
                                          .layout_of_b = layout,
                                          .in_panels = layout == Layout::kPanels};
              const ProductSchedule schedule = ChooseSchedule(shape, target);
              ASSERT_TRUE(IsValid(schedule, shape, target)) << ToString(shape) << ": " << ToString(schedule);
              std::set<std::string> seen = {ToString(schedule)};
              for (const ProductSchedule& other : Variations(schedule, shape, target)) {
                ASSERT_TRUE(IsValid(other, shape, target)) << ToString(shape) << ": " << ToString(other);
                ASSERT_TRUE(seen.insert(ToString(other)).second) << "twice: " << ToString(other);
              }
            }
          }
        }
      }
    }
  }
}

// Two multiply-adds per cycle with a latency of four or five cycles are kept busy by ten accumulators.
TEST(ProductSchedule, TilesHaveAccumulatorsEnough) {
  const auto tile = [](const Target& target) {
    const ProductSchedule s = ChooseSchedule({.m = 96, .k = 64, .n = 96}, target);
    return s.tile_rows * s.tile_vectors;
  };
  for (const Target& target : {kAvx2, kAvx512, kNeon, kSse2}) EXPECT_GE(tile(target), 10);
}

// Weights that the program writes: whole panels for two and four threads, as even as possible.
TEST(ProductSchedule, PanelsOfWeightsAreEven) {
  const auto tile = [](int64_t n, bool in_panels) {
    const ProductSchedule s = ChooseSchedule({.m = 32, .k = 784, .n = n, .in_panels = in_panels}, kAvx512);
    return std::pair(s.tile_rows, s.tile_vectors);
  };
  EXPECT_EQ(tile(300, true), std::pair(5L, 5L));  // 10 and 9 vectors of the 19; by fours they would be 12 and 7.
  EXPECT_EQ(tile(300, false), std::pair(6L, 4L));
  EXPECT_EQ(tile(512, true), tile(512, false));  // Eight panels are even.
}

// Larger caches give larger blocks.
TEST(ProductSchedule, BlocksFollowTheCaches) {
  const ProductShape large = {.m = 1024, .k = 1024, .n = 1024};
  Target target = kAvx2;
  const ProductSchedule small = ChooseSchedule(large, target);
  EXPECT_EQ(small.k, 128);
  EXPECT_EQ(small.rows, 192);
  EXPECT_TRUE(small.copies_a);
  EXPECT_GT(small.copied_panels, 0);
  target.caches.l1d *= 2;
  EXPECT_EQ(ChooseSchedule(large, target).k, 256);
  target.caches.l2 = 8 << 20;  // All of B fits into half of it.
  EXPECT_EQ(ChooseSchedule({.m = 1000, .k = 1000, .n = 1000}, target).k, 0);
  // With few rows: as many rows of B as the first-level cache holds, but at least as many as there may be streams.
  EXPECT_EQ(ChooseSchedule({.m = 4, .k = 2048, .n = 2048}, kAvx2).k, 8);
  EXPECT_EQ(ChooseSchedule({.m = 4, .k = 784, .n = 300}, kAvx2).k, 24);
  // One row reads B once, in pieces as long as possible; from a distant B, row by row.
  target = kAvx2;
  target.caches.l3 = 32 << 20;
  const ProductSchedule one = ChooseSchedule({.m = 1, .k = 784, .n = 300}, target);
  EXPECT_EQ(one.k, 0);
  EXPECT_GE(one.tile_vectors, 13) << "38 vectors are three tiles";
  EXPECT_EQ(ChooseSchedule({.m = 1, .k = 4096, .n = 4096}, target).k, 8);
}

// A panel of B takes its share of the first-level cache, for any width of the tile's vectors.
TEST(ProductSchedule, WidePanelsAreShorter) {
  const ProductSchedule s = ChooseSchedule({.m = 2048, .k = 2048, .n = 2048}, kAvx512);
  EXPECT_EQ(ToString(s), "tile=6x4 k=128 rows=512 a=1 b=1");
  EXPECT_LE(s.k * s.tile_vectors * 64, kAvx512.caches.l1d * 2 / 3);
}

// Rows of B that are pages apart are read in place, no more of them than the TLB covers; with many row tiles, from a
// copy.
TEST(ProductSchedule, FewRowsReadFewPages) {
  for (const Target& target : {kAvx2, kAvx512}) {
    const ProductSchedule few = ChooseSchedule({.m = 32, .k = 1024, .n = 4096}, target);
    EXPECT_EQ(few.k, 64);
    EXPECT_EQ(few.copied_panels, 0);
    EXPECT_EQ(ChooseSchedule({.m = 32, .k = 1024, .n = 1000}, target).k, 128) << "of shorter rows, more";
    const ProductSchedule many = ChooseSchedule({.m = 1024, .k = 1024, .n = 4096}, target);
    EXPECT_EQ(many.k, 128);
    EXPECT_GT(many.copied_panels, 0);
  }
}

// A B in the second-level cache: tiles of wide vectors need more of it than arrives in time, so panels go to the first
// level.
TEST(ProductSchedule, WideTilesOfANearOperandGoByBlocks) {
  const ProductShape shape = {.m = 32, .k = 784, .n = 300};
  EXPECT_EQ(ChooseSchedule(shape, kAvx512).k, 128);
  Target narrow = kAvx2;
  narrow.caches = kAvx512.caches;
  EXPECT_EQ(ChooseSchedule(shape, narrow).k, 0);
  const ProductSchedule square = ChooseSchedule({.m = 512, .k = 512, .n = 512}, kAvx512);
  EXPECT_EQ(square.k, 0) << "its sums would not be as near";
  EXPECT_EQ(square.rows, 128) << "rows of A that stay in the second level";
}

// Columns of a data set's rows are copied if enough panels read them, otherwise nothing is copied.
TEST(ProductSchedule, ScatteredRowsAreCopiedForManyReaders) {
  ProductShape shape = {.m = 784, .k = 128, .n = 300, .transposed = true, .rows_of_data = true};
  const ProductSchedule narrow = ChooseSchedule(shape, kAvx2);
  EXPECT_TRUE(narrow.copies_a);
  EXPECT_EQ(narrow.k, 128);
  EXPECT_EQ(ChooseSchedule(shape, kAvx512).k, 0) << "five panels";
  shape.n = 1024;
  EXPECT_TRUE(ChooseSchedule(shape, kAvx512).copies_a);
}

TEST(ProductSchedule, IsRefusedWhereItCannotBe) {
  const ProductShape shape = {.m = 64, .k = 300, .n = 100};
  const auto valid = [&](ProductSchedule s) { return IsValid(s, shape, kAvx2); };
  EXPECT_TRUE(valid({.tile_rows = 6, .tile_vectors = 2}));
  EXPECT_FALSE(valid({.tile_rows = 7, .tile_vectors = 2})) << "17 registers";
  EXPECT_TRUE(valid({.tile_rows = 1, .tile_vectors = 15}));
  EXPECT_FALSE(valid({.tile_rows = 1, .tile_vectors = 16}));
  EXPECT_FALSE(valid({.tile_rows = 0, .tile_vectors = 2}));
  EXPECT_FALSE(valid({.tile_rows = 6, .tile_vectors = 0}));
  EXPECT_FALSE(valid({.tile_rows = 6, .tile_vectors = 2, .k = -1}));
  EXPECT_FALSE(valid({.tile_rows = 6, .tile_vectors = 2, .k = 301})) << "more than there is";
  EXPECT_FALSE(valid({.tile_rows = 6, .tile_vectors = 2, .copies_a = true})) << "no block to copy";
  EXPECT_FALSE(valid({.tile_rows = 6, .tile_vectors = 2, .k = 300, .copied_panels = 1 << 20})) << "no such stack";
  EXPECT_FALSE(IsValid({.tile_rows = 6, .tile_vectors = 2, .k = 8}, {.m = 4, .k = 16, .n = -1, .rows = 9}, kAvx2))
      << "sums of a symbolic width";
  EXPECT_FALSE(IsValid({.tile_rows = 4, .tile_vectors = 3}, {.m = 4, .k = 9, .n = 50, .in_panels = true}, kAvx2))
      << "one and a half panels";
}

TEST(ProductSchedule, TextIsReadBackExactly) {
  const ProductSchedule s = {
      .tile_rows = 6, .tile_vectors = 2, .k = 128, .rows = 192, .columns = 5, .copies_a = true, .copied_panels = 8};
  EXPECT_EQ(ToString(s), "tile=6x2 k=128 rows=192 columns=5 a=1 b=8");
  EXPECT_EQ(ParseProductSchedule(ToString(s)), s);
  EXPECT_EQ(ParseProductSchedule("tile=1x1"), ProductSchedule());
  for (const char* text :
       {"", "tile", "tile=", "tile=6", "tile=x", "tile=6x2 ", "tile=6x2 k=", "tile=6x2 k=-1", "k=8", "tile=6x2 q=1",
        "tile=6x2 k=8 k=8", "tile=6x2 a=2", "tile=6x2 k=99999999999999999999", "tile=6x2\n"}) {
    EXPECT_EQ(ParseProductSchedule(text), std::nullopt) << text;
  }
}

// ---- Results.

Evaluation RunWith(const Graph& graph, const Bindings& bindings, int64_t row_capacity, const ScheduleSource& source,
                   std::vector<ScheduledProduct>* products = nullptr) {
  const auto program = Compile(graph, {.row_capacity = row_capacity, .pack_from_bytes = 0, .schedule = source});
  EXPECT_OK(program.status());
  if (!program.ok()) return {};
  if (products != nullptr) {
    for (const KernelReport& kernel : program->report().kernels) {
      if (kernel.product) products->push_back(*kernel.product);
    }
  }
  auto one = RunStep(*program, bindings, 1), three = RunStep(*program, bindings, 3);
  EXPECT_OK(one.status());
  EXPECT_OK(three.status());
  EXPECT_TRUE(one->outputs == three->outputs && one->states == three->states) << "threads change bits";
  return *std::move(one);
}

// Tests each variation of each product's schedule, and variations of these, on whole and partial batches.
void ExpectSameBits(const std::string& text, int64_t row_capacity, int64_t batch) {
  const Graph graph = ParseGraph(text);
  const Bindings bindings = RandomBindings(graph, 5, batch);
  ASSERT_OK_AND_ASSIGN(const Machine* const machine, FindMachine("", /*to_run=*/true));
  std::vector<ScheduledProduct> products;
  const Evaluation want = RunWith(graph, bindings, row_capacity, {}, &products);
  ASSERT_THAT(products, Not(IsEmpty()));
  size_t runs = 0;
  bool more = true;
  for (size_t i = 0; more; ++i) {
    more = false;
    std::string what;
    const auto source = [&](const ProductShape& shape) -> std::optional<ProductSchedule> {
      const ProductSchedule model = ChooseSchedule(shape, machine->target);
      const auto near = Variations(model, shape, machine->target);
      const auto far = near.empty() ? near : Variations(near[i % near.size()], shape, machine->target);
      more |= i + 1 < near.size();
      if (near.empty()) return std::nullopt;
      const ProductSchedule s = i % 2 == 0 || far.empty() ? near[i % near.size()] : far[(7 * i) % far.size()];
      what += ToString(shape) + ": " + ToString(s) + "\n";
      return s;
    };
    const Evaluation got = RunWith(graph, bindings, row_capacity, source);
    ++runs;
    ASSERT_TRUE(want.outputs == got.outputs) << what;
    ASSERT_TRUE(want.states == got.states) << what;
  }
  EXPECT_GE(runs, 8);
}

constexpr const char* kLayers = R"(
    %x = input                    : f32[N,70]
    %v = state {kind = "weight"}  : f32[70,52]
    %w = state {kind = "weight"}  : f32[52,33]
    %0 = matmul %x, %v            : f32[N,52]
    %1 = max %0, 0                : f32[N,52]
    %2 = matmul %1, %w            : f32[N,33]
    %3 = matmul %1, %2 {transpose_a = true} : f32[52,33]
    %4 = multiply %3, 0.01        : f32[52,33]
    %5 = subtract %w, %4          : f32[52,33]
    update %w = %5
    return y = %2)";

TEST(ProductSchedule, NoneChangesABit) {
  ExpectSameBits(kLayers, 29, 29);
  ExpectSameBits(kLayers, 29, 18);
}

TEST(ProductSchedule, NoneChangesABitOfLargeProducts) {
  const auto product = [](std::string_view a, std::string_view b, std::string_view c, bool transposed) {
    return fmt::format(
        "%a = input : f32{}\n%b = input : f32{}\n%0 = matmul %a, %b {{transpose_a = {}}} : f32{}\n"
        "return c = %0\n",
        a, b, transposed, c);
  };
  ExpectSameBits(product("[1,300]", "[300,403]", "[1,403]", false), 1, 1);
  ExpectSameBits(product("[300,5]", "[300,403]", "[5,403]", true), 1, 1);
  ExpectSameBits(product("[270,50]", "[270,330]", "[50,330]", true), 1, 1);
  ExpectSameBits(product("[N,290]", "[290,300]", "[N,300]", false), 103, 77);
}

// ---- On disk.

class FoundSchedulesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = (fs::path(::testing::TempDir()) / "fusebox_tuned_XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    const char* value = std::getenv("FUSEBOX_CACHE_DIR");
    if (value != nullptr) before_ = value;
    setenv("FUSEBOX_CACHE_DIR", folder.c_str(), 1);
    ASSERT_OK_AND_ASSIGN(machine_, FindMachine("", /*to_run=*/true));
  }
  void TearDown() override {
    before_ ? setenv("FUSEBOX_CACHE_DIR", before_->c_str(), 1) : unsetenv("FUSEBOX_CACHE_DIR");
    fs::remove_all(folder_);
  }

  std::vector<fs::path> Files() const { return {fs::directory_iterator(folder_), {}}; }
  std::optional<ProductSchedule> Find(const ProductShape& shape) const {
    const ScheduleSource found = FoundSchedules(*machine_);
    return found ? found(shape) : std::nullopt;
  }
  // The schedule of the only product of kProgram.
  static ScheduledProduct Compiled(bool* hit = nullptr) {
    const auto program = Compile(ParseGraph(kProgram), {.row_capacity = 32});
    EXPECT_OK(program.status());
    if (hit != nullptr) *hit = program->report().cache_hit;
    return *program->report().kernels.at(0).product;
  }

  static constexpr const char* kProgram = R"(
    %x = input         : f32[N,40]
    %w = input         : f32[40,50]
    %0 = matmul %x, %w : f32[N,50]
    return y = %0)";
  const ProductSchedule kSmall = {.tile_rows = 2, .tile_vectors = 1};
  const Machine* machine_ = nullptr;
  fs::path folder_;

 private:
  std::optional<std::string> before_;
};

TEST_F(FoundSchedulesTest, AreFoundByProgramsCompiledLater) {
  bool hit = true;
  const ScheduledProduct model = Compiled(&hit);
  EXPECT_EQ(model.origin, ScheduleOrigin::kModel);
  EXPECT_FALSE(hit);
  Compiled(&hit);
  EXPECT_TRUE(hit);
  ASSERT_TRUE(StoreFound(*machine_, model.shape, kSmall));
  const ScheduledProduct found = Compiled(&hit);
  EXPECT_EQ(found.origin, ScheduleOrigin::kSearch);
  EXPECT_EQ(found.schedule, kSmall);
  EXPECT_FALSE(hit) << "code of another schedule";
  Compiled(&hit);
  EXPECT_TRUE(hit);
  // Another shape, layout or batch makes another product.
  for (ProductShape other : {model.shape, model.shape, model.shape, model.shape}) {
    static int turn = 0;
    (turn == 0 ? other.rows : turn == 1 ? other.k : other.n) += 1;
    if (turn++ == 3) other.transposed = true;
    EXPECT_EQ(Find(other), std::nullopt) << ToString(other);
  }
}

TEST_F(FoundSchedulesTest, OfAnotherMachineOrBuildAreNotFound) {
  const ProductShape shape = Compiled().shape;
  Machine other = *machine_;
  other.target.caches.l2 *= 2;
  ASSERT_TRUE(StoreFound(other, shape, kSmall));
  other = *machine_;
  other.name += "another build\n";
  ASSERT_TRUE(StoreFound(other, shape, kSmall));
  EXPECT_EQ(Find(shape), std::nullopt);
  EXPECT_EQ(Compiled().origin, ScheduleOrigin::kModel);
}

TEST_F(FoundSchedulesTest, DamagedOnesAreAsIfTheyWereNotThere) {
  const ProductShape shape = {.m = 3, .k = 4, .n = 5};
  ASSERT_TRUE(StoreFound(*machine_, shape, kSmall));
  ASSERT_EQ(Find(shape), kSmall);
  ASSERT_THAT(Files(), SizeIs(1));
  const fs::path file = Files()[0];
  std::ifstream in(file, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  for (size_t i = 0; i < whole.size(); i += 7) {
    std::string damaged = whole;
    damaged[i] = char(damaged[i] ^ 0x10);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << damaged;
    ASSERT_EQ(Find(shape), std::nullopt) << "byte " << i;
    std::ofstream(file, std::ios::binary | std::ios::trunc) << whole.substr(0, i);
    ASSERT_EQ(Find(shape), std::nullopt) << "cut after " << i;
  }
  ASSERT_TRUE(StoreFound(*machine_, shape, kSmall));
  EXPECT_EQ(Find(shape), kSmall);
}

// Well-formed, but not a schedule for this product: it would not fit into the registers.
TEST_F(FoundSchedulesTest, WhatCannotBeIsPassedOver) {
  const ProductShape shape = Compiled().shape;
  for (const ProductSchedule& s : {ProductSchedule{.tile_rows = 1000, .tile_vectors = 2},
                                   ProductSchedule{.tile_rows = 2, .tile_vectors = 2, .k = 100}}) {
    ASSERT_TRUE(StoreFound(*machine_, shape, s));
    EXPECT_EQ(Compiled().origin, ScheduleOrigin::kModel) << ToString(s);
  }
}

TEST_F(FoundSchedulesTest, NeedAFolder) {
  setenv("FUSEBOX_CACHE_DIR", "", 1);
  EXPECT_FALSE(StoreFound(*machine_, {.m = 3, .k = 4, .n = 5}, kSmall));
  EXPECT_EQ(Find({.m = 3, .k = 4, .n = 5}), std::nullopt);
}

}  // namespace
}  // namespace fusebox::testing
