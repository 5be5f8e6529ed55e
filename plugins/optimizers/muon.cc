// SPDX-License-Identifier: Apache-2.0
// Moves matrices along the orthogonal matrix nearest to their momentum, and all other variables as AdamW does. With
// variable w, gradient g, learning rate lr:
//     m <- momentum m + g,   x = m, or with Nesterov g + momentum m
//     x <- x / (|x| + 1e-7), then ns_steps times   A = x x^T,   x <- a x + (b A + c A A) x   (Newton-Schulz)
//     w <- w - lr rms_rate sqrt(max(rows, columns)) x
// Two kinds of matrices are updated by AdamW instead: those of embeddings, if exclude_embeddings is true, and those
// whose path, "dense/kernel", matches a regular expression of exclude_layers.
// Sources: Jordan et al. (2024), Muon: an optimizer for hidden layers in neural networks; Liu et al. (2025), Muon is
// scalable for LLM training (rms_rate); in Keras's form.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "fusebox/plugins/optimizers/moments.h"

namespace fusebox {
namespace {

class Muon final : public sdk::Optimizer {
 public:
  explicit Muon(const sdk::Attributes& attributes)
      : steps_(attributes.Int("ns_steps")),
        nesterov_(attributes.Bool("nesterov")),
        exclude_embeddings_(attributes.Bool("exclude_embeddings")) {
    const std::string list = attributes.Has("exclude_layers") ? std::string(attributes.String("exclude_layers")) : "";
    for (size_t begin = 0; begin < list.size();) {
      const size_t end = std::min(list.find(';', begin), list.size());
      if (end > begin) excluded_.push_back(Expression(list.substr(begin, end - begin)));
      begin = end + 1;
    }
  }

  Value Update(sdk::Scope& scope, Value variable, Value gradient, Value learning_rate) const override {
    if (variable.rank() != 2 || IsExcluded(scope.path())) {
      const Value w = Decayed(scope, variable, "adam_weight_decay", learning_rate);
      const Moments moments = UpdateMoments(scope, gradient, "adam_beta_1", "adam_beta_2");
      const Value correction = Sqrt(BiasCorrection(scope, "adam_beta_2")) / BiasCorrection(scope, "adam_beta_1");
      const Value alpha = learning_rate * scope.Scalar("adam_lr_ratio") * Cast(correction, FB_F32);
      return w - moments.first * alpha / (Sqrt(moments.second) + scope.Scalar("epsilon"));
    }
    const Value w = Decayed(scope, variable, "weight_decay", learning_rate);
    const Value momentum = scope.Scalar("momentum");
    const Value m = scope.Slot("momentum", variable.type());
    const Value next = m + (gradient + m * (momentum - 1));
    scope.Assign(m, next);
    const Value direction = Orthogonal(scope, nesterov_ ? gradient + momentum * next : next);
    const double size = std::sqrt(double(std::max(variable.dim(0), variable.dim(1))));
    return w - learning_rate * direction * (scope.Scalar("rms_rate") * size);
  }

 private:
  static std::regex Expression(const std::string& text) {
    try {
      return std::regex(text);
    } catch (const std::regex_error&) {
      throw std::runtime_error(
          fmt::format("exclude_layers: expected regular expressions separated by ';', got '{}'", text));
    }
  }
  // `path` is that of the optimizer's state for a weight, "optimizer/dense/kernel".
  bool IsExcluded(const std::string& path) const {
    std::string lower = path;
    for (char& c : lower) c = char(std::tolower(static_cast<unsigned char>(c)));
    if (exclude_embeddings_ && lower.find("embedding") != std::string::npos) return true;
    const std::string weight = path.substr(path.find('/') + 1);
    return std::ranges::any_of(excluded_, [&](const std::regex& e) { return std::regex_search(weight, e); });
  }
  static Value Decayed(const sdk::Scope& scope, Value variable, const char* decay, Value learning_rate) {
    return variable - variable * scope.Scalar(decay) * learning_rate;
  }
  Value Orthogonal(const sdk::Scope& scope, Value x) const {
    const Value a = scope.Scalar("muon_a");
    const Value b = scope.Scalar("muon_b");
    const Value c = scope.Scalar("muon_c");
    const bool tall = x.dim(0) > x.dim(1);
    if (tall) x = Transpose(x, {1, 0});
    x = x / (Norm(x) + 1e-7);
    for (int64_t i = 0; i < steps_; ++i) {
      const Value square = MatMul(x, Transpose(x, {1, 0}));
      const Value polynomial = b * square + MatMul(c * square, square);
      x = a * x + MatMul(polynomial, x);
    }
    return tall ? Transpose(x, {1, 0}) : x;
  }

  int64_t steps_;
  bool nesterov_, exclude_embeddings_;
  std::vector<std::regex> excluded_;
};

FUSEBOX_PLUGIN(
    Muon, {.id = "fusebox/muon",
           .doc = "Moves matrices along the orthogonal matrix nearest to their momentum; AdamW for the rest.",
           .decays_weights = true,
           .attributes = {
               sdk::Float("learning_rate", 0.001).Min(0).ProgramScalar().Doc("the size of a step"),
               sdk::Float("adam_beta_1", 0.9).Range(0, 1).ProgramScalar().Doc("beta_1 of AdamW"),
               sdk::Float("adam_beta_2", 0.999).Range(0, 1).ProgramScalar().Doc("beta_2 of AdamW"),
               sdk::Float("adam_weight_decay", 0.004).Min(0).ProgramScalar().Doc("weight_decay of AdamW"),
               sdk::Float("epsilon", 1e-7).Min(0).ProgramScalar().Doc("epsilon of AdamW"),
               sdk::Float("weight_decay", 0.004)
                   .Min(0)
                   .ProgramScalar()
                   .Doc("subtracts this fraction of a matrix, times the learning rate"),
               sdk::String("exclude_layers")
                   .Optional()
                   .Doc("regular expressions, separated by ';': AdamW updates weights whose paths match one"),
               sdk::Bool("exclude_embeddings", true).Doc("AdamW updates matrices of embeddings"),
               sdk::Float("muon_a", 3.4445).ProgramScalar().Doc("first coefficient of the polynomial"),
               sdk::Float("muon_b", -4.775).ProgramScalar().Doc("second coefficient"),
               sdk::Float("muon_c", 2.0315).ProgramScalar().Doc("third coefficient"),
               sdk::Float("adam_lr_ratio", 1.0).Min(0).ProgramScalar().Doc("AdamW's learning rate divided by Muon's"),
               sdk::Float("momentum", 0.95).Range(0, 1).ProgramScalar().Doc("fraction of the momentum to keep"),
               sdk::Int("ns_steps", 5).Min(0).Doc("iterations of Newton-Schulz"),
               sdk::Bool("nesterov", true).Doc("applies the gradient after the momentum"),
               sdk::Float("rms_rate", 0.2)
                   .Min(0)
                   .ProgramScalar()
                   .Doc("root mean square of a step, divided by the learning rate"),
           }});

}  // namespace
}  // namespace fusebox
