// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>

#include "fmt/format.h"
#include "fusebox/graph/status.h"
#include "fusebox/graph/text.h"
#include "tools/bench/bare_program.h"
#include "tools/bench/suite.h"

namespace fusebox::tools {
namespace {

constexpr std::array<std::array<int64_t, 3>, 7> kSizes = {{{256, 256, 256},
                                                           {512, 512, 512},
                                                           {1024, 1024, 1024},
                                                           {1, 784, 300},
                                                           {32, 784, 300},
                                                           {32, 1024, 1024},
                                                           {64, 4096, 1024}}};

std::string NameOf(int64_t m, int64_t k, int64_t n) { return fmt::format("product [{},{}] [{},{}]", m, k, k, n); }

absl::StatusOr<Graph> Program(int64_t m, int64_t k, int64_t n) {
  return Parse(
      fmt::format("%a = input : f32[{0},{1}]\n"
                  "%b = input : f32[{1},{2}]\n"
                  "%0 = matmul %a, %b : f32[{0},{2}]\n"
                  "return c = %0\n",
                  m, k, n));
}

absl::StatusOr<BenchProgram> Subject(int64_t m, int64_t k, int64_t n) {
  FUSEBOX_ASSIGN_OR_RETURN(Graph program, Program(m, k, n));
  return BenchProgram{NameOf(m, k, n), std::move(program)};
}

// f32[m,k] times f32[k,n], packing included.
Benchmark Product(int64_t m, int64_t k, int64_t n) {
  return {.name = NameOf(m, k, n),
          .flops = 2.0 * double(m * k * n),
          .prepare = [=](int64_t threads) -> absl::StatusOr<Benchmark::Run> {
            FUSEBOX_ASSIGN_OR_RETURN(const Graph graph, Program(m, k, n));
            FUSEBOX_ASSIGN_OR_RETURN(BareProgram made, BareProgram::Make(graph, 1));
            auto program = std::make_shared<BareProgram>(std::move(made));
            return [=] {
              program->Run(threads);
              return absl::OkStatus();
            };
          },
          .program = [=] { return Subject(m, k, n); }};
}

}  // namespace

std::vector<Benchmark> ProductBenchmarks() {
  std::vector<Benchmark> all;
  for (const auto& [m, k, n] : kSizes) all.push_back(Product(m, k, n));
  return all;
}

absl::StatusOr<std::vector<BenchProgram>> ProductPrograms() {
  std::vector<BenchProgram> all;
  for (const auto& [m, k, n] : kSizes) {
    FUSEBOX_ASSIGN_OR_RETURN(all.emplace_back(), Subject(m, k, n));
  }
  return all;
}

}  // namespace fusebox::tools
