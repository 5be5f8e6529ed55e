// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/expand/item_function.h"

#include <exception>
#include <utility>

#include "fusebox/graph/ops.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/sdk.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/plugins/plugin_item.h"

namespace fusebox {

Value CallFunction(HostBuilder& builder, const ItemUse& use, const Values& inputs, const std::string& name) {
  const HostBuilder::Scope scope(builder, name);
  const std::string* const called = TextAttribute(use.item, "called");
  const std::string outer =
      std::exchange(builder.who, use.kind == FB_LAYER
                                     ? fmt::format("'{}', {}: ", builder.scope(), ShortName(use.item.id))
                                     : fmt::format("{} '{}': ", KindName(use.kind), called != nullptr ? *called : ""));
  Value made;
  // The function may not throw; an exception of one that does is an error and not the end of the host.
  try {
    made = (*use.item.function)(inputs);
    if (IsMetricFunction(use.item) && HostBuilder::Of(made) == &builder && made.ok()) {
      made = RunningMean(builder, made, inputs.size() > 2 ? inputs[2] : Value{});
    }
  } catch (const std::exception& e) {
    made = builder.Wrap(builder.Fail(fmt::format("its function threw: {}", e.what())));
  } catch (...) {
    made = builder.Wrap(builder.Fail("its function threw"));
  }
  if (!made.ok()) {
    builder.Fail("its function returned no value");  // Kept only if no earlier error says more.
    made = builder.Wrap(0);
  } else if (HostBuilder::Of(made) != &builder) {
    made = builder.Wrap(builder.Fail("its function returned a value of another graph"));
  }
  builder.who = outer;
  builder.masks.clear();  // RunningMean has used them.
  return made;
}

Values LinedUp(HostBuilder& builder, const std::string& name, Values inputs) {
  const HostBuilder::Scope scope(builder, name);
  const auto adjust = [](Value& one, Value& other) {
    if (one.rank() != other.rank() + 1 || one.dim(-1) != 1) return;
    Dims dims = one.dims();
    dims.pop_back();
    if (other.rank() == 1) {
      other = Reshape(other, {other.dim(0), 1});
    } else {
      one = Reshape(one, dims);
    }
  };
  adjust(inputs[0], inputs[1]);
  adjust(inputs[1], inputs[0]);
  return inputs;
}

Value RunningMean(HostBuilder& builder, Value values, Value weight) {
  const FbId inputs[] = {values.id, values.id, weight.id};
  const FbCall call = {.struct_size = sizeof call,
                       .attribute_count = 0,
                       .input_count = weight.ok() ? 3u : 2u,
                       .flags = 0,
                       .api = &builder.api(),
                       .builder = &builder,
                       .attributes = nullptr,
                       .inputs = inputs,
                       .wanted = nullptr,
                       .path = "",
                       .masks = builder.masks.empty() ? nullptr : builder.masks.data()};
  return sdk::Scope(call).RunningMean(values);
}

}  // namespace fusebox
