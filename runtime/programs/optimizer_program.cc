// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/programs/optimizer_program.h"

#include <limits>
#include <set>

#include "fusebox/graph/state_kind.h"
#include "fusebox/graph/status.h"
#include "fusebox/plugins/sdk/plugin_abi.h"
#include "fusebox/runtime/describe/item_names.h"
#include "fusebox/runtime/expand/expand.h"
#include "fusebox/runtime/plugins/optimizer_attributes.h"
#include "fusebox/runtime/plugins/registry.h"

namespace fusebox {
namespace {

constexpr const char* kScope = kSharedScope;
const Type kNumber = {DType::kF32, {}};
// In Keras's files these come before the optimizer's own slots.
constexpr int64_t kAverageOrder = -2, kAccumulatorOrder = -1;

Value AllAxesSum(Value x) {
  Dims axes;
  for (int64_t i = 0; i < x.rank(); ++i) axes.push_back(i);
  return axes.empty() ? x : Sum(x, std::move(axes));
}

// The initial_scale of an optimizer that scales the loss.
double InitialScale(const ItemSpec& scaling) {
  const auto attribute = scaling.attributes.find("initial_scale");
  const double* const number =
      attribute != scaling.attributes.end() ? std::get_if<double>(&attribute->second) : nullptr;
  return number != nullptr ? *number : 1;
}

class OptimizerWriter {
 public:
  // `scaling`: the optimizer that scales the loss for this one; null, if none does.
  OptimizerWriter(HostBuilder& builder, const ItemSpec& optimizer, const ItemSpec* scaling,
                  const std::vector<NodeId>& weights, const Expansions& embedded)
      : b_(builder),
        optimizer_(optimizer),
        scaling_(scaling),
        options_(ReadOptimizerOptions(optimizer.attributes)),
        embedded_(embedded),
        begin_(builder.graph().size()),
        step_(Steps()),
        rate_(LearningRate()) {
    for (const NodeId w : weights) {
      weights_.push_back(b_.Wrap(w));
      names_.push_back(b_.graph()[w].attributes.String("name"));
    }
  }

  void Write(Value loss) {
    if (!rate_.ok()) return;
    CountUpdates();
    std::vector<Value> gradients = Clipped(Accumulated(Gradients(loss)));
    std::vector<Value> next = Updated(gradients);
    HoldBetweenUpdates(next);
    for (size_t i = 0; i < next.size(); ++i) {
      b_.Assign(weights_[i], Constrained(i, options_.use_ema ? Averaged(i, next[i]) : next[i]));
    }
    if (scaling_ != nullptr) HoldUnlessFinite();
  }

 private:
  Value Fail(std::string message) { return b_.Wrap(b_.Fail(std::move(message))); }

  // How many steps this optimizer has made: all steps of training but those whose scaled gradients were not finite.
  Value Steps() {
    const Value all = StepCounter(b_);
    if (scaling_ == nullptr) return all;
    const HostBuilder::Scope scope(b_, kScope);
    return b_.State("iteration", FB_SLOT, {DType::kI64, {}}, "zeros", {});
  }

  // Makes a number of the optimizer an input of the program: changing it needs no compiling.
  Value Scalar(const char* name, double value) {
    const HostBuilder::Scope scope(b_, kScope);
    const Value scalar = b_.State(name, FB_SCALAR, kNumber, fmt::format("{}", value), {});
    shared_.states[name] = scalar.id;
    return scalar;
  }
  Value HostSlot(size_t weight, const std::string& slot, int64_t order) {
    const Value w = weights_[weight];
    const HostBuilder::Scope scope(b_, fmt::format("{}/{}", kScope, names_[weight]));
    const Value state = b_.State(slot, FB_SLOT, b_.graph()[w.id].type, "zeros", {.order = order});
    ours_.insert(state.id);
    return state;
  }

