// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/predictor.h"

#include <list>
#include <mutex>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/data/out_of_memory.h"
#include "fusebox/runtime/execute/threads.h"
#include "fusebox/runtime/fit/evaluate.h"
#include "fusebox/runtime/model/model_impl.h"

namespace fusebox {

struct Predictor::Impl {
  explicit Impl(Model of) : model(std::move(of)) {}

  // A program with memory of its own for data of these types, and how many calls use it: one at most.
  struct Bound {
    BatchTypes types;
    int64_t batch;
    std::string target_cpu;
    std::unique_ptr<BoundProgram> program;
    bool is_in_use = true;
  };

  // Takes a program that no call uses, or makes one.
  absl::StatusOr<Bound*> Take(const BatchTypes& types, int64_t batch, const std::string& target_cpu) {
    for (Bound& each : bound) {
      if (each.is_in_use || each.types != types || each.batch != batch || each.target_cpu != target_cpu) continue;
      each.is_in_use = true;
      return &each;
    }
    const Model::Impl& of = Model::Impl::Of(model);
    FUSEBOX_ASSIGN_OR_RETURN(const Graph program, of.Program(ProgramKind::kPrediction, types));
    FUSEBOX_ASSIGN_OR_RETURN(
        std::unique_ptr<BoundProgram> made,
        BoundProgram::Make(program, {.row_capacity = batch, .target_cpu = target_cpu}, variables()));
    return &bound.emplace_back(Bound{types, batch, target_cpu, std::move(made)});
  }
  // The weights, which no program of a predictor changes.
  Variables& variables() { return Model::Impl::Of(model).variables; }

  absl::StatusOr<Arrays> Predict(const Arrays& x, const PredictArgs& args);

  Model model;  // With weights of its own.
  std::mutex mutex;
  std::list<Bound> bound;  // Calls hold pointers to them.
};

absl::StatusOr<Predictor> Model::MakePredictor() {
  NameByClass();
  return impl_->Exclusively([&]() -> absl::StatusOr<Predictor> {
    FUSEBOX_RETURN_IF_ERROR(impl_->EnsureWeights());
    ModelConfig config = Frozen(impl_->config);
    config.compile.reset();
    FUSEBOX_ASSIGN_OR_RETURN(Model copy, FromConfig(config, impl_->KeptSymbols(), impl_->seed));
    FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Tensor> weights, GetWeights());
    FUSEBOX_RETURN_IF_ERROR(copy.SetWeights(weights));
    return Predictor(std::make_shared<Predictor::Impl>(std::move(copy)));
  });
}

absl::StatusOr<Arrays> Predictor::Predict(const Arrays& x, PredictArgs args) const {
  return WithoutBadAlloc([&] { return impl_->Predict(x, args); });
}

absl::StatusOr<Arrays> Predictor::Impl::Predict(const Arrays& x, const PredictArgs& args) {
  FUSEBOX_RETURN_IF_ERROR(CheckPositive("batch_size", args.batch_size));
  FUSEBOX_RETURN_IF_ERROR(CheckPositive("steps", args.steps));
  FUSEBOX_ASSIGN_OR_RETURN(const int64_t threads, ThreadsFor(std::max<int64_t>(args.threads, 1)));
  const Model::Impl& of = Model::Impl::Of(model);
  PortData data;
  FUSEBOX_ASSIGN_OR_RETURN(data.x, TakeInputs(of, x));
  const PassSize size = PredictionSize(args, data.rows());
  Bound* taken = nullptr;
  {
    const std::lock_guard lock(mutex);
    FUSEBOX_ASSIGN_OR_RETURN(taken, Take(data.Types(), size.batch, args.target_cpu));
  }
  // Whatever happens, and an array of results may find no memory, the program is free for other calls afterwards.
  const absl::Cleanup give_back = [&] {
    const std::lock_guard lock(mutex);
    taken->is_in_use = false;
  };
  return RunPrediction(*taken->program, of, data, size, threads);
}

}  // namespace fusebox
