// SPDX-License-Identifier: Apache-2.0
#include "tools/schedule_search.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <memory>

#include "fmt/format.h"
#include "fusebox/compiler/compiler.h"
#include "fusebox/compiler/native/machine.h"
#include "fusebox/compiler/schedule/schedule_model.h"
#include "fusebox/compiler/schedule/schedule_variations.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/fit/interrupt.h"
#include "tools/synthetic_run.h"

namespace fusebox::tools {
namespace {

constexpr int64_t kRounds = 4, kLeastTurns = 5, kMostSteps = 200;
// Required gain over the best schedule so far, and finally over the model's. Smaller gains may be chance.
constexpr double kGain = 0.985, kGainInTheEnd = 0.99;

using Schedules = std::map<ProductShape, ProductSchedule>;
using Times = std::map<ProductShape, double>;  // Seconds per step, of all kernels with this product.

class ScheduleSearch {
 public:
  ScheduleSearch(const Graph& program, const ScheduleSearchOptions& options, const Target& target)
      : program_(program), options_(options), target_(target) {}

  absl::StatusOr<std::vector<SearchedProduct>> Run() {
    FUSEBOX_RETURN_IF_ERROR(Prepare());
    Schedules model, best;
    for (const auto& [shape, product] : products_) best[shape] = model[shape] = product.model;
    for (int64_t round = 1; round <= kRounds && !products_.empty(); ++round) {
      FUSEBOX_ASSIGN_OR_RETURN(const bool improved, Improve(best, round));
      if (!improved) break;
    }
    if (!products_.empty()) {
      FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Times> times, Measure({model, best}));
      for (auto& [shape, product] : products_) {
        const double of_model = times[0].at(shape), of_best = times[1].at(shape);
        const bool faster = best.at(shape) != product.model && of_best < kGainInTheEnd * of_model;
        product.best = faster ? best.at(shape) : product.model;
        product.model_seconds = of_model;
        product.best_seconds = faster ? of_best : of_model;
      }
    }
    std::vector<SearchedProduct> all;
    for (auto& [shape, product] : products_) all.push_back(std::move(product));
    return all;
  }

 private:
  absl::StatusOr<Executable> CompileWith(const Schedules& schedules) const {
    return Compile(program_, {.row_capacity = options_.batch_size,
                              .schedule = [&](const ProductShape& shape) -> std::optional<ProductSchedule> {
                                const auto at = schedules.find(shape);
                                return at != schedules.end() ? at->second : ChooseSchedule(shape, target_);
                              },
                              .cache = false,
                              .profile = true});
  }

  absl::Status Prepare() {
    FUSEBOX_ASSIGN_OR_RETURN(const Executable executable, CompileWith({}));
    for (size_t k = 0; k < executable.report().kernels.size(); ++k) {
      const std::optional<ScheduledProduct>& scheduled = executable.report().kernels[k].product;
      if (!scheduled) continue;
      const ProductShape& shape = scheduled->shape;
      if (shape.Rows() * shape.Depth() * shape.Columns() == 0) continue;
      kernels_[shape].push_back(k);
      SearchedProduct& product = products_[shape];
      product.shape = shape;
      product.model = product.best = scheduled->schedule;
      product.flops += executable.report().kernels[k].flops;
      tried_[shape].push_back(scheduled->schedule);
    }
    kernel_count_ = int64_t(executable.report().kernels.size());
    events_of_a_step_ = kernel_count_ + executable.report().barriers + 2;
    steps_ = std::min(kMostSteps, StepsThatFit(executable, options_.batch_size));
    FUSEBOX_ASSIGN_OR_RETURN(SyntheticRun run,
                             SyntheticRun::Make("search-schedules", program_, executable, options_.batch_size, steps_));
    run_ = std::make_unique<SyntheticRun>(std::move(run));
    return absl::OkStatus();
  }