  Value LearningRate() {
    const auto attribute = optimizer_.attributes.find("learning_rate");
    if (attribute == optimizer_.attributes.end()) {
      return Fail(fmt::format("optimizer {}: has no attribute learning_rate", optimizer_.id));
    }
    if (const std::string* text = std::get_if<std::string>(&attribute->second)) return Scheduled(*text);
    const int64_t* integer = std::get_if<int64_t>(&attribute->second);
    const double* number = std::get_if<double>(&attribute->second);
    return Scalar("learning_rate", integer != nullptr ? double(*integer) : number != nullptr ? *number : 0);
  }
  Value Scheduled(const std::string& text) {
    absl::StatusOr<ItemSpec> schedule = ParseItemSpec(text);
    if (schedule.ok()) schedule = ResolveItem(FB_SCHEDULE, *schedule, embedded_);
    if (!schedule.ok()) return Fail(Message(schedule.status()));
    const HostBuilder::Scope scope(b_, kScope);
    const Value rate = ExpandUse(b_, {FB_SCHEDULE, *schedule, true}, {Cast(step_, FB_F64)}, "learning_rate", embedded_);
    if (rate.ok() && (rate.rank() != 0 || (rate.dtype() != FB_F64 && rate.dtype() != FB_F32))) {
      return Fail(fmt::format("schedule {}: was to make a learning rate, f64[], and made {}", schedule->id,
                              ToString(rate.type())));
    }
    shared_.states["learning_rate"] = Cast(rate, FB_F32).id;
    return b_.Wrap(shared_.states["learning_rate"]);
  }

  // How many updates there were before, and whether this step is one.
  void CountUpdates() {
    updates_ = step_;
    if (const int64_t every = options_.gradient_accumulation_steps; every > 1) {
      const Value done = Cast(step_, FB_F64), with_this = done + 1;
      updates_ = Cast(Floor(done / double(every)), FB_I64);
      is_update_ = Equal(Floor(with_this / double(every)) * double(every), with_this);
    }
    shared_.states["iterations"] = updates_.id;
  }

  std::vector<Value> Gradients(Value loss) {
    std::vector<Value> gradients;
    // Keras drops the factor of an optimizer within one that scales the loss.
    const std::optional<double> factor = options_.loss_scale_factor;
    const Value scale = scaling_ != nullptr ? DynamicScale() : factor ? Scalar("loss_scale_factor", *factor) : Value{};
    const Value scaled = scale.ok() ? loss * scale : loss;
    for (const Value& w : weights_) gradients.push_back(Gradient(scaled, w));
    if (scaling_ != nullptr) Rescale(scale, gradients);
    if (!scale.ok()) return gradients;
    for (Value& g : gradients) g = g / scale;
    return gradients;
  }

  Value DynamicScale() {
    const HostBuilder::Scope scope(b_, kScope);
    return b_.State("dynamic_scale", FB_SLOT, kNumber, fmt::format("constant:value={}", InitialScale(*scaling_)), {});
  }

  // Whether all gradients are finite, and what then becomes of the scale.
  void Rescale(Value scale, const std::vector<Value>& gradients) {
    constexpr double kGreatest = std::numeric_limits<float>::max();
    Value wrong;
    for (const Value& g : gradients) {
      const Value count = AllAxesSum(Select(LessEqual(Abs(g), kGreatest), 0, b_.Constant(1, DType::kF32)));
      wrong = wrong.ok() ? wrong + count : count;
    }
    finite_ = Equal(wrong, 0);
    HostBuilder::Shared shared;
    shared.scope = kScope;
    b_.shared = &shared;
    const Value next = ExpandUse(b_, {FB_OPTIMIZER, *scaling_, true}, {scale, finite_, rate_}, kScope, embedded_);
    b_.shared = nullptr;
    if (next.ok() && b_.graph()[next.id].type != kNumber) {
      Fail(fmt::format("optimizer {}: was to make the next scale, f32[], and made {}", scaling_->id,
                       ToString(next.type())));
    }
    b_.Assign(scale, next);
    for (const Graph::Update& update : b_.graph().updates()) {
      if (update.state >= begin_) scales_.insert(update.state);
    }
    b_.Assign(step_, Select(finite_, step_ + 1, step_));
  }

