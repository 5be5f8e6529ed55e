// SPDX-License-Identifier: Apache-2.0
// Functions that break the rules of the ABI, without the SDK, which follows them.
#include <stdexcept>

#include "fusebox/graph/ops.h"
#include "fusebox/plugins/sdk/plugin_abi.h"

namespace {
using namespace fusebox;

FbId UnknownValue(const FbCall*) { return 4711; }
FbId NoValue(const FbCall*) { return 0; }
FbId Throws(const FbCall*) { throw std::runtime_error("over the border"); }
FbId ThrowsInt(const FbCall*) { throw 3; }
FbId UnknownOp(const FbCall* call) {
  const FbNode node = {sizeof node, 1, 0, 0, "teleport", call->inputs, nullptr, nullptr};
  return call->api->emit(call->builder, &node);
}
FbId UnknownInput(const FbCall* call) {
  const FbId inputs[] = {4711};
  const FbNode node = {sizeof node, 1, 0, 0, "tanh", inputs, nullptr, nullptr};
  return call->api->emit(call->builder, &node);
}
FbId WeightOfBatchSize(const FbCall* call) {
  const FbType type = MakeType(FB_F32, {kBatch, 3});
  const FbState state = {sizeof state, FB_WEIGHT, 0, 0, "kernel", "zeros", &type, nullptr, nullptr, nullptr};
  return call->api->declare(call->builder, &state);
}
FbId WeightTwice(const FbCall* call) {
  const FbType type = MakeType(FB_F32, {3});
  const FbState state = {sizeof state, FB_WEIGHT, 0, 0, "kernel", "zeros", &type, nullptr, nullptr, nullptr};
  call->api->declare(call->builder, &state);
  return call->api->declare(call->builder, &state);
}
FbId AssignsToInput(const FbCall* call) {
  call->api->assign(call->builder, call->inputs[0], call->inputs[0]);
  return call->inputs[0];
}
FbId RefersToItself(const FbCall* call) {
  return call->api->expand(call->builder, FB_ACTIVATION, "garbage/itself", call->inputs, 1, nullptr);
}
FbId OtherType(const FbCall* call) { return call->api->constant(call->builder, 1, FB_F32); }

struct {
  const char* name;
  uint32_t kind;
  FbId (*expand)(const FbCall*);
} constexpr kItems[] = {
    {"garbage/unknown_value", FB_LAYER, UnknownValue},
    {"garbage/no_value", FB_LAYER, NoValue},
    {"garbage/throws", FB_LAYER, Throws},
    {"garbage/throws_int", FB_LAYER, ThrowsInt},
    {"garbage/unknown_op", FB_LAYER, UnknownOp},
    {"garbage/unknown_input", FB_LAYER, UnknownInput},
    {"garbage/weight_of_batch_size", FB_LAYER, WeightOfBatchSize},
    {"garbage/weight_twice", FB_LAYER, WeightTwice},
    {"garbage/assigns_to_input", FB_LAYER, AssignsToInput},
    {"garbage/itself", FB_ACTIVATION, RefersToItself},
    {"garbage/other_type", FB_INITIALIZER, OtherType},
};

void Register(const FbHost* host) {
  static FbItem items[std::size(kItems)];
  for (size_t i = 0; i < std::size(kItems); ++i) {
    items[i] = {sizeof items[i], kItems[i].kind, 1, 0, kItems[i].name, "", nullptr, kItems[i].expand, nullptr, 0, 0};
    host->add(host->registry, &items[i]);
  }
}

}  // namespace

extern "C" [[gnu::visibility("default")]] const FbLibrary* fusebox_plugin() {
  static constexpr FbLibrary kLibrary = {sizeof(FbLibrary), FB_MAGIC, FB_ABI_MAJOR, 0,       "garbage",
                                         "1.0.0",           "",       "",           Register};
  return &kLibrary;
}
