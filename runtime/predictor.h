// SPDX-License-Identifier: Apache-2.0
// Predictions on many threads.
#pragma once
#include <memory>

#include "absl/status/statusor.h"
#include "fusebox/runtime/model.h"

namespace fusebox {

// Predicts with the weights that a model had when its MakePredictor was called. A model is for one thread at a time; a
// predictor is for any number of them, and it may outlive the model. Copies of a predictor share everything.
//
//   const fb::Predictor predictor = *model.MakePredictor();
//   ... on each thread: predictor.Predict(x)
class Predictor {
 public:
  // As Model::Predict, but args.threads of 0 means one thread, as calls run side by side. Memory for intermediate results
  // is kept for as many calls as have run at the same time. Errors: those of Model::Predict.
  absl::StatusOr<Arrays> Predict(const Arrays& x, PredictArgs args = {}) const;

 private:
  friend class Model;
  struct Impl;
  explicit Predictor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

  std::shared_ptr<Impl> impl_;
};

}  // namespace fusebox
