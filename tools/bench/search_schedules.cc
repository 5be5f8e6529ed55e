// SPDX-License-Identifier: Apache-2.0
// fusebox bench search-schedules [MODEL]: searches for faster schedules of a program's matrix products, and stores them
// for programs compiled later: see compiler/schedule/found_schedules.h.
#include <memory>

#include "fmt/format.h"
#include "fusebox/compiler/native/object_cache.h"
#include "fusebox/compiler/schedule/found_schedules.h"
#include "fusebox/graph/warning.h"
#include "fusebox/runtime/execute/threads.h"
#include "tools/bench/suite.h"
#include "tools/command.h"
#include "tools/machine_peak.h"
#include "tools/schedule_search.h"

namespace fusebox::tools {
namespace {

struct SearchWords {
  std::string model, program, x_dtype;
  int64_t batch_size = 32, threads = 1;
  double seconds = 1;
};

absl::StatusOr<std::vector<BenchProgram>> Subjects(const SearchWords& words) {
  if (!words.model.empty()) {
    FUSEBOX_ASSIGN_OR_RETURN(Graph program, ProgramOf(words.model, words.program, words.x_dtype));
    return std::vector<BenchProgram>{{words.model, std::move(program), words.batch_size}};
  }
  FUSEBOX_ASSIGN_OR_RETURN(std::vector<BenchProgram> all, TrainingPrograms());
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<BenchProgram> products, ProductPrograms());
  all.insert(all.end(), products.begin(), products.end());
  return all;
}

std::string Table(const std::vector<SearchedProduct>& products, const MachinePeak& peak) {
  std::string text = fmt::format("{:<48} {:<44} {:>10} {:<44} {:>10} {:>6} {:>9}\n", "product", "the model's", "us",
                                 "the winner's", "us", "gain", "% of peak");
  for (const SearchedProduct& p : products) {
    text += fmt::format("{:<48} {:<44} {:>10.2f} {:<44} {:>10.2f} {:>5.1f}% {:>9.0f}\n", ToString(p.shape),
                        ToString(p.model), p.model_seconds * 1e6, p.best == p.model ? "the same" : ToString(p.best),
                        p.best_seconds * 1e6, 100 * (p.model_seconds / p.best_seconds - 1),
                        100 * p.flops / p.best_seconds / peak.flops);
  }
  return text;
}

absl::Status RunSearch(const SearchWords& words) {
  FUSEBOX_ASSIGN_OR_RETURN(const int64_t threads, ThreadsFor(words.threads));
  FUSEBOX_ASSIGN_OR_RETURN(const Machine* const machine, FindMachine("", /*to_run=*/true));
  if (!ObjectCache::Open()) {
    return Refuse(
        "search-schedules: there is no folder to keep winners in: FUSEBOX_CACHE_DIR names none that is yours alone");
  }
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<BenchProgram> subjects, Subjects(words));
  int64_t faster = 0, count = 0;
  for (const BenchProgram& subject : subjects) {
    const MachinePeak peak = MeasurePeak(threads);
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<SearchedProduct> products,
                             SearchSchedules(subject.program, {.batch_size = subject.batch_size,
                                                               .threads = threads,
                                                               .seconds = words.seconds,
                                                               .progress = [&](const std::string& line) {
                                                                 PrintError(fmt::format("{}: {}", subject.name, line));
                                                               }}));
    for (const SearchedProduct& p : products) {
      ++count;
      faster += p.best != p.model;
      // The model's, too, where it won: of an earlier run another one may lie there.
      if (!StoreFound(*machine, p.shape, p.best))
        return Refuse("search-schedules: a schedule cannot be stored in the cache folder");
    }
    if (products.empty()) return Refuse("search-schedules: '{}' has no matrix products", subject.name);
    Print(fmt::format("{}{}, peak {:.1f} GFLOP/s\n", subject.name,
                      threads == 1 ? "" : fmt::format(", {} threads", threads), peak.flops / 1e9));
    Print(Table(products, peak) + "\n");
  }
  Print(fmt::format("{} of {} products have a faster schedule now\n", faster, count));
  return absl::OkStatus();
}

}  // namespace

CLI::App* AddSearchSchedules(CLI::App& bench, Action& action) {
  CLI::App* verb = bench.add_subcommand(
      "search-schedules",
      "Look for faster schedules of a program's matrix products, and keep them for programs compiled later");
  verb->alias("tune");  // Its name in version 0.1.
  const auto words = std::make_shared<SearchWords>();
  verb->add_option("MODEL", words->model, "As for dump; else the benchmarks' own models and products");
  AddProgramOptions(*verb, words->program, words->x_dtype);
  verb->add_option("--batch-size", words->batch_size, "Rows of a step: a schedule is for one batch size")
      ->check(AtLeast(1))
      ->capture_default_str();
  verb->add_option("--threads", words->threads, "Threads to run on")->check(AtLeast(1))->capture_default_str();
  verb->add_option("--seconds", words->seconds, "To measure in each round, at least")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  verb->callback([words, &action] { action = [words] { return RunSearch(*words); }; });
  return verb;
}

}  // namespace fusebox::tools
