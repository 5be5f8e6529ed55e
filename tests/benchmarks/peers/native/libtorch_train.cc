// SPDX-License-Identifier: Apache-2.0
// Seconds per epoch of LibTorch: ../python/torch_train.py in C++.
#include <torch/torch.h>

#include <functional>
#include <map>

#include "peer.h"
#include "pictures.h"

using torch::Tensor;
using Weights = std::vector<Tensor>;

// Optimizers by the names that `run` uses.
const std::map<std::string, std::function<std::unique_ptr<torch::optim::Optimizer>(Weights)>> kOptimizers = {
    {"sgd", [](Weights w) { return std::make_unique<torch::optim::SGD>(w, torch::optim::SGDOptions(0.01)); }},
    {"momentum",
     [](Weights w) { return std::make_unique<torch::optim::SGD>(w, torch::optim::SGDOptions(0.01).momentum(0.9)); }},
    {"nesterov",
     [](Weights w) {
       return std::make_unique<torch::optim::SGD>(w, torch::optim::SGDOptions(0.01).momentum(0.9).nesterov(true));
     }},
    {"adam",
     [](Weights w) { return std::make_unique<torch::optim::Adam>(w, torch::optim::AdamOptions(0.001).eps(1e-7)); }},
    {"rmsprop",
     [](Weights w) {
       return std::make_unique<torch::optim::RMSprop>(w, torch::optim::RMSpropOptions(0.001).alpha(0.9).eps(1e-7));
     }},
    {"adamw",
     [](Weights w) {
       return std::make_unique<torch::optim::AdamW>(w, torch::optim::AdamWOptions(0.001).eps(1e-7).weight_decay(0.004));
     }},
};

const std::map<std::string, std::function<Tensor(const Tensor&)>> kActivations = {
    {"relu", [](const Tensor& x) { return torch::relu(x); }},
    {"tanh", [](const Tensor& x) { return torch::tanh(x); }},
    {"sigmoid", [](const Tensor& x) { return torch::sigmoid(x); }},
    {"gelu", [](const Tensor& x) { return torch::gelu(x); }},
    {"softplus", [](const Tensor& x) { return torch::softplus(x); }},
};

// The layer after each activation. "l2" is a penalty instead.
const std::map<std::string, std::function<void(torch::nn::Sequential&, int64_t units)>> kExtras = {
    {"none", [](torch::nn::Sequential&, int64_t) {}},
    {"l2", [](torch::nn::Sequential&, int64_t) {}},
    {"dropout", [](torch::nn::Sequential& model, int64_t) { model->push_back(torch::nn::Dropout(0.2)); }},
    {"batch_norm",
     [](torch::nn::Sequential& model, int64_t units) { model->push_back(torch::nn::BatchNorm1d(units)); }},
};
constexpr double kL2 = 1e-4;

int main(int argc, char** argv) {
  const peers::Arguments arguments(argc, argv);
  const std::string name = arguments.Text("optimizer", "sgd");
  if (!kOptimizers.contains(name)) peers::GiveUp("libtorch_train.cc lacks the optimizer " + name);
  const std::string activation = arguments.Text("activation", "relu"), extra = arguments.Text("extra", "none");
  if (!kActivations.contains(activation)) peers::GiveUp("libtorch_train.cc lacks the activation " + activation);
  if (!kExtras.contains(extra)) peers::GiveUp("libtorch_train.cc lacks the layer " + extra);
  const torch::nn::Functional act(kActivations.at(activation));
  torch::set_num_threads(int(arguments.Int("threads", 1)));
  torch::manual_seed(42);
  peers::Pictures pictures = peers::LoadPictures();
  const Tensor x = torch::from_blob(pictures.x.data(), {peers::kPictures, peers::kPixels});
  const Tensor y = torch::from_blob(pictures.y.data(), {peers::kPictures}, torch::kLong);

  torch::nn::Sequential model;
  Weights penalised;
  const auto dense = [&](int64_t inputs, int64_t units) {
    const torch::nn::Linear linear(inputs, units);
    torch::nn::init::xavier_uniform_(linear->weight);
    torch::nn::init::zeros_(linear->bias);
    if (extra == "l2") penalised.push_back(linear->weight);
    model->push_back(linear);
  };
  const auto hidden = [&](int64_t inputs, int64_t units) {
    dense(inputs, units);
    model->push_back(act);
    kExtras.at(extra)(model, units);
  };
  hidden(784, 300);
  hidden(300, 100);
  dense(100, 10);
  const auto optimizer = kOptimizers.at(name)(model->parameters());

  std::vector<double> seconds, losses;
  for (int64_t epoch = 0; epoch <= arguments.Int("epochs", 3); ++epoch) {
    seconds.push_back(peers::SecondsOf([&] {
      Tensor loss_sum = torch::zeros({}), hits = torch::zeros({}, torch::kLong);
      for (const Tensor& rows : torch::randperm(peers::kPictures).split(arguments.Int("batch", 32))) {
        const Tensor labels = y.index_select(0, rows);
        const Tensor logits = model->forward(x.index_select(0, rows));
        Tensor loss = torch::nn::functional::cross_entropy(logits, labels);
        for (const Tensor& kernel : penalised) loss = loss + kL2 * kernel.square().sum();
        optimizer->zero_grad();
        loss.backward();
        optimizer->step();
        loss_sum += loss.detach() * rows.size(0);
        hits += (logits.detach().argmax(1) == labels).sum();
      }
      losses.push_back(loss_sum.item<double>() / peers::kPictures);
      hits.item<int64_t>();
    }));
  }
  seconds.erase(seconds.begin());
  peers::Answer(seconds, losses.front(), "LibTorch " TORCH_VERSION);
}
