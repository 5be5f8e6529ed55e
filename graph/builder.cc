// SPDX-License-Identifier: Apache-2.0
#include "fusebox/graph/builder.h"

#include <algorithm>
#include <span>
#include <utility>

#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"

namespace fusebox {
namespace {

std::string Where(const FbSource* source) {
  if (source == nullptr) return "";
  const FbSource s = ReadStruct(source);
  return s.file != nullptr ? fmt::format("{}:{}", s.file, s.line) : "";
}

absl::StatusOr<AttributeValue> AttributeFromAbi(const FbAttribute& a) {
  switch (a.type) {
    case FB_FLAG:
      return AttributeValue(a.integer != 0);
    case FB_INT:
      return AttributeValue(a.integer);
    case FB_FLOAT:
      return AttributeValue(a.real);
    case FB_STRING:
      return AttributeValue(std::string(a.string != nullptr ? a.string : ""));
    case FB_INTS:
      return AttributeValue(Ints(a.ints, a.ints + a.ints_count));
    default:
      return Refuse("attribute '{}' has no known type", a.name);
  }
}

// Axes are stored counted from the front and in order, so that equal nodes look equal.
void NormaliseAxes(AttributeMap& attributes, const Node& node, const Graph& graph) {
  if (node.inputs.empty()) return;
  const int64_t rank = graph[node.inputs[0]].type.rank();
  const auto normal = [rank](int64_t axis) { return axis < 0 && axis >= -rank ? axis + rank : axis; };
  if (const AttributeValue* axis = attributes.Find("axis"); axis && std::holds_alternative<int64_t>(*axis)) {
    attributes.Set("axis", normal(std::get<int64_t>(*axis)));
  }
  if (const AttributeValue* axes = attributes.Find("axes"); axes && std::holds_alternative<Ints>(*axes)) {
    Ints sorted = std::get<Ints>(*axes);
    std::ranges::transform(sorted, sorted.begin(), normal);
    std::ranges::sort(sorted);
    attributes.Set("axes", std::move(sorted));
  }
}

GraphBuilder& Self(FbBuilder* b) { return *static_cast<GraphBuilder*>(b); }

// ---- The table. Plugins call these, and nothing may be thrown through them.

// The op, inputs and attributes; none after an error.
std::optional<Node> NodeFromAbi(GraphBuilder& builder, const FbNode& abi) {
  const std::optional<Op> op = abi.op != nullptr ? OpFromName(abi.op) : std::nullopt;
  if (!op) {
    builder.Fail(fmt::format("no op is named '{}'", abi.op != nullptr ? abi.op : ""), abi.source);
    return std::nullopt;
  }
  Node node{.op = *op};
  node.inputs.assign(abi.inputs, abi.inputs + abi.input_count);
  for (const FbAttribute& a : ReadArray(abi.attributes, abi.attribute_count)) {
    if (a.name == nullptr) {
      builder.Fail(fmt::format("{}: has an attribute without a name", abi.op), abi.source);
      return std::nullopt;
    }
    absl::StatusOr<AttributeValue> value = AttributeFromAbi(a);
    if (!value.ok()) {
      builder.Fail(fmt::format("{}: {}", abi.op, Message(value.status())), abi.source);
      return std::nullopt;
    }
    node.attributes.Set(a.name, *std::move(value));
  }
  return node;
}

FbId EmitNode(FbBuilder* b, const FbNode* raw) noexcept {
  const FbNode abi = ReadStruct(raw);
  std::optional<Node> node = NodeFromAbi(Self(b), abi);
  return node ? Self(b).Emit(*std::move(node), abi.source) : 0;
}

FbId EmitConstant(FbBuilder* b, double number, uint32_t dtype) noexcept {
  if (dtype < FB_F32 || dtype > FB_BOOL)
    return Self(b).Fail(fmt::format("constant: no dtype has the number {}", dtype));
  return Self(b).Constant(number, DType(dtype)).id;
}

FbId DeclareState(FbBuilder* b, const FbState* raw) noexcept {
  GraphBuilder& builder = Self(b);
  const FbState state = ReadStruct(raw);
  const std::optional<Type> type = state.type != nullptr ? FromAbi(ReadStruct(state.type)) : std::nullopt;
  if (!type || state.name == nullptr || state.kind < FB_WEIGHT || state.kind > FB_COUNTER) {
    return builder.Fail("declares a state without a name, of no known kind or of no known type", state.source);
  }
  if (std::ranges::any_of(type->shape, [](int64_t d) { return d < 0; })) {
    return builder.Fail(
        fmt::format("{} '{}' needs fixed dimensions, got {}", StateKindName(state.kind), state.name, ToString(*type)),
        state.source);
  }
  const StateTraits traits = {.trainable = (state.flags & FB_TRAINABLE) != 0,
                              .shared = (state.flags & FB_SHARED) != 0,
                              .order = state.order,
                              .regularizer = state.regularizer != nullptr ? state.regularizer : "",
                              .constraint = state.constraint != nullptr ? state.constraint : ""};
  return builder
      .State(state.name, state.kind, *type, state.initializer != nullptr ? state.initializer : "zeros", traits,
             state.source)
      .id;
}

void AssignState(FbBuilder* b, FbId state, FbId next) noexcept {
  Self(b).Assign(Self(b).Wrap(state), Self(b).Wrap(next));
}

void TypeOf(FbBuilder* b, FbId id, FbType* out) noexcept {
  const uint32_t size = out->struct_size;
  if (id > 0 && id < Self(b).graph().size()) {
    const FbType type = ToAbi(Self(b).graph()[id].type);
    std::memcpy(out, &type, std::min<size_t>(size, sizeof type));
  }
  out->struct_size = size;
}

FbId ReportError(FbBuilder* b, const char* message, const FbSource* source) noexcept {
  return Self(b).Fail(message != nullptr ? message : "reports an error without a message", source);
}

FbId ExpandNothing(FbBuilder* b, uint32_t, const char*, const FbId*, uint32_t, const FbSource* source) noexcept {
  return Self(b).Fail("refers to another item, and none are known here", source);
}

FbId RandomNumbers(FbBuilder* b, const FbType* raw, const FbSource* source) noexcept {
  const std::optional<Type> type = FromAbi(ReadStruct(raw));
  if (!type) return Self(b).Fail("asks for random numbers of no known type", source);
  return Self(b).Random(*type, source);
}

FbId FindNoPreimage(FbBuilder*, FbId, const char*) noexcept { return 0; }

void AddNoLoss(FbBuilder* b, FbId) noexcept { Self(b).Fail("adds to the loss of a graph that has none"); }

void SetNoMask(FbBuilder* b, FbId) noexcept { Self(b).Fail("sets the mask of a result where masks are not known"); }

void BeginRegion(FbBuilder* b) noexcept { Self(b).BeginRegion(); }

FbId RegionParameter(FbBuilder* b, const FbType* raw) noexcept {
  const std::optional<Type> type = FromAbi(ReadStruct(raw));
  return type ? Self(b).Parameter(*type) : Self(b).Fail("asks for a parameter of no known type");
}

void EndRegion(FbBuilder* b, const FbId* results, uint32_t count) noexcept {
  Self(b).EndRegion({results, results + count});
}

FbId EmitControl(FbBuilder* b, const FbNode* raw, uint32_t* count) noexcept {
  *count = 0;
  std::optional<Node> node = NodeFromAbi(Self(b), ReadStruct(raw));
  return node ? Self(b).Control(*std::move(node), ReadStruct(raw).source, count) : 0;
}

FbId ResultOf(FbBuilder* b, FbId control, uint32_t index, const FbSource* source) noexcept {
  return Self(b).Result(control, index, source);
}

constexpr FbApi kApi = {.struct_size = sizeof(FbApi),
                        .reserved = 0,
                        .emit = EmitNode,
                        .constant = EmitConstant,
                        .declare = DeclareState,
                        .assign = AssignState,
                        .type = TypeOf,
                        .error = ReportError,
                        .expand = ExpandNothing,
                        .random = RandomNumbers,
                        .preimage = FindNoPreimage,
                        .add_loss = AddNoLoss,
                        .set_mask = SetNoMask,
                        .begin_region = BeginRegion,
                        .parameter = RegionParameter,
                        .end_region = EndRegion,
                        .control = EmitControl,
                        .result = ResultOf};

}  // namespace

const FbApi& GraphBuilder::Api() { return kApi; }

GraphBuilder* GraphBuilder::Of(const Value& value) {
  return value.api != nullptr && value.api->emit == EmitNode ? static_cast<GraphBuilder*>(value.builder) : nullptr;
}

Value GraphBuilder::Input(const std::string& name, const Type& type) {
  if (graph_.FindNamed(Op::kInput, name) != 0) return Wrap(Fail(fmt::format("declares input '{}' twice", name)));
  Node node{.op = Op::kInput, .type = type};
  node.attributes.Set("name", name);
  return Wrap(graph_.Add(std::move(node)));
}

Value GraphBuilder::Rows(const std::string& name, const Type& type, Value order) {
  Node node{.op = Op::kRows, .type = type, .inputs = {order.id}};
  node.attributes.Set("name", name);
  return Wrap(Emit(std::move(node)));
}

Value GraphBuilder::Constant(double number, DType dtype) {
  Node node{.op = Op::kConstant, .type = {dtype, {}}, .scope = scope_};
  node.attributes.Set("value", number);
  return Wrap(graph_.Add(std::move(node)));
}

Value GraphBuilder::State(const std::string& name, uint32_t kind, const Type& type, const std::string& initializer,
                          const StateTraits& traits, const FbSource* source) {
  const std::string full = scope_.empty() ? name : scope_ + "/" + name;
  if (graph_.FindNamed(Op::kState, full) != 0) return Wrap(Fail(fmt::format("declares '{}' twice", full), source));
  Node node{.op = Op::kState, .type = type, .scope = scope_, .source = Where(source)};
  node.attributes.Set("name", full);
  node.attributes.Set("kind", std::string(StateKindName(kind)));
  node.attributes.Set("initializer", initializer);
  if (kind == FB_WEIGHT) node.attributes.Set("trainable", traits.trainable);
  if (traits.shared) node.attributes.Set("shared", true);
  if (traits.order != 0) node.attributes.Set("order", traits.order);
  if (!traits.regularizer.empty()) node.attributes.Set("regularizer", traits.regularizer);
  if (!traits.constraint.empty()) node.attributes.Set("constraint", traits.constraint);
  return Wrap(graph_.Add(std::move(node)));
}

void GraphBuilder::Assign(Value state, Value next) {
  if (!state.ok() || !next.ok()) return;
  ++assignments_;
  if (state.id >= graph_.size() || next.id >= graph_.size() || graph_[state.id].op != Op::kState) {
    Fail("assigns to what is no state of this program");
    return;
  }
  if (IsGone(next.id)) {
    Fail(fmt::format("assigns to '{}' what was made within a loop or branch, and is known only there",
                     graph_[state.id].attributes.String("name")));
    return;
  }
  const Type &from = graph_[next.id].type, &to = graph_[state.id].type;
  if (from != to) {
    Fail(fmt::format("assigns {} to '{}', which is {}", ToString(from), graph_[state.id].attributes.String("name"),
                     ToString(to)));
    return;
  }
  graph_.SetUpdate(state.id, next.id);
}

void GraphBuilder::Output(const std::string& name, Value value) {
  if (!value.ok()) return;
  if (IsGone(value.id)) {
    Fail(fmt::format("output '{}' was made within a loop or branch, and is known only there", name));
    return;
  }
  graph_.AddOutput(name, value.id);
}

NodeId GraphBuilder::Emit(Node node, const FbSource* source) {
  std::vector<Type> types;
  for (const NodeId input : node.inputs) {
    if (input == 0) return 0;
    if (input >= graph_.size())
      return Fail(fmt::format("{}: value {} does not exist", node.info().name, input), source);
    if (IsGone(input)) {
      return Fail(
          fmt::format("{}: an operand was made within a loop or branch, and is known only there", node.info().name),
          source);
    }
    types.push_back(graph_[input].type);
  }
  NormaliseAxes(node.attributes, node, graph_);
  const Type* stated = node.type.dtype != DType::kError ? &node.type : nullptr;
  absl::StatusOr<Type> type = InferType(node.op, {types, node.attributes, stated});
  if (!type.ok()) return Fail(std::string(type.status().message()), source);
  if (!SymbolicProduct(type->shape)) {
    return Fail(
        fmt::format("{}: {} is too large, or has more than one symbolic axis", node.info().name, ToString(*type)),
        source);
  }
  node.type = *std::move(type);
  node.scope = scope_;
  node.source = Where(source);
  return graph_.Add(std::move(node));
}

NodeId GraphBuilder::Fail(std::string message, const FbSource* source) {
  if (!status_.ok()) return 0;
  message = who + message;
  const std::string where = Where(source);
  if (!where.empty()) message += " [" + where + "]";
  status_ = absl::InvalidArgumentError(message);
  return 0;
}

GraphBuilder::Scope::Scope(GraphBuilder& builder, std::string_view name)
    : builder_(builder), outer_(builder.scope_.size()) {
  if (outer_ > 0 && !name.empty()) builder.scope_ += '/';
  builder.scope_ += name;
}

NodeId GraphBuilder::Random(const Type& type, const FbSource* source) {
  const Type scalar{DType::kI64, {}};
  const auto state = [&](const char* name, uint32_t kind) {
    const NodeId known = graph_.FindNamed(Op::kState, name);
    if (known != 0) return known;
    const std::string inner = std::exchange(scope_, "");
    const NodeId made = State(name, kind, scalar, "zeros", {}).id;
    scope_ = inner;
    return made;
  };
  Node node{.op = Op::kRandomUniform, .inputs = {state("seed", FB_SCALAR), state("step", FB_COUNTER)}};
  node.attributes.Set("dims", Ints(type.shape.begin(), type.shape.end()));
  node.attributes.Set("dtype", int64_t(type.dtype));
  node.attributes.Set("stream", streams_++);
  return Emit(std::move(node), source);
}

}  // namespace fusebox
