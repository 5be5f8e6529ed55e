// SPDX-License-Identifier: Apache-2.0
// fusebox bench: measures how fast training, inference, products and compiling are on this machine, compared with the
// peak of its cores. The benchmarks are in bench/.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <regex>

#include "absl/strings/str_split.h"
#include "fusebox/graph/warning.h"
#include "fusebox/runtime/execute/thread_pool.h"
#include "fusebox/runtime/execute/threads.h"
#include "fusebox/runtime/files/atomic_file.h"
#include "nlohmann/json.hpp"
#include "tools/bench/found_schedules.h"
#include "tools/bench/suite.h"
#include "tools/command.h"
#include "tools/json_output.h"
#include "tools/machine_peak.h"

namespace fusebox::tools {
namespace {

constexpr int64_t kLeastSamples = 3, kMostThreads = 1024;
// Shorter runs are timed in groups: the clock itself takes about 30 ns.
constexpr double kLeastSampleSeconds = 1e-3;

struct BenchWords {
  std::string filter, threads, json;
  double seconds = 1;
  bool list = false;
};

struct Result {
  std::string name;
  int64_t threads = 1;  // 0: it is not ours to choose.
  double flops = 0;
  int64_t searched_products = 0;  // Cut as `bench search-schedules` found to be fastest.
  std::vector<double> seconds;    // Of a run, sorted.

  double least() const { return seconds.front(); }
  double median() const { return seconds[seconds.size() / 2]; }
};

using Peaks = std::map<int64_t, MachinePeak>;  // By number of threads.

absl::StatusOr<double> SecondsOf(const Benchmark::Run& run, int64_t runs) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < runs; ++i) FUSEBOX_RETURN_IF_ERROR(run());
  if (SignalArrived() != 0) return absl::CancelledError("interrupted");
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Times runs for at least this many seconds, after a warm-up run.
absl::StatusOr<std::vector<double>> Measure(const Benchmark::Run& run, double seconds) {
  FUSEBOX_RETURN_IF_ERROR(run());
  int64_t runs = 1;
  double took = 0;
  for (;; runs *= 2) {
    FUSEBOX_ASSIGN_OR_RETURN(took, SecondsOf(run, runs));
    if (took >= kLeastSampleSeconds) break;
  }
  std::vector<double> samples = {took / double(runs)};
  for (double sum = took; sum < seconds || int64_t(samples.size()) < kLeastSamples; sum += took) {
    FUSEBOX_ASSIGN_OR_RETURN(took, SecondsOf(run, runs));
    samples.push_back(took / double(runs));
  }
  std::ranges::sort(samples);
  return samples;
}

std::vector<Benchmark> AllBenchmarks() {
  std::vector<Benchmark> all;
  for (auto* part : {&TrainingBenchmarks, &InferenceBenchmarks, &ProductBenchmarks, &CompileBenchmarks}) {
    for (Benchmark& benchmark : part()) all.push_back(std::move(benchmark));
  }
  return all;
}

// On a shared machine, the best of several moments is nearest to the peak.
void MeasurePeaks(const std::vector<int64_t>& threads, Peaks& peaks) {
  for (const int64_t n : threads) {
    const MachinePeak now = MeasurePeak(n);
    MachinePeak& best = peaks[n];
    best = {std::max(best.flops, now.flops), std::max(best.bytes, now.bytes)};
  }
}

std::string InUnits(double seconds) {
  for (const auto& [unit, size] : {std::pair{"s", 1.0}, {"ms", 1e-3}, {"us", 1e-6}}) {
    if (seconds >= size) return fmt::format("{:.3f} {}", seconds / size, unit);
  }
  return fmt::format("{:.1f} ns", seconds * 1e9);
}

std::string Table(const std::vector<Result>& results, const Peaks& peaks) {
  std::string text = fmt::format("{:<42} {:>7} {:>12} {:>12} {:>9} {:>9}\n", "what", "threads", "least", "median",
                                 "GFLOP/s", "% of peak");
  for (const Result& r : results) {
    const double rate = r.flops / r.least();
    text += fmt::format("{:<42} {:>7} {:>12} {:>12} {:>9} {:>9}\n", r.name + (r.searched_products > 0 ? "*" : ""),
                        r.threads == 0 ? "" : fmt::format("{}", r.threads), InUnits(r.least()), InUnits(r.median()),
                        r.flops > 0 ? fmt::format("{:.1f}", rate / 1e9) : "",
                        r.flops > 0 ? fmt::format("{:.0f}", 100 * rate / peaks.at(r.threads).flops) : "");
  }
  text += "\nGFLOP/s and % of peak refer to the minimum time.";
  for (const auto& [threads, peak] : peaks) {
    text += fmt::format(" Peak with {} thread{}: {:.1f} GFLOP/s, {:.1f} GB/s.", threads, threads == 1 ? "" : "s",
                        peak.flops / 1e9, peak.bytes / 1e9);
  }
  if (std::ranges::any_of(results, [](const Result& r) { return r.searched_products > 0; }))
    text += "\n* with products cut as `fusebox bench search-schedules` found to be fastest";
  return text + "\n";
}

// The processor's name; "" if the system does not report it.
std::string Processor() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.size(), line.find(": ") + 2));
  }
  return "";
}

