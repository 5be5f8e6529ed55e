// SPDX-License-Identifier: Apache-2.0
// Training steps do not allocate: a run of many steps allocates as often as one of few.
#include <atomic>
#include <cstdlib>
#include <new>

#include "fusebox/runtime/sequential.h"
#include "gmock/gmock.h"

namespace {
std::atomic<int64_t> allocations = 0;
}  // namespace

// Replaces operator new in this whole test program, only to count. All memory comes from malloc.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
void* operator new(size_t bytes) {
  ++allocations;
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  ++allocations;
  const size_t a = size_t(alignment);
  if (void* memory = std::aligned_alloc(a, (bytes + a - 1) / a * a)) return memory;
  throw std::bad_alloc();
}
// The standard library uses this form, too; a sanitizer's version would not use malloc.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes > 0 ? bytes : 1);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace fusebox {
namespace {

int64_t AllocationsOfFit(Sequential& model, int64_t rows) {
  const Tensor x(DType::kF32, {rows, 3}), y(DType::kF32, {rows, 1});
  const FitArgs args = {.epochs = 2, .batch_size = 4, .threads = 2, .verbose = 0};
  const int64_t before = allocations;
  EXPECT_TRUE(model.Fit(x, y, args).ok());
  return allocations - before;
}

TEST(Fit, StepsDoNotAllocate) {
  Sequential model({Dense(5, "relu", {.input_shape = {3}}), Dense(1)}, {.seed = 1});
  ASSERT_TRUE(model.Compile({.optimizer = "sgd", .loss = "mean_squared_error"}).ok());
  AllocationsOfFit(model, 8);  // Compiles, and starts the threads.
  const int64_t two_steps = AllocationsOfFit(model, 8);
  EXPECT_EQ(AllocationsOfFit(model, 4000), two_steps);
  EXPECT_GT(two_steps, 0);  // The counter counts.
}

}  // namespace
}  // namespace fusebox
