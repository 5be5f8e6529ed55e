// SPDX-License-Identifier: Apache-2.0
// Seconds per call of oneDNN: one matmul primitive per layer, with bias and relu fused, on weights packed beforehand.
#include <unordered_map>

#include "onednn.h"
#include "peer.h"
#include "tests/benchmarks/numbers.h"

using dnnl::memory;
using Step = std::pair<dnnl::primitive, std::unordered_map<int, memory>>;

struct Net {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::vector<Step> steps;
};

// Appends a Dense layer on `x`, and returns its output.
memory Dense(Net& net, const memory& x, int64_t units, uint32_t layer, bool relu) {
  const int64_t rows = x.get_desc().dims()[0], inputs = x.get_desc().dims()[1];
  std::vector<float> kernel(size_t(inputs * units)), bias(size_t(units), 0);
  fusebox::benchmarks::SpreadLayer(kernel, bias, layer);
  memory plain(peers::Matrix(inputs, units), net.engine, kernel.data());
  memory b(peers::Matrix(1, units), net.engine);
  std::copy(bias.begin(), bias.end(), static_cast<float*>(b.get_data_handle()));

  dnnl::post_ops after;
  if (relu) after.append_eltwise(1, dnnl::algorithm::eltwise_relu, 0, 0);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(after);
  const memory::desc any({inputs, units}, memory::data_type::f32, memory::format_tag::any);
  const dnnl::matmul::primitive_desc matmul({x.get_desc(), any, b.get_desc(), peers::Matrix(rows, units)}, attributes,
                                            net.engine);
  memory packed(matmul.weights_desc(), net.engine), y(matmul.dst_desc(), net.engine);
  dnnl::reorder(plain, packed).execute(net.stream, plain, packed);
  net.stream.wait();
  net.steps.push_back(
      {dnnl::matmul(matmul), {{DNNL_ARG_SRC, x}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_BIAS, b}, {DNNL_ARG_DST, y}}});
  return y;
}

int main(int argc, char** argv) {
  const peers::Arguments arguments(argc, argv);
  const bool tiny = arguments.Text("model", "mlp") == "tiny";
  const std::vector<int64_t> widths =
      tiny ? std::vector<int64_t>{8, 30, 30, 1} : std::vector<int64_t>{784, 300, 100, 10};
  const int64_t rows = arguments.Int("batch", 1);
  Net net;
  std::vector<float> x(size_t(rows * widths[0]));
  fusebox::benchmarks::Spread(x, 1, 1);
  memory value(peers::Matrix(rows, widths[0]), net.engine, x.data());
  for (uint32_t layer = 0; layer < 3; ++layer) value = Dense(net, value, widths[layer + 1], layer, layer < 2);
  if (!tiny) {
    const dnnl::softmax_forward::primitive_desc softmax({dnnl::prop_kind::forward_inference, value.get_desc(), 1},
                                                        net.engine);
    net.steps.push_back({dnnl::softmax_forward(softmax), {{DNNL_ARG_SRC, value}, {DNNL_ARG_DST, value}}});
  }
  const std::vector<double> seconds = peers::SecondsOfACall(arguments.Real("seconds", 0.1), [&] {
    for (const auto& [primitive, memories] : net.steps) primitive.execute(net.stream, memories);
    net.stream.wait();
  });
  const std::span<const float> y(static_cast<const float*>(value.get_data_handle()), size_t(rows * widths.back()));
  peers::Answer(seconds, fusebox::benchmarks::Digest(y), peers::OneDnnVersion() + ", matmul with packed weights");
}
