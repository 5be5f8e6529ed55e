// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/perceptron.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/layers.h"

namespace fusebox {
namespace {

absl::StatusOr<std::vector<int64_t>> ClassesOf(const Tensor& y) {
  if (y.dtype() == DType::kF32 || y.dtype() == DType::kF64) {
    const Tensor wide = y.Cast(DType::kF64), whole = y.Cast(DType::kI64).Cast(DType::kF64);
    if (!std::ranges::equal(wide.values<double>(), whole.values<double>())) {
      return Refuse("Perceptron: expects classes as integers, got y with fractions");
    }
  }
  const Tensor numbers = y.Cast(DType::kI64);
  return std::vector<int64_t>(numbers.values<int64_t>().begin(), numbers.values<int64_t>().end());
}

absl::Status CheckOptions(const PerceptronOptions& o) {
  if (o.max_iter < 1) return Refuse("Perceptron: max_iter: expected 1 or more, got {}", o.max_iter);
  if (o.n_iter_no_change < 1)
    return Refuse("Perceptron: n_iter_no_change: expected 1 or more, got {}", o.n_iter_no_change);
  if (!(o.eta0 > 0)) return Refuse("Perceptron: eta0: expected more than 0, got {}", o.eta0);
  return absl::OkStatus();
}

bool SameBytes(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::ranges::equal(a, b, [](const Tensor& s, const Tensor& t) {
    return s.bytes() == t.bytes() && std::memcmp(s.raw(), t.raw(), s.bytes()) == 0;
  });
}

Model MakeModel(int64_t features, int64_t units, const PerceptronOptions& options) {
  const SymbolicTensor x = Input({features}, {.name = "x"});
  const SymbolicTensor sums =
      Dense(units, {.use_bias = options.fit_intercept, .kernel_initializer = "zeros", .name = "sums"})(x);
  return Model({x}, {sums, Activation("heaviside", {.name = "units"})(sums)},
               {.name = "perceptron", .seed = options.seed});
}

}  // namespace

std::string PerceptronFit::Text(int64_t instances) const {
  if (converged) return fmt::format("converged in {} epoch{}", n_iter, n_iter == 1 ? "" : "s");
  return fmt::format(
      "did not converge in {} epoch{}: {} of {} instances are wrong, so maybe no line separates the classes", n_iter,
      n_iter == 1 ? "" : "s", mistakes, instances);
}

Perceptron::Perceptron(PerceptronOptions options) : options_(options) {}

absl::StatusOr<PerceptronFit> Perceptron::Fit(const Tensor& x, const Tensor& y, int64_t verbose) {
  FUSEBOX_RETURN_IF_ERROR(CheckOptions(options_));
  if (x.rank() != 2 || y.rank() != 1 || x.rows() != y.rows() || x.rows() < 1) {
    return Refuse("Perceptron: expects x [n, features] and y [n], got {} and {}",
                  ToString(Shape(x.shape().begin(), x.shape().end())),
                  ToString(Shape(y.shape().begin(), y.shape().end())));
  }
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<int64_t> labels, ClassesOf(y));
  classes_ = labels;
  std::ranges::sort(classes_);
  classes_.erase(std::ranges::unique(classes_).begin(), classes_.end());
  if (classes_.size() < 2) return Refuse("Perceptron: expects two classes or more, got {}", classes_.size());
  const int64_t rows = x.rows(), units = classes_.size() == 2 ? 1 : int64_t(classes_.size());
  Tensor targets(DType::kF32, {rows, units});
  for (int64_t i = 0; i < rows; ++i) {
    const int64_t number = std::ranges::lower_bound(classes_, labels[size_t(i)]) - classes_.begin();
    for (int64_t unit = 0; unit < units; ++unit) {
      targets.mutable_values<float>()[size_t(i * units + unit)] = number == (units == 1 ? 1 : unit) ? 1.0f : 0.0f;
    }
  }
  model_.emplace(MakeModel(x.shape()[1], units, options_));
  FUSEBOX_RETURN_IF_ERROR(model_->Compile(
      {.optimizer = fmt::format("sgd:learning_rate={}", options_.eta0), .loss = {{"units", "perceptron"}}}));
  FUSEBOX_ASSIGN_OR_RETURN(std::vector<Tensor> before, model_->GetWeights());
  const uint64_t seed = options_.seed ? uint64_t(*options_.seed) : std::random_device()();
  PerceptronFit fit;
  double best = std::numeric_limits<double>::infinity();
  for (int64_t stale = 0; fit.n_iter < options_.max_iter && stale < options_.n_iter_no_change && !fit.converged;) {
    const FitArgs one{.batch_size = 1,
                      .shuffle = options_.shuffle,
                      .seed = int64_t(seed + uint64_t(fit.n_iter)),
                      .threads = 1,
                      .verbose = 0};
    FUSEBOX_ASSIGN_OR_RETURN(const History history, model_->Fit(x, {{"units", targets}}, one));
    ++fit.n_iter;
    FUSEBOX_ASSIGN_OR_RETURN(std::vector<Tensor> after, model_->GetWeights());
    // A mistake changes the weights, but the changes of several mistakes in an epoch may cancel each other out.
    if (SameBytes(before, after)) {
      FUSEBOX_ASSIGN_OR_RETURN(const int64_t mistakes, Mistakes(x, targets));
      fit.converged = mistakes == 0;
    }
    before = std::move(after);
    const double loss = history["loss"][0] * double(rows);
    stale = options_.tol && loss > best - *options_.tol * double(rows) ? stale + 1 : 0;
    best = std::min(best, loss);
  }
  FUSEBOX_ASSIGN_OR_RETURN(fit.mistakes, Mistakes(x, targets));
  if (!fit.converged && verbose != 0) std::fprintf(stderr, "Perceptron: %s\n", fit.Text(rows).c_str());
  return fit;
}