  // Runs one round. Returns whether any product has a better schedule than before.
  absl::StatusOr<bool> Improve(Schedules& best, int64_t round) {
    std::map<ProductShape, std::vector<ProductSchedule>> candidates;
    size_t most = 0;
    for (auto& [shape, product] : products_) {
      std::vector<ProductSchedule>& known = tried_[shape];
      for (const ProductSchedule& s : Variations(best.at(shape), shape, target_)) {
        if (std::ranges::find(known, s) == known.end()) candidates[shape].push_back(s);
      }
      known.insert(known.end(), candidates[shape].begin(), candidates[shape].end());
      product.tried = known.size();
      most = std::max(most, candidates[shape].size());
    }
    if (most == 0) return false;
    if (options_.progress) options_.progress(fmt::format("round {}: {} variations", round, most));
    std::vector<Schedules> all(most + 1, best);
    for (size_t i = 0; i < most; ++i) {
      for (const auto& [shape, some] : candidates) {
        if (i < some.size()) all[i + 1][shape] = some[i];
      }
    }
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Times> times, Measure(all));
    bool improved = false;
    for (const auto& [shape, some] : candidates) {
      double least = kGain * times[0].at(shape);
      for (size_t i = 0; i < some.size(); ++i) {
        if (times[i + 1].at(shape) >= least) continue;
        least = times[i + 1].at(shape);
        best[shape] = some[i];
        improved = true;
      }
    }
    return improved;
  }

  // The minimum times of the program with each of these schedules, run in turn.
  absl::StatusOr<std::vector<Times>> Measure(const std::vector<Schedules>& all) {
    std::vector<Executable> programs;
    for (const Schedules& schedules : all) {
      FUSEBOX_ASSIGN_OR_RETURN(Executable executable, CompileWith(schedules));
      programs.push_back(std::move(executable));
      if (SignalArrived() != 0) return absl::CancelledError("interrupted");
    }
    std::vector<Times> least(all.size());
    for (Times& times : least) {
      for (const auto& [shape, product] : products_) times[shape] = std::numeric_limits<double>::infinity();
    }
    Profile profile(options_.threads, (steps_ + 2) * events_of_a_step_);
    using Clock = std::chrono::steady_clock;
    const double turn = options_.seconds / double(kLeastTurns * int64_t(all.size()));
    int64_t steps = 1;
    const auto end = Clock::now() + std::chrono::duration<double>(options_.seconds);
    for (int64_t turns = 0; turns < kLeastTurns || Clock::now() < end; ++turns) {
      for (size_t i = 0; i < programs.size(); ++i) {
        run_->Reset();
        profile.Clear();
        const auto start = Clock::now();
        run_->Steps(programs[i], profile, steps);
        const double took = std::chrono::duration<double>(Clock::now() - start).count();
        Collect(profile, steps, least[i]);
        if (SignalArrived() != 0) return absl::CancelledError("interrupted");
        // Lengthens turns while they are short: at first the caches hold the previous program.
        if (took * 2 < turn) steps = std::min(steps * 2, steps_);
      }
    }
    return least;
  }

  // For each product, the minimum of the turns' medians, as the minimum of all steps may be luck; for each kernel, the
  // time of the slowest thread.
  void Collect(const Profile& profile, int64_t steps, Times& least) const {
    std::vector<double> times(size_t(kernel_count_ * steps));
    for (int64_t thread = 0; thread < profile.threads(); ++thread) {
      std::vector<int64_t> done(size_t(kernel_count_), 0);
      for (const ProfileEvent& event : profile.events(thread)) {
        if (event.kernel < 0) continue;
        const int64_t step = done[size_t(event.kernel)]++;
        double& time = times[size_t(event.kernel * steps + step)];
        time = std::max(time, double(event.end - event.begin) * 1e-9);
      }
    }
    for (const auto& [shape, kernels] : kernels_) {
      double sum = 0;
      for (const size_t k : kernels) {
        const auto first = times.begin() + int64_t(k) * steps;
        std::nth_element(first, first + steps / 2, first + steps);
        sum += first[steps / 2];
      }
      least[shape] = std::min(least[shape], sum);
    }
  }

  const Graph& program_;
  const ScheduleSearchOptions& options_;
  const Target& target_;
  std::map<ProductShape, SearchedProduct> products_;
  std::map<ProductShape, std::vector<size_t>> kernels_;
  std::map<ProductShape, std::vector<ProductSchedule>> tried_;
  int64_t kernel_count_ = 0, events_of_a_step_ = 0, steps_ = 0;
  std::unique_ptr<SyntheticRun> run_;
};

}  // namespace

absl::StatusOr<std::vector<SearchedProduct>> SearchSchedules(const Graph& program,
                                                             const ScheduleSearchOptions& options) {
  FUSEBOX_ASSIGN_OR_RETURN(const Machine* const machine, FindMachine("", /*to_run=*/true));
  return ScheduleSearch(program, options, machine->target).Run();
}

}  // namespace fusebox::tools
