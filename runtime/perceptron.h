// SPDX-License-Identifier: Apache-2.0
// Threshold logic units that learn by the perceptron's rule: a linear classifier of two classes or more.
//
//   fb::Perceptron perceptron;
//   absl::StatusOr<fb::PerceptronFit> fit = perceptron.Fit(x, y);   // fit->converged, fit->Text()
//   absl::StatusOr<fb::Tensor> classes = perceptron.Predict(x);
//
// It is a model like others, compiled by the same compiler: a Dense layer with a bias, the activation heaviside, the loss
// `perceptron` and the optimizer `sgd`, trained on one instance at a time. Names and defaults are scikit-learn's.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fusebox/runtime/model.h"

namespace fusebox {

// As scikit-learn's.
struct PerceptronOptions {
  bool fit_intercept = true;  // Whether sums have a bias.
  int64_t max_iter = 1000;    // Epochs, at most.
  std::optional<double> tol =
      1e-3;                      // It also ends if the mean loss has not fallen by this for n_iter_no_change epochs.
  int64_t n_iter_no_change = 5;  // See tol.
  bool shuffle = true;           // Anew in every epoch.
  double eta0 = 1;               // What a mistake changes the weights by, times the instance.
  std::optional<int64_t> seed = {};  // Of the order; without one another in every run.
};

// What Fit has found.
struct PerceptronFit {
  int64_t n_iter = 0;      // Epochs.
  int64_t mistakes = 0;    // Instances that the weights found say wrong of.
  bool converged = false;  // An epoch has passed without a mistake.
  // "converged in 8 epochs", or "did not converge in 20 epochs: 2 of 4 instances are wrong, so maybe no line parts the
  // classes".
  std::string Text(int64_t instances) const;
};

// The classifier. Source: sklearn.linear_model.Perceptron.
class Perceptron {
 public:
  explicit Perceptron(PerceptronOptions options = {});

  // Learns from x [n, features] and y [n], classes as integers of any kind; begins anew each time. Of three classes or
  // more, each has a unit that tells it from all others. A fit that does not converge is no error, and says so in its
  // result and, unless verbose is 0, on stderr. Error: shapes that do not fit, fewer than two classes, options out of
  // range.
  absl::StatusOr<PerceptronFit> Fit(const Tensor& x, const Tensor& y, int64_t verbose = 1);
  // The classes, i64[n]: that of the greatest sum; of two, the second one where the sum is above 0. Error: not fitted.
  absl::StatusOr<Tensor> Predict(const Tensor& x);
  // The sums, f32[n, units].
  absl::StatusOr<Tensor> DecisionFunction(const Tensor& x);
  // The share of instances that Predict is right of.
  absl::StatusOr<double> Score(const Tensor& x, const Tensor& y);

  // Of each unit, f32[units, features] and f32[units]: one unit for two classes. Error: not fitted.
  absl::StatusOr<Tensor> coef() const;
  absl::StatusOr<Tensor> intercept() const;
  const std::vector<int64_t>& classes() const { return classes_; }  // In order.

 private:
  // How many instances the model as it is says wrong of.
  absl::StatusOr<int64_t> Mistakes(const Tensor& x, const Tensor& targets);
  absl::StatusOr<std::vector<Tensor>> Weights() const;

  PerceptronOptions options_;
  std::vector<int64_t> classes_;
  mutable std::optional<Model> model_;  // To read its weights brings them from where the program keeps them.
};

}  // namespace fusebox
