// SPDX-License-Identifier: Apache-2.0
// fusebox explain MODEL: shows what each kernel of a program does, how long it takes, and how near that is to the
// machine's limits. Runs on synthetic data, so it needs no weights and no data set.
#include <algorithm>
#include <memory>

#include "fusebox/compiler/compiler.h"
#include "fusebox/compiler/profile.h"
#include "fusebox/graph/printable.h"
#include "fusebox/runtime/execute/thread_pool.h"
#include "fusebox/runtime/execute/threads.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "nlohmann/json.hpp"
#include "tools/command.h"
#include "tools/json_output.h"
#include "tools/machine_peak.h"
#include "tools/synthetic_run.h"

namespace fusebox::tools {
namespace {

constexpr int64_t kSteps = 300;       // Measured at most, after a tenth as many warm-up steps.
constexpr int64_t kTracedSteps = 10;  // In the trace; enough to show the pattern.

struct ExplainWords {
  std::string model, program, x_dtype, profile, target_cpu;
  int64_t batch_size = 32, threads = 1;
  bool json = false;
};

// Nanoseconds of one step in total, and of each kernel and of waiting, averaged over threads.
struct Timing {
  double step = 0, waiting = 0;
  std::vector<double> kernels;
};

Timing MeanOf(const Profile& profile, size_t kernels, int64_t steps) {
  Timing timing{.step = 0, .waiting = 0, .kernels = std::vector<double>(kernels)};
  int64_t begin = INT64_MAX, end = 0;
  for (int64_t thread = 0; thread < profile.threads(); ++thread) {
    for (const ProfileEvent& event : profile.events(thread)) {
      const double share = double(event.end - event.begin) / double(steps * profile.threads());
      if (event.kernel >= 0) timing.kernels[size_t(event.kernel)] += share;
      if (event.kernel == Profile::kWaiting) timing.waiting += share;
      if (event.kernel == Profile::kPacking) continue;
      begin = std::min(begin, event.begin);
      end = std::max(end, event.end);
    }
  }
  timing.step = double(end - begin) / double(steps);
  return timing;
}

// Chrome's trace format: chrome://tracing and Perfetto draw one row per thread.
std::string TraceJson(const Profile& profile, const std::vector<KernelReport>& kernels) {
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  int64_t start = INT64_MAX;
  for (int64_t thread = 0; thread < profile.threads(); ++thread) {
    for (const ProfileEvent& event : profile.events(thread)) start = std::min(start, event.begin);
  }
  for (int64_t thread = 0; thread < profile.threads(); ++thread) {
    for (const ProfileEvent& event : profile.events(thread)) {
      const std::string name = event.kernel == Profile::kWaiting   ? "wait"
                               : event.kernel == Profile::kPacking ? "pack"
                                                                   : kernels[size_t(event.kernel)].name;
      events.push_back({{"name", name},
                        {"ph", "X"},
                        {"pid", 1},
                        {"tid", thread},
                        {"ts", double(event.begin - start) / 1000},
                        {"dur", double(event.end - event.begin) / 1000}});
    }
  }
  return JsonText({{"traceEvents", events}}, -1);
}

// Percent of the tighter limit: multiply-adds or memory bandwidth.
double PercentOfLimit(const KernelReport& kernel, double nanoseconds, const MachinePeak& peak) {
  const double least = std::max(kernel.flops / peak.flops, kernel.bytes / peak.bytes);
  return nanoseconds > 0 ? 100 * least / (nanoseconds * 1e-9) : 0;
}

// Data that are still in a cache come faster than the memory's measured bandwidth.
std::string Percent(double percent) { return percent > 100 ? ">100%" : fmt::format("{:.0f}%", percent); }

bool IsSearched(const KernelReport& kernel) {
  return kernel.product && kernel.product->origin == ScheduleOrigin::kSearch;
}

std::string Table(const CompileReport& report, const Timing& timing, const MachinePeak& peak, int64_t threads) {
  std::string text = fmt::format("{:<44} {:<8} {:<14} {:>6} {:>9} {:>9} {:>9} {:>8} {:>6}\n", "kernel", "kind", "space",
                                 "tile", "us", "Mflop", "KiB", "GFLOP/s", "limit");
  double flops = 0;
  for (size_t k = 0; k < report.kernels.size(); ++k) {
    const KernelReport& kernel = report.kernels[k];
    const double ns = timing.kernels[k];
    flops += kernel.flops;
    text += fmt::format("{:<44} {:<8} {:<14} {:>6} {:>9.2f} {:>9.3f} {:>9.1f} {:>8.1f} {:>6}\n",
                        Printable(kernel.name.substr(0, 44)), kernel.kind, kernel.shape,
                        kernel.tile + (IsSearched(kernel) ? "*" : ""), ns / 1000, kernel.flops / 1e6,
                        kernel.bytes / 1024, ns > 0 ? kernel.flops / ns : 0, Percent(PercentOfLimit(kernel, ns, peak)));
  }
  text += fmt::format("\none step {:.1f} us, of which {:.1f} us waiting at {} barriers; {:.2f} Mflop, {:.1f} GFLOP/s\n",
                      timing.step / 1000, timing.waiting / 1000, report.barriers, flops / 1e6, flops / timing.step);
  text += fmt::format("{} thread{}; measured peak {:.1f} GFLOP/s and {:.1f} GB/s: {:.0f}% of peak FLOP rate\n", threads,
                      threads == 1 ? "" : "s", peak.flops / 1e9, peak.bytes / 1e9,
                      100 * flops / (timing.step * 1e-9) / peak.flops);
  text += fmt::format(
      "arena {} bytes, {} of them packed weights; intermediates one by one would take {}, unfused results {}\n",
      report.arena_bytes, report.packed_bytes, report.intermediate_bytes, report.unfused_bytes);
  if (std::ranges::any_of(report.kernels, IsSearched))
    text += "* cut as `fusebox bench search-schedules` found to be fastest\n";
  if (!report.unfused.empty()) text += "\nnot fused, because\n";
  for (const std::string& line : report.unfused) text += "  " + Printable(line) + "\n";
  return text;
}

std::string Json(const CompileReport& report, const Timing& timing, const MachinePeak& peak, int64_t threads) {
  nlohmann::ordered_json kernels = nlohmann::ordered_json::array();
  for (size_t k = 0; k < report.kernels.size(); ++k) {
    const KernelReport& kernel = report.kernels[k];
    nlohmann::ordered_json row = {{"name", kernel.name},
                                  {"kind", kernel.kind},
                                  {"operations", kernel.operations},
                                  {"space", kernel.shape},
                                  {"tile", kernel.tile},
                                  {"nanoseconds", timing.kernels[k]},
                                  {"flops", kernel.flops},
                                  {"bytes", kernel.bytes},
                                  {"percent_of_limit", PercentOfLimit(kernel, timing.kernels[k], peak)}};
    if (kernel.product) {
      row["product"] = ToString(kernel.product->shape);
      row["schedule"] = ToString(kernel.product->schedule);
      row["schedule_from"] = Name(kernel.product->origin);
    }
    kernels.push_back(std::move(row));
  }
  return JsonText({{"threads", threads},
                   {"peak_flops", peak.flops},
                   {"peak_bytes", peak.bytes},
                   {"step_nanoseconds", timing.step},
                   {"waiting_nanoseconds", timing.waiting},
                   {"barriers", report.barriers},
                   {"arena_bytes", report.arena_bytes},
                   {"packed_bytes", report.packed_bytes},
                   {"intermediate_bytes", report.intermediate_bytes},
                   {"unfused_bytes", report.unfused_bytes},
                   {"kernels", kernels},
                   {"unfused", report.unfused}});
}

absl::Status Explain(const ExplainWords& words) {
  FUSEBOX_ASSIGN_OR_RETURN(const int64_t asked, ThreadsFor(words.threads));
  const int64_t threads = ThreadPool::Global().Grow(asked);
  if (!words.profile.empty()) FUSEBOX_RETURN_IF_ERROR(CheckWritable(words.profile));
  FUSEBOX_RETURN_IF_ERROR(CheckTargetCpu(words.target_cpu));
  FUSEBOX_ASSIGN_OR_RETURN(const Graph program, ProgramOf(words.model, words.program, words.x_dtype));
  FUSEBOX_ASSIGN_OR_RETURN(
      const Executable executable,
      Compile(program, {.row_capacity = words.batch_size, .target_cpu = words.target_cpu, .profile = true}));
  const CompileReport& report = executable.report();
  const int64_t steps = std::min(kSteps, StepsThatFit(executable, words.batch_size));
  FUSEBOX_ASSIGN_OR_RETURN(SyntheticRun run,
                           SyntheticRun::Make("explain", program, executable, words.batch_size, steps));
  const auto events_of_a_step = int64_t(report.kernels.size()) + report.barriers + 2;
  Profile profile(threads, (steps + 2) * events_of_a_step);
  run.Steps(executable, profile, steps / 10);
  profile.Clear();
  run.Steps(executable, profile, steps);
  const Timing timing = MeanOf(profile, report.kernels.size(), steps);
  const MachinePeak peak = MeasurePeak(threads);
  if (!words.profile.empty()) {
    profile.Clear();
    run.Steps(executable, profile, std::min(kTracedSteps, steps));
    FUSEBOX_RETURN_IF_ERROR(WriteFileAtomically(words.profile, TraceJson(profile, report.kernels)));
  }
  Print(words.json ? Json(report, timing, peak, threads) : Table(report, timing, peak, threads));
  if (!words.profile.empty()) ReportWritten(words.profile);
  return absl::OkStatus();
}

}  // namespace

void AddExplain(CLI::App& app, Action& action) {
  CLI::App* verb =
      app.add_subcommand("explain", "Run a model's kernels on synthetic data, and show where the time goes");
  const auto words = std::make_shared<ExplainWords>();
  verb->add_option("MODEL", words->model, "As for dump")->required();
  AddProgramOptions(*verb, words->program, words->x_dtype);
  verb->add_option("--batch-size", words->batch_size, "Rows per step")->check(AtLeast(1))->capture_default_str();
  verb->add_option("--threads", words->threads, "Threads to run on")->check(AtLeast(1))->capture_default_str();
  verb->add_option("--profile", words->profile, "Write the times of some steps to this file, in Chrome's trace format");
  verb->add_flag("--json", words->json, "Print JSON");
  AddTargetCpu(verb, words->target_cpu);
  verb->callback([words, &action] { action = [words] { return Explain(*words); }; });
}

}  // namespace fusebox::tools
