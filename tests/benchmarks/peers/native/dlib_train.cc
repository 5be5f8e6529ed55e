// SPDX-License-Identifier: Apache-2.0
// Seconds per epoch of dlib, on its tensors: its trainer would copy every sample through a separate matrix.
#include <dlib/dnn.h>
#include <dlib/revision.h>

#include <algorithm>
#include <numeric>

#include "peer.h"
#include "pictures.h"

template <template <class> class Activation>
using Mlp = dlib::loss_multiclass_log<
    dlib::fc<10, Activation<dlib::fc<100, Activation<dlib::fc<300, dlib::input<dlib::matrix<float>>>>>>>>;

template <class Net, class Solver>
void Train(const peers::Arguments& arguments, Solver solver) {
  const peers::Pictures pictures = peers::LoadPictures();
  const auto batch = size_t(arguments.Int("batch", 32));
  Net net;
  std::vector<Solver> solvers(Net::num_computational_layers, solver);
  std::vector<size_t> order(peers::kPictures);
  std::iota(order.begin(), order.end(), size_t{0});
  std::mt19937 random(42);
  dlib::resizable_tensor x;
  // Tells the network that each sample is one row of x.
  const dlib::matrix<float> sample = dlib::zeros_matrix<float>(28, 28);
  net.to_tensor(&sample, &sample + 1, x);
  std::vector<unsigned long> labels;
  std::vector<double> seconds, losses;
  for (int64_t epoch = 0; epoch <= arguments.Int("epochs", 3); ++epoch) {
    double loss = 0;
    size_t hits = 0;
    seconds.push_back(peers::SecondsOf([&] {
      std::shuffle(order.begin(), order.end(), random);
      for (size_t begin = 0; begin < order.size(); begin += batch) {
        const size_t rows = std::min(batch, order.size() - begin);
        x.set_size(int64_t(rows), 1, 28, 28);
        labels.resize(rows);
        float* const host = x.host_write_only();
        for (size_t i = 0; i < rows; ++i) {
          const size_t from = order[begin + i];
          std::copy_n(&pictures.x[from * peers::kPixels], peers::kPixels, host + i * peers::kPixels);
          labels[i] = static_cast<unsigned long>(pictures.y[from]);
        }
        loss += net.compute_parameter_gradients(x, labels.begin()) * double(rows);
        const float* logits = net.subnet().get_output().host();
        for (size_t i = 0; i < rows; ++i, logits += 10)
          hits += size_t(std::max_element(logits, logits + 10) - logits) == labels[i];
        net.update_parameters(solvers, 0.01);
      }
    }));
    losses.push_back(loss / double(order.size()));
    if (hits == 0) peers::GiveUp("dlib learns nothing");
  }
  seconds.erase(seconds.begin());
  peers::Answer(seconds, losses.front(),
                "dlib " + std::to_string(DLIB_MAJOR_VERSION) + "." + std::to_string(DLIB_MINOR_VERSION));
}

template <class Net>
void TrainWithOptimizer(const peers::Arguments& arguments) {
  const std::string name = arguments.Text("optimizer", "sgd");
  // Weight decay, momentum.
  if (name == "sgd") return Train<Net>(arguments, dlib::sgd(0, 0));
  if (name == "momentum") return Train<Net>(arguments, dlib::sgd(0, 0.9f));
  peers::GiveUp("dlib_train.cc lacks the optimizer " + name);
}

int main(int argc, char** argv) {
  const peers::Arguments arguments(argc, argv);
  const std::string name = arguments.Text("activation", "relu"), extra = arguments.Text("extra", "none");
  if (extra != "none") peers::GiveUp("dlib_train.cc lacks the layer " + extra);
  if (name == "relu") return TrainWithOptimizer<Mlp<dlib::relu>>(arguments), 0;
  if (name == "tanh") return TrainWithOptimizer<Mlp<dlib::htan>>(arguments), 0;
  if (name == "sigmoid") return TrainWithOptimizer<Mlp<dlib::sig>>(arguments), 0;
  peers::GiveUp("dlib_train.cc lacks the activation " + name);
}
