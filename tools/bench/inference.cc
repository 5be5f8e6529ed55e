// SPDX-License-Identifier: Apache-2.0
#include <memory>

#include "fmt/format.h"
#include "fusebox/fusebox.h"
#include "fusebox/graph/status.h"
#include "tools/bench/bare_program.h"
#include "tools/bench/suite.h"

namespace fusebox::tools {
namespace {

// Dense layers of these widths, with relu between them.
Sequential Stack(const std::vector<int64_t>& widths) {
  Sequential model(ModelOptions{.seed = 42});
  for (size_t i = 1; i < widths.size(); ++i) {
    DenseOptions options{.activation = i + 1 < widths.size() ? "relu" : "linear"};
    if (i == 1) options.input_shape = {widths[0]};
    model.Add(Dense(widths[i], options));
  }
  return model;
}

// Rows in one call of Predict.
constexpr int64_t kPredictRows = 1024;

std::function<absl::StatusOr<BenchProgram>()> Subject(const std::vector<int64_t>& widths, int64_t rows) {
  return [=]() -> absl::StatusOr<BenchProgram> {
    FUSEBOX_ASSIGN_OR_RETURN(Graph program, Stack(widths).Program(ProgramKind::kPrediction));
    return BenchProgram{"predict", std::move(program), rows};
  };
}

Benchmark Predict(const std::string& name, const std::vector<int64_t>& widths, int64_t rows) {
  return {.name = fmt::format("predict {}, {} rows", name, rows),
          .flops = double(rows) * ForwardFlops(widths),
          .prepare = [=](int64_t threads) -> absl::StatusOr<Benchmark::Run> {
            auto model = std::make_shared<Sequential>(Stack(widths));
            const Tensor x(DType::kF32, {rows, widths[0]});
            return [=] { return model->Predict(x, {.threads = threads}).status(); };
          },
          .program = Subject(widths, kPredictRows)};
}

Benchmark Forward(const std::string& name, const std::vector<int64_t>& widths, int64_t rows) {
  return {.name = fmt::format("program {}, {} rows", name, rows),
          .flops = double(rows) * ForwardFlops(widths),
          .prepare = [=](int64_t threads) -> absl::StatusOr<Benchmark::Run> {
            FUSEBOX_ASSIGN_OR_RETURN(const Graph graph, Stack(widths).Program(ProgramKind::kPrediction));
            FUSEBOX_ASSIGN_OR_RETURN(BareProgram made, BareProgram::Make(graph, rows));
            auto program = std::make_shared<BareProgram>(std::move(made));
            return [=] {
              program->Run(threads);
              return absl::OkStatus();
            };
          },
          .program = Subject(widths, rows)};
}

}  // namespace

std::vector<Benchmark> InferenceBenchmarks() {
  const std::vector<int64_t> mlp = {784, 300, 100, 10}, tiny = {8, 30, 30, 1};
  std::vector<Benchmark> all;
  for (const int64_t rows : {1, 32, 1024}) all.push_back(Predict("mlp", mlp, rows));
  for (const int64_t rows : {1, 32, 1024}) all.push_back(Forward("mlp", mlp, rows));
  all.push_back(Forward("8 - 30 - 30 - 1", tiny, 1));
  return all;
}

}  // namespace fusebox::tools
