// SPDX-License-Identifier: Apache-2.0
#include "tests/plugins/keras_items.h"

#include <cmath>

#include "fusebox/compiler/passes/differentiate.h"
#include "fusebox/graph/verify.h"
#include "fusebox/runtime/expand/host_builder.h"
#include "fusebox/runtime/files/npz.h"
#include "gtest/gtest.h"
#include "tests/support/random_graph.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {

std::map<std::string, Literal> KerasArrays(const std::string& file) {
  std::map<std::string, Literal> arrays;
  const auto read = ReadNpz(FUSEBOX_SOURCE_DIR "/tests/data/" + file);
  EXPECT_OK(read);
  if (!read.ok()) return arrays;
  for (const NamedTensor& array : *read) {
    Literal literal(array.value.dtype(), Sizes(array.value.shape().begin(), array.value.shape().end()));
    std::memcpy(literal.mutable_bytes().data(), array.value.raw(), literal.bytes().size());
    arrays.emplace(array.name, std::move(literal));
  }
  return arrays;
}

void ExpectClose(const Literal& got, const Literal& want, double relative, double absolute, const std::string& what) {
  ASSERT_EQ(TypeText(got), TypeText(want)) << what;
  const std::vector<double> a = got.ToDoubles(), b = want.ToDoubles();
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double off = std::abs(a[i] - b[i]) / (relative * std::abs(b[i]) + absolute);
    if (!(off <= worst)) worst = off, at = i;
    if (std::isnan(off)) break;
  }
  EXPECT_LE(worst, 1) << what << ": element " << at << " is " << a[at] << ", expected " << b[at];
}

Graph Widened(const Graph& graph) {
  return Rewrite(graph, [](Graph& to, const Node& node, std::vector<NodeId> inputs) {
    Node wide = node;
    if (wide.type.dtype == DType::kF32) wide.type.dtype = DType::kF64;
    const AttributeValue* dtype = wide.attributes.Find("dtype");
    if (dtype != nullptr && *dtype == AttributeValue(int64_t{FB_F32})) wide.attributes.Set("dtype", int64_t{FB_F64});
    for (Graph& region : wide.regions) region = Widened(region);
    return Keep(to, wide, std::move(inputs));
  });
}

void ExpectGradientsOf(const Graph& graph, const Bindings& bindings, const std::string& what) {
  GraphBuilder b(graph);
  const Value y = b.Wrap(graph.outputs()[0].value);
  Dims axes;
  for (int64_t i = 0; i < y.rank(); ++i) axes.push_back(i);
  const Value r = b.Input("r", graph[y.id].type);
  const Value loss = Sum(y * r, axes);
  b.Output("loss", loss);
  std::vector<std::string> inputs, weights;
  for (NodeId id = 1; id < graph.size(); ++id) {
    const Node& node = graph[id];
    if (node.type.dtype != DType::kF64) continue;
    const bool weight =
        node.op == Op::kState && node.attributes.String("kind") == "weight" && node.attributes.Flag("trainable");
    if (node.op != Op::kInput && !weight) continue;
    const std::string name = node.attributes.String("name");
    (weight ? weights : inputs).push_back(name);
    b.Output("gradient " + name, Gradient(loss, b.Wrap(id)));
  }
  ASSERT_OK(b.status()) << what;
  const Graph asked = std::move(b).Take();
  ASSERT_OK_AND_ASSIGN(const Graph differentiated, Differentiate(asked));
  ASSERT_OK(Verify(differentiated, Stage::kDifferentiated)) << what;
  Bindings at = bindings;
  at.inputs["r"] = RandomBindings(asked, 3, bindings.batch).inputs.at("r");
  ASSERT_OK_AND_ASSIGN(const Evaluation here, Evaluate(differentiated, at));
  const auto loss_at = [&](const Bindings& moved) {
    const absl::StatusOr<Evaluation> e = Evaluate(differentiated, moved);
    EXPECT_OK(e) << what;
    return e.ok() ? e->outputs.at("loss").ToDoubles()[0] : std::nan("");
  };
  constexpr double kStep = 1e-6;
  const auto check = [&](const std::string& name, bool weight) {
    const Literal gradient = here.outputs.at("gradient " + name);
    for (uint64_t seed = 0; seed < 4; ++seed) {
      Bindings above = at, below = at;
      Literal& up = weight ? above.states.at(name) : above.inputs.at(name);
      Literal& down = weight ? below.states.at(name) : below.inputs.at(name);
      const Literal direction = RandomLiteral(DType::kF64, up.shape(), seed);
      double slope = 0, size = 0;
      for (size_t i = 0; i < size_t(up.size()); ++i) {
        const double d = direction.values<double>()[i], g = gradient.values<double>()[i];
        slope += d * g;
        size += std::abs(d * g);
        up.mutable_values<double>()[i] += kStep * d;
        down.mutable_values<double>()[i] -= kStep * d;
      }
      const double central = (loss_at(above) - loss_at(below)) / (2 * kStep);
      EXPECT_NEAR(slope, central, 1e-6 * std::max(1.0, size)) << what << ": d / d " << name << ", direction " << seed;
    }
  };
  for (const std::string& name : inputs) check(name, false);
  for (const std::string& name : weights) check(name, true);
}

}  // namespace fusebox::testing
