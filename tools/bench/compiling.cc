// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "fmt/format.h"
#include "fusebox/compiler/compiler.h"
#include "fusebox/fusebox.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/subprocess.h"
#include "tools/bench/found_schedules.h"
#include "tools/bench/suite.h"

namespace fusebox::tools {
namespace {

absl::StatusOr<Graph> TrainingProgram(const std::vector<int64_t>& widths, const char* loss, const char* last) {
  Sequential model(ModelOptions{.seed = 42});
  for (size_t i = 1; i < widths.size(); ++i) {
    DenseOptions options{.activation = i + 1 < widths.size() ? "relu" : last};
    if (i == 1) options.input_shape = {widths[0]};
    model.Add(Dense(widths[i], options));
  }
  FUSEBOX_RETURN_IF_ERROR(model.Compile({.optimizer = "sgd", .loss = loss}));
  return model.Program(ProgramKind::kTraining);
}

// Compiles, with compiled code cached in this folder; "" turns the cache off.
absl::Status CompileIn(const std::string& folder, const Graph& program) {
  const char* const value = std::getenv("FUSEBOX_CACHE_DIR");
  const std::string before = value != nullptr ? value : "";
  setenv("FUSEBOX_CACHE_DIR", folder.c_str(), 1);
  absl::Status status = Compile(program, {.row_capacity = 32}).status();
  setenv("FUSEBOX_CACHE_DIR", before.c_str(), 1);
  return status;
}

Benchmark Cold(const std::string& name, std::vector<int64_t> widths, const char* loss, const char* last) {
  return {.name = "compile " + name, .threaded = false, .prepare = [=](int64_t) -> absl::StatusOr<Benchmark::Run> {
            FUSEBOX_ASSIGN_OR_RETURN(const Graph program, TrainingProgram(widths, loss, last));
            return [program] { return CompileIn("", program); };
          }};
}

absl::StatusOr<Benchmark::Run> PrepareWarm(int64_t) {
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program,
                           TrainingProgram({784, 300, 100, 10}, "sparse_categorical_crossentropy", "softmax"));
  FUSEBOX_ASSIGN_OR_RETURN(const std::shared_ptr<TemporaryFolder> folder, TemporaryFolder::Make());
  FUSEBOX_RETURN_IF_ERROR(CompileIn(folder->path(), program));
  return [=] { return CompileIn(folder->path(), program); };
}

// Starts a process that loads all built-in plugins.
absl::StatusOr<Benchmark::Run> PrepareStart(int64_t) {
  std::error_code error;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return Refuse("bench: cannot find the path of the command: {}", error.message());
  return [self]() -> absl::Status {
    FUSEBOX_ASSIGN_OR_RETURN(const ProcessResult result, RunProcess({self, "plugins", "list"}, "", {}));
    if (result.exit_code != 0) return Refuse("'{} plugins list' failed: {}", self, result.errors);
    return absl::OkStatus();
  };
}

}  // namespace

std::vector<Benchmark> CompileBenchmarks() {
  std::vector<int64_t> stack(101, 16);
  return {Cold("training of mlp", {784, 300, 100, 10}, "sparse_categorical_crossentropy", "softmax"),
          {.name = "compile training of mlp, from the cache", .threaded = false, .prepare = PrepareWarm},
          Cold("training of 100 layers of 16", std::move(stack), "mean_squared_error", "linear"),
          {.name = "start, all plugins loaded", .threaded = false, .prepare = PrepareStart}};
}

}  // namespace fusebox::tools
