// SPDX-License-Identifier: Apache-2.0
// Seconds an epoch of LibTorch: ../python/torch_train.py in C++.
#include <torch/torch.h>

#include <functional>
#include <map>

#include "peer.h"
#include "pictures.h"

using torch::Tensor;
using Weights = std::vector<Tensor>;

// By the name that `run` has for it.
const std::map<std::string, std::function<std::unique_ptr<torch::optim::Optimizer>(Weights)>> kOptimizers = {
    {"sgd", [](Weights w) { return std::make_unique<torch::optim::SGD>(w, torch::optim::SGDOptions(0.01)); }},
    {"momentum",
     [](Weights w) { return std::make_unique<torch::optim::SGD>(w, torch::optim::SGDOptions(0.01).momentum(0.9)); }},
    {"nesterov",
     [](Weights w) {
       return std::make_unique<torch::optim::SGD>(w, torch::optim::SGDOptions(0.01).momentum(0.9).nesterov(true));
     }},
};

const std::map<std::string, std::function<Tensor(const Tensor&)>> kActivations = {
    {"relu", [](const Tensor& x) { return torch::relu(x); }},
    {"tanh", [](const Tensor& x) { return torch::tanh(x); }},
    {"sigmoid", [](const Tensor& x) { return torch::sigmoid(x); }},
};

int main(int argc, char** argv) {
  const peers::Arguments arguments(argc, argv);
  const std::string name = arguments.Text("optimizer", "sgd");
  if (!kOptimizers.contains(name)) peers::GiveUp("libtorch_train.cc lacks the optimizer " + name);
  const std::string activation = arguments.Text("activation", "relu"), extra = arguments.Text("extra", "none");
  if (!kActivations.contains(activation)) peers::GiveUp("libtorch_train.cc lacks the activation " + activation);
  if (extra != "none") peers::GiveUp("libtorch_train.cc lacks the layer " + extra);
  const torch::nn::Functional act(kActivations.at(activation));
  torch::set_num_threads(int(arguments.Int("threads", 1)));
  torch::manual_seed(42);
  peers::Pictures pictures = peers::LoadPictures();
  const Tensor x = torch::from_blob(pictures.x.data(), {peers::kPictures, peers::kPixels});
  const Tensor y = torch::from_blob(pictures.y.data(), {peers::kPictures}, torch::kLong);

  torch::nn::Sequential model(torch::nn::Linear(784, 300), act, torch::nn::Linear(300, 100), act,
                              torch::nn::Linear(100, 10));
  for (const Tensor& weight : model->parameters()) {
    if (weight.dim() == 2) torch::nn::init::xavier_uniform_(weight);
    if (weight.dim() == 1) torch::nn::init::zeros_(weight);
  }
  const auto optimizer = kOptimizers.at(name)(model->parameters());

  std::vector<double> seconds, losses;
  for (int64_t epoch = 0; epoch <= arguments.Int("epochs", 3); ++epoch) {
    seconds.push_back(peers::SecondsOf([&] {
      Tensor loss_sum = torch::zeros({}), hits = torch::zeros({}, torch::kLong);
      for (const Tensor& rows : torch::randperm(peers::kPictures).split(arguments.Int("batch", 32))) {
        const Tensor labels = y.index_select(0, rows);
        const Tensor logits = model->forward(x.index_select(0, rows));
        const Tensor loss = torch::nn::functional::cross_entropy(logits, labels);
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
