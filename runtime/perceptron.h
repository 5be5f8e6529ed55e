// SPDX-License-Identifier: Apache-2.0
// A linear classifier for two or more classes: threshold logic units, trained by the perceptron learning rule.
//
//   fb::Perceptron perceptron;
//   absl::StatusOr<fb::PerceptronFit> fit = perceptron.Fit(x, y);   // fit->converged, fit->Text()
//   absl::StatusOr<fb::Tensor> classes = perceptron.Predict(x);
//
// The classifier is a model like any other, compiled by the same compiler: a Dense layer with a bias, the activation
// heaviside, the loss `perceptron` and the optimizer `sgd`. It is trained on one instance at a time. Names and defaults
// are scikit-learn's.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fusebox/runtime/model.h"

namespace fusebox {

// Options of a perceptron.
struct PerceptronOptions {
  bool fit_intercept = true;  // Whether the units have a bias.
  int64_t max_iter = 1000;    // The greatest number of epochs.
  // Training also ends when the mean loss has not fallen by `tol` for n_iter_no_change epochs. Without a value
  // this rule does not apply.
  std::optional<double> tol = 1e-3;
  int64_t n_iter_no_change = 5;      // See `tol`.
  bool shuffle = true;               // Whether to shuffle the instances again in every epoch.
  double eta0 = 1;                   // The learning rate: a mistake changes the weights by eta0 times the instance.
  std::optional<int64_t> seed = {};  // Seed of the shuffling. Default: different in every run.
};

// The result of training a perceptron.
struct PerceptronFit {
  int64_t n_iter = 0;      // The number of epochs.
  int64_t mistakes = 0;    // The number of instances that the trained weights misclassify.
  bool converged = false;  // Whether an epoch passed without a mistake.
  // A sentence about the result: "converged in 8 epochs", or "did not converge in 20 epochs: 2 of 4 instances are
  // wrong, so maybe no line separates the classes". `instances` is the number of instances that Fit was given.
  std::string Text(int64_t instances) const;
};

// The classifier. See above.
class Perceptron {
 public:
  // An untrained classifier. Fit reports options out of range.
  explicit Perceptron(PerceptronOptions options = {});

  // Trains on x [n, features] and y [n], whose classes are integers of any kind. Each call starts from scratch. If
  // there are three or more classes, each class has a unit that distinguishes it from all others. A fit that does not
  // converge is not an error; the result says so, and so does stderr unless verbose is 0. Errors: shapes that do not
  // fit, fewer than two classes, options out of range.
  absl::StatusOr<PerceptronFit> Fit(const Tensor& x, const Tensor& y, int64_t verbose = 1);
  // Predicts the classes, i64[n]: the class with the greatest sum. If there are two classes: the second one where the
  // sum is above 0, otherwise the first one. Error: Fit was not called.
  absl::StatusOr<Tensor> Predict(const Tensor& x);
  // The units' weighted sums before the threshold, f32[n, units]. Error: Fit was not called.
  absl::StatusOr<Tensor> DecisionFunction(const Tensor& x);
  // The fraction of instances that Predict classifies correctly. Errors: Fit was not called; shapes that do not fit.
  absl::StatusOr<double> Score(const Tensor& x, const Tensor& y);

  // The weights of the units, f32[units, features]. Two classes have one unit. Error: Fit was not called.
  absl::StatusOr<Tensor> coef() const;
  // The biases of the units, f32[units]; zeros without fit_intercept. Error: Fit was not called.
  absl::StatusOr<Tensor> intercept() const;
  const std::vector<int64_t>& classes() const { return classes_; }  // The classes in ascending order.

 private:
  // The number of instances that the model misclassifies with its current weights.
  absl::StatusOr<int64_t> Mistakes(const Tensor& x, const Tensor& targets);
  // Copies of the model's weights. Error: Fit was not called.
  absl::StatusOr<std::vector<Tensor>> Weights() const;

  PerceptronOptions options_;
  std::vector<int64_t> classes_;
  mutable std::optional<Model> model_;  // Mutable because reading weights fetches them from the program.
};

}  // namespace fusebox