absl::StatusOr<int64_t> Perceptron::Mistakes(const Tensor& x, const Tensor& targets) {
  FUSEBOX_ASSIGN_OR_RETURN(const Tensor sums, DecisionFunction(x));
  const auto units = size_t(targets.shape()[1]);
  int64_t mistakes = 0;
  for (size_t i = 0; i < size_t(targets.rows()); ++i) {
    bool wrong = false;
    for (size_t j = i * units; j < (i + 1) * units; ++j) {
      wrong |= !((2 * targets.values<float>()[j] - 1) * sums.values<float>()[j] > 0);
    }
    mistakes += wrong;
  }
  return mistakes;
}

absl::StatusOr<Tensor> Perceptron::DecisionFunction(const Tensor& x) {
  if (!model_) return absl::FailedPreconditionError("Perceptron: Fit it first");
  FUSEBOX_ASSIGN_OR_RETURN(const Arrays y, model_->Predict(x));
  return y[0];
}

absl::StatusOr<Tensor> Perceptron::Predict(const Tensor& x) {
  FUSEBOX_ASSIGN_OR_RETURN(const Tensor sums, DecisionFunction(x));
  const auto units = size_t(sums.shape()[1]);
  Tensor predicted(DType::kI64, {sums.rows()});
  for (size_t i = 0; i < size_t(sums.rows()); ++i) {
    const auto row = sums.values<float>().subspan(i * units, units);
    const auto greatest = size_t(std::ranges::max_element(row) - row.begin());
    predicted.mutable_values<int64_t>()[i] = classes_[units > 1 ? greatest : size_t{row[0] > 0}];
  }
  return predicted;
}

absl::StatusOr<double> Perceptron::Score(const Tensor& x, const Tensor& y) {
  FUSEBOX_ASSIGN_OR_RETURN(const Tensor predicted, Predict(x));
  if (y.rank() != 1 || y.rows() != predicted.rows() || y.rows() < 1) {
    return Refuse("Perceptron: expects y [{}], one class for each instance of x, got {}", predicted.rows(),
                  ToString(Shape(y.shape().begin(), y.shape().end())));
  }
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<int64_t> labels, ClassesOf(y));
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += predicted.values<int64_t>()[i] == labels[i];
  return double(right) / double(labels.size());
}

absl::StatusOr<std::vector<Tensor>> Perceptron::Weights() const {
  if (!model_) return absl::FailedPreconditionError("Perceptron: Fit it first");
  return model_->GetWeights();
}

absl::StatusOr<Tensor> Perceptron::coef() const {
  FUSEBOX_ASSIGN_OR_RETURN(const std::vector<Tensor> weights, Weights());
  const int64_t features = weights[0].shape()[0], units = weights[0].shape()[1];
  Tensor coef(DType::kF32, {units, features});
  for (int64_t i = 0; i < units * features; ++i) {
    coef.mutable_values<float>()[size_t(i)] = weights[0].values<float>()[size_t(i % features * units + i / features)];
  }
  return coef;
}

absl::StatusOr<Tensor> Perceptron::intercept() const {
  FUSEBOX_ASSIGN_OR_RETURN(std::vector<Tensor> weights, Weights());
  if (options_.fit_intercept) return weights[1];
  return Tensor(DType::kF32, {weights[0].shape()[1]});
}

}  // namespace fusebox
