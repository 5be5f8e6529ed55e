// SPDX-License-Identifier: Apache-2.0
// Plugins in tests: the built-in ones, those of tests/plugins/bad, and the graphs that they write.
#pragma once
#include <string>

#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/text.h"
#include "fusebox/runtime/expand/host_builder.h"
#include "fusebox/runtime/expand/plugin_call.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/status.h"
#include "tests/support/text.h"

namespace fusebox::testing {

inline const std::string kBuiltIns = FUSEBOX_BUILD_DIR "/lib/fusebox/plugins";

inline std::string BadLibrary(const std::string& name) { return FUSEBOX_BUILD_DIR "/tests/bad/" + name + ".so"; }

inline const Registry& BuiltIns() {
  static const Registry* const registry = [] {
    auto* r = new Registry;
    r->LoadFolder(kBuiltIns);
    return r;
  }();
  return *registry;
}

inline ItemSpec Spec(std::string_view text) {
  const absl::StatusOr<ItemSpec> spec = ParseItemSpec(text);
  EXPECT_OK(spec);
  return spec.ok() ? *spec : ItemSpec{};
}

// A graph in which one item is expanded. Its inputs are named a, b, c; its output is "y".
class Expansion {
 public:
  Expansion(const Registry& registry, uint32_t kind, std::string_view item, const std::vector<Type>& inputs,
            const std::string& name = "", bool training = false) {
    if (kind == FB_OPTIMIZER) builder.shared = &shared;
    Values values;
    for (const Type& type : inputs) values.push_back(builder.Input(std::string(1, char('a' + values.size())), type));
    y = ExpandItem(builder, registry, kind, Spec(item), values, name, training);
    builder.Output("y", y);
  }

  std::string text() const { return Print(builder.graph()); }
  std::string error() const { return std::string(builder.status().message()); }
  std::string type() const { return y.ok() ? ToString(builder.graph()[y.id].type) : "error"; }

  HostBuilder builder;
  HostBuilder::Shared shared{"optimizer", {}};  // States that an optimizer shares between all variables.
  Value y;
};

inline Type F32(Shape shape) { return {DType::kF32, std::move(shape)}; }
inline Type I32(Shape shape) { return {DType::kI32, std::move(shape)}; }

}  // namespace fusebox::testing