  // Weights and slots stay as they are in a step whose gradients are not finite.
  void HoldUnlessFinite() {
    const std::vector<Graph::Update> updates = b_.graph().updates();
    for (const Graph::Update& update : updates) {
      const bool is_weight = std::ranges::find(weights_, update.state, &Value::id) != weights_.end();
      const bool is_slot = update.state >= begin_ && IsState(b_.graph()[update.state], FB_SLOT);
      if (!is_weight && (!is_slot || update.state == step_.id || scales_.contains(update.state))) continue;
      const Value state = b_.Wrap(update.state);
      b_.Assign(state, Select(finite_, b_.Wrap(update.value), state));
    }
  }

  // The mean gradient since the last update. Results made of it in steps between updates are discarded.
  std::vector<Value> Accumulated(std::vector<Value> gradients) {
    const int64_t every = options_.gradient_accumulation_steps;
    if (every == 1) return gradients;
    for (size_t i = 0; i < gradients.size(); ++i) {
      const Value sum_before = HostSlot(i, "gradient_accumulator", kAccumulatorOrder);
      const Value sum = gradients[i] + sum_before;
      b_.Assign(sum_before, Select(is_update_, 0.0, sum));
      gradients[i] = sum / double(every);
    }
    return gradients;
  }

  std::vector<Value> Clipped(std::vector<Value> gradients) {
    if (options_.clipnorm) {
      const Value most = Scalar("clipnorm", *options_.clipnorm);
      for (Value& g : gradients) g = g * most / Max(Sqrt(AllAxesSum(Square(g))), most);
    } else if (options_.global_clipnorm) {
      const Value most = Scalar("global_clipnorm", *options_.global_clipnorm);
      Value sum = AllAxesSum(Square(gradients[0]));
      for (size_t i = 1; i < gradients.size(); ++i) sum = sum + AllAxesSum(Square(gradients[i]));
      const Value norm = Sqrt(sum);
      // The second term is 0, or NaN if the norm is not finite, so that all weights show it.
      const Value scale = most * Min(1 / norm, 1 / most) + (norm - norm);
      for (Value& g : gradients) g = g * scale;
    } else if (options_.clipvalue) {
      const Value most = Scalar("clipvalue", *options_.clipvalue);
      for (Value& g : gradients) g = Min(Max(g, -most), most);
    }
    return gradients;
  }

  std::vector<Value> Updated(const std::vector<Value>& gradients) {
    const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(FB_OPTIMIZER, optimizer_.id);
    const bool decays = options_.weight_decay && !(item.ok() && ((*item)->flags & FB_DECAYS_WEIGHTS) != 0);
    const Value decay = decays ? Scalar("weight_decay", *options_.weight_decay) : Value{};
    first_ = b_.graph().size();
    shared_.scope = kScope;
    std::vector<Value> next;
    for (size_t i = 0; i < weights_.size(); ++i) {
      const Value w = weights_[i];
      const Value decayed = decays ? w - w * decay * rate_ : w;
      b_.shared = &shared_;
      next.push_back(ExpandUse(b_, {FB_OPTIMIZER, optimizer_, true}, {decayed, gradients[i], rate_},
                               fmt::format("{}/{}", kScope, names_[i]), embedded_));
      b_.shared = nullptr;
    }
    return next;
  }

  // In a step that only accumulates, weights and slots stay as they are.
  void HoldBetweenUpdates(std::vector<Value>& next) {
    if (!is_update_.ok()) return;
    for (size_t i = 0; i < next.size(); ++i) next[i] = Select(is_update_, next[i], weights_[i]);
    const std::vector<Graph::Update> updates = b_.graph().updates();
    for (const Graph::Update& update : updates) {
      const Node& state = b_.graph()[update.state];
      if (update.state < first_ || !IsState(state, FB_SLOT) || ours_.contains(update.state)) continue;
      const Value slot = b_.Wrap(update.state);
      b_.Assign(slot, Select(is_update_, b_.Wrap(update.value), slot));
    }
  }