std::string Json(const std::vector<Result>& results, const Peaks& peaks) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array(), limits = nlohmann::ordered_json::array();
  for (const auto& [threads, peak] : peaks) {
    limits.push_back({{"threads", threads}, {"flops", peak.flops}, {"bytes", peak.bytes}});
  }
  for (const Result& r : results) {
    nlohmann::ordered_json row = {{"name", r.name}};
    if (r.threads != 0) row["threads"] = r.threads;
    row["least_seconds"] = r.least();
    row["median_seconds"] = r.median();
    row["samples"] = r.seconds.size();
    if (r.searched_products > 0) row["searched_products"] = r.searched_products;
    if (r.flops > 0) {
      row["flops"] = r.flops;
      row["percent_of_peak"] = 100 * r.flops / r.least() / peaks.at(r.threads).flops;
    }
    rows.push_back(std::move(row));
  }
  return JsonText({{"fusebox", FUSEBOX_VERSION}, {"processor", Processor()}, {"peaks", limits}, {"results", rows}});
}

// "1,2" -> 1, 2.
absl::StatusOr<std::vector<int64_t>> ThreadList(const std::string& text) {
  if (text.empty()) {
    FUSEBOX_ASSIGN_OR_RETURN(const int64_t all, DefaultThreads());
    return all > 1 ? std::vector<int64_t>{1, all} : std::vector<int64_t>{1};
  }
  std::vector<int64_t> threads;
  for (const std::string& piece : std::vector<std::string>(absl::StrSplit(text, ','))) {
    int64_t n = 0;
    const auto [end, error] = std::from_chars(piece.data(), piece.data() + piece.size(), n);
    if (error != std::errc() || end != piece.data() + piece.size() || n < 1 || n > kMostThreads) {
      return Refuse("expected numbers from 1 to {} separated by ',', got '{}'", kMostThreads, text);
    }
    threads.push_back(n);
  }
  return threads;
}

absl::Status Bench(const BenchWords& words) {
  std::vector<Benchmark> benchmarks = AllBenchmarks();
  const std::regex filter(words.filter);
  std::erase_if(benchmarks, [&](const Benchmark& b) { return !std::regex_search(b.name, filter); });
  if (benchmarks.empty()) return Refuse("no benchmark's name contains '{}': --list shows the names", words.filter);
  if (words.list) {
    for (const Benchmark& benchmark : benchmarks) Print(benchmark.name + "\n");
    return absl::OkStatus();
  }
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<int64_t> threads, ThreadList(words.threads));
  if (const int64_t most = std::ranges::max(threads), got = ThreadPool::Global().Grow(most); got < most)
    return absl::ResourceExhaustedError(
        fmt::format("--threads: expected at most {}, which is all that the system gives, got {}", got, most));
  if (!words.json.empty()) FUSEBOX_RETURN_IF_ERROR(CheckWritable(words.json));
  FUSEBOX_ASSIGN_OR_RETURN(const FoundScheduleCache found, UseFoundSchedules(benchmarks));

  std::vector<Result> results;
  Peaks peaks;
  MeasurePeaks(threads, peaks);
  for (size_t i = 0; i < benchmarks.size(); ++i) {
    const Benchmark& benchmark = benchmarks[i];
    for (const int64_t n : benchmark.threaded ? threads : std::vector<int64_t>{0}) {
      FUSEBOX_ASSIGN_OR_RETURN(const Benchmark::Run run, benchmark.prepare(n));
      FUSEBOX_ASSIGN_OR_RETURN(std::vector<double> samples, Measure(run, words.seconds));
      results.push_back({benchmark.name, n, benchmark.flops, found.products[i], std::move(samples)});
      PrintError(fmt::format("{}, {}: {}", benchmark.name, n == 0 ? "as it is" : fmt::format("{} threads", n),
                             InUnits(results.back().least())));
    }
  }
  MeasurePeaks(threads, peaks);
  if (!words.json.empty()) FUSEBOX_RETURN_IF_ERROR(WriteFileAtomically(words.json, Json(results, peaks)));
  Print(Table(results, peaks));
  if (!words.json.empty()) ReportWritten(words.json);
  return absl::OkStatus();
}

CLI::Validator Regex() {
  return CLI::Validator(
      [](std::string& text) -> std::string {
        try {
          const std::regex check(text);
          return "";
        } catch (const std::regex_error& e) {
          return fmt::format("expected a regular expression, got '{}': {}", text, e.what());
        }
      },
      "REGEX", "");
}

CLI::Validator Threads() {
  return CLI::Validator([](std::string& text) { return Message(ThreadList(text).status()); }, "N,N,...", "");
}

}  // namespace

void AddBench(CLI::App& app, Action& action) {
  CLI::App* verb = app.add_subcommand("bench", "Measure how fast this machine trains, predicts and compiles");
  const auto words = std::make_shared<BenchWords>();
  verb->add_option("--filter", words->filter, "Run only benchmarks whose names contain this regular expression")
      ->check(Regex());
  verb->add_option("--threads", words->threads, "Numbers of threads, separated by ','; default: 1 and all cores")
      ->check(Threads());
  verb->add_option("--seconds", words->seconds, "Minimum time for each benchmark")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  verb->add_option("--json", words->json, "Write the results to this file");
  verb->add_flag("--list", words->list, "List the benchmarks without running them");
  CLI::App* search = AddSearchSchedules(*verb, action);
  verb->callback([=, &action] {
    if (!search->parsed()) action = [words] { return Bench(*words); };
  });
}

}  // namespace fusebox::tools
