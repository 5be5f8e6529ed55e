// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/expand/kept_symbols.h"

#include <utility>

#include "fmt/ranges.h"
#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/expand/host_builder.h"
#include "fusebox/runtime/files/json_text.h"
#include "fusebox/runtime/plugins/plugin_item.h"

namespace fusebox {
namespace {

constexpr char kMember[] = "expansions";  // In JSON, and among a program's facts.

thread_local ExpansionRecorder* recorder = nullptr;

}  // namespace

std::string ExpansionKey(const ItemUse& use, const std::vector<Type>& inputs) {
  std::vector<std::string> types;
  for (const Type& type : inputs) types.push_back(ToString(type));
  return fmt::format("{} {}{}{} ({})", KindName(use.kind), Print(use.item), use.training ? " training" : "",
                     use.training && use.frozen ? " frozen" : "", fmt::join(types, ", "));
}

Value InlineExpansion(HostBuilder& builder, const Graph& expansion, const std::vector<Value>& inputs) {
  std::vector<NodeId> ids(expansion.size());
  for (NodeId i = 1; i < expansion.size(); ++i) {
    const Node& node = expansion[i];
    std::string name = node.attributes.String("name");
    if (node.scope == kSharedScope && name.starts_with(kSharedScope)) name.erase(0, sizeof kSharedScope);
    switch (node.op) {
      case Op::kInput: {
        size_t index = 0;
        while (index < inputs.size() && std::to_string(index) != name) ++index;
        if (index == inputs.size()) return builder.Wrap(builder.Fail("its stored symbols want an input more"));
        ids[i] = inputs[index].id;
        if (ids[i] == 0) return {};
        if (builder.graph()[ids[i]].type != node.type) {
          return builder.Wrap(builder.Fail(fmt::format("its stored symbols expect {}, got {}", ToString(node.type),
                                                       ToString(builder.graph()[ids[i]].type))));
        }
        break;
      }
      case Op::kState: {
        const uint32_t kind = StateKindOf(node.attributes.String("kind"));
        // These two are the program's, shared by all.
        if (kind == FB_COUNTER && name == "step") continue;
        if (kind == FB_SCALAR && name == "seed") continue;
        const StateTraits traits = {.trainable = node.attributes.Flag("trainable"),
                                    .shared = node.attributes.Flag("shared"),
                                    .order = node.attributes.Int("order"),
                                    .regularizer = node.attributes.String("regularizer"),
                                    .constraint = node.attributes.String("constraint")};
        ids[i] = builder.State(name, kind, node.type, node.attributes.String("initializer"), traits).id;
        break;
      }
      case Op::kRandomUniform:
        ids[i] = builder.Random(node.type, nullptr);
        break;
      default: {
        Node copy = node;
        for (NodeId& input : copy.inputs) input = ids[input];
        ids[i] = builder.Emit(std::move(copy));
      }
    }
    if (ids[i] == 0) return builder.Wrap(0);
  }
  for (const Graph::Update& update : expansion.updates()) {
    builder.Assign(builder.Wrap(ids[update.state]), builder.Wrap(ids[update.value]));
  }
  Value y = builder.Wrap(0);
  for (const Graph::Output& output : expansion.outputs()) {
    const Value value = builder.Wrap(ids[output.value]);
    if (output.name == "y") {
      y = value;
    } else {
      builder.AddLoss(value);
    }
  }
  return y.ok() ? y : builder.Wrap(builder.Fail("its stored symbols have no output 'y'"));
}

ExpansionRecorder::ExpansionRecorder() : outer_(std::exchange(recorder, this)) {}
ExpansionRecorder::~ExpansionRecorder() { recorder = outer_; }
ExpansionRecorder* ExpansionRecorder::Innermost() { return recorder; }

std::string WithExpansions(const std::string& json, const Expansions& expansions) {
  if (expansions.texts.empty()) return json;
  Json object = Json::parse(json);
  object[kMember] = expansions.texts;
  return JsonText(object);
}

absl::StatusOr<Expansions> ExpansionsIn(std::string_view json, const std::string& who) {
  Expansions expansions;
  FUSEBOX_ASSIGN_OR_RETURN(const Json object, ParseJson(json, who));
  for (const auto& [key, text] : Member(object, kMember).items()) {
    if (!text.is_string()) return Refuse("{}: the symbols of '{}' are no text", who, key);
    expansions.texts[key] = text.get<std::string>();
  }
  return expansions;
}

void WriteExpansions(const Expansions& expansions, Graph& program) {
  if (!expansions.texts.empty()) program.metadata[kMember] = WithExpansions("{}", expansions);
}

absl::StatusOr<Expansions> ReadExpansions(const Graph& program) {
  const auto fact = program.metadata.find(kMember);
  if (fact == program.metadata.end()) return Expansions();
  return ExpansionsIn(fact->second, "program: expansions");
}

}  // namespace fusebox