  Value Averaged(size_t i, Value next) {
    if (!momentum_.ok()) {
      const Value first = Equal(updates_, 0.0);
      momentum_ = Select(first, 0.0, Scalar("ema_momentum", options_.ema_momentum));
    }
    const Value average = HostSlot(i, "average", kAverageOrder);
    const Value moved = momentum_ * average + (1 - momentum_) * next;
    b_.Assign(average, moved);
    if (!options_.ema_overwrite_frequency) return next;
    const Value count = Cast(updates_, FB_F64) + 1;
    const double every = double(*options_.ema_overwrite_frequency);
    return Select(Equal(Floor(count / every) * every, count), moved, next);
  }

  Value Constrained(size_t i, Value next) {
    const std::string text = b_.graph()[weights_[i].id].attributes.String("constraint");
    if (text.empty() || !next.ok()) return next;
    absl::StatusOr<ItemSpec> constraint = ParseItemSpec(text);
    if (constraint.ok()) constraint = ResolveItem(FB_CONSTRAINT, *constraint, embedded_);
    if (!constraint.ok()) return Fail(fmt::format("'{}', constraint: {}", names_[i], Message(constraint.status())));
    return ExpandUse(b_, {FB_CONSTRAINT, *constraint, true}, {next}, fmt::format("constraints/{}", names_[i]),
                     embedded_);
  }

  HostBuilder& b_;
  const ItemSpec& optimizer_;
  const ItemSpec* const scaling_;
  const OptimizerOptions options_;
  const Expansions& embedded_;
  HostBuilder::Shared shared_;
  std::vector<Value> weights_;
  std::vector<std::string> names_;
  const NodeId begin_;  // Of the nodes that the optimizer adds.
  const Value step_, rate_;
  Value finite_;               // Whether all gradients are; the error value, unless the loss is scaled.
  std::set<NodeId> scales_;    // Slots of what scales the loss.
  Value updates_, is_update_;  // The latter is the error value if every step is an update.
  Value momentum_;             // Of the moving averages in this step.
  NodeId first_ = 0;           // Of the nodes that the plugin made.
  std::set<NodeId> ours_;      // Slots that are not the plugin's.
};

}  // namespace

void WriteOptimizer(HostBuilder& builder, const ItemSpec& optimizer, const std::vector<NodeId>& weights, Value loss,
                    const Expansions& embedded) {
  if (!loss.ok() || weights.empty()) return;
  const std::optional<ItemSpec> inner = InnerOptimizer(optimizer, embedded);
  if (inner && InnerOptimizer(*inner, embedded)) {
    builder.Fail(fmt::format("optimizer {}: its inner_optimizer is to be one that does not scale the loss, got {}",
                             ShortName(optimizer.id), ShortName(inner->id)));
    return;
  }
  OptimizerWriter(builder, inner ? *inner : optimizer, inner ? &optimizer : nullptr, weights, embedded).Write(loss);
}

std::optional<ItemSpec> InnerOptimizer(const ItemSpec& optimizer, const Expansions& embedded) {
  const absl::StatusOr<const PluginItem*> item = Registry::Default().Find(FB_OPTIMIZER, optimizer.id);
  const std::string* const text = TextAttribute(optimizer, "inner_optimizer");
  if (!item.ok() || !ScalesLoss(**item) || text == nullptr) return std::nullopt;
  absl::StatusOr<ItemSpec> inner = ParseItemSpec(*text);
  if (inner.ok()) inner = ResolveItem(FB_OPTIMIZER, *inner, embedded);
  return inner.ok() ? std::optional(*std::move(inner)) : std::nullopt;
}

Value StepCounter(HostBuilder& builder) {
  const NodeId known = builder.graph().FindNamed(Op::kState, "step");
  return known != 0 ? builder.Wrap(known) : builder.State("step", FB_COUNTER, {DType::kI64, {}}, "zeros", {});
}

std::string AverageOf(std::string_view weight) { return fmt::format("{}/{}/average", kScope, weight); }

}  // namespace fusebox
