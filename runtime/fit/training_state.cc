// SPDX-License-Identifier: Apache-2.0
// The byte form of a training state: a magic number, then each field in the order of Walk. Numbers take 8 bytes, the
// lowest one first; texts and lists begin with their length; a tensor is its dtype's name, its shape and its elements,
// row-major.
#include "fusebox/runtime/fit/training_state.h"

#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/bounded_reader.h"

namespace fusebox {
namespace {

constexpr std::string_view kMagic = "fusebox training state 1\n";

struct Writer {
  void Number(int64_t number) {
    for (int i = 0; i < 8; ++i) bytes += char(uint64_t(number) >> (8 * i));
  }
  void Real(double real) { Number(std::bit_cast<int64_t>(real)); }
  void Flag(bool flag) { Number(flag ? 1 : 0); }
  void Phase(TrainingState::Phase phase) { Number(int64_t(phase)); }
  void Text(const std::string& text) {
    Number(int64_t(text.size()));
    bytes += text;
  }
  void Elements(const Tensor& tensor) {
    Text(Name(tensor.dtype()));
    List(tensor.shape(), [this](int64_t dim) { Number(dim); });
    bytes.append(static_cast<const char*>(tensor.raw()), tensor.bytes());
  }
  template <class Items, class Each>
  void List(const Items& list, Each each) {
    Number(int64_t(list.size()));
    for (const auto& one : list) each(one);
  }

  std::string bytes = std::string(kMagic);
};

// Stops at the first error.
class Reader {
 public:
  Reader(std::string_view bytes, const std::string& who) : in_(bytes, who) {
    const absl::StatusOr<std::string_view> magic = in_.Take(kMagic.size(), "the magic number");
    status_ = magic.status();
    if (magic.ok() && *magic != kMagic) Fail("no training state, or one of another version");
  }

  void Number(int64_t& number) {
    if (!status_.ok()) return;
    const absl::StatusOr<uint64_t> read = in_.TakeUint(8, std::endian::little, "a number");
    status_ = read.status();
    if (read.ok()) number = int64_t(*read);
  }
  void Real(double& real) {
    int64_t bits = 0;
    Number(bits);
    real = std::bit_cast<double>(bits);
  }
  void Flag(bool& flag) {
    int64_t number = 0;
    Number(number);
    flag = number != 0;
  }
  void Phase(TrainingState::Phase& phase) {
    int64_t number = 0;
    Number(number);
    if (number < 0 || number > int64_t(TrainingState::Phase::kStopped))
      Fail(fmt::format("no phase has number {}", number));
    phase = TrainingState::Phase(number);
  }
  void Text(std::string& text) {
    int64_t size = 0;
    Number(size);
    if (const std::optional<std::string_view> read = Take(uint64_t(size), "a text")) text = *read;
  }
  void Elements(Tensor& tensor) {
    std::string name;
    std::vector<int64_t> shape;
    Text(name);
    List(shape, [this](int64_t& dim) { Number(dim); });
    const std::optional<DType> dtype = DTypeFromName(name);
    if (!dtype) return Fail(fmt::format("'{}' is no dtype", name));
    const std::optional<uint64_t> size = CheckedBytes(shape, uint64_t(SizeOf(*dtype)));
    if (!size) return Fail("a shape is negative or too large");
    const std::optional<std::string_view> elements = Take(*size, "a tensor");
    if (!elements) return;
    tensor = Tensor(*dtype, std::move(shape));
    std::memcpy(tensor.mutable_raw(), elements->data(), elements->size());
  }
  template <class Items, class Each>
  void List(Items& list, Each each) {
    int64_t size = 0;
    Number(size);
    list.clear();
    // No size is trusted: what is not there ends the list.
    for (int64_t i = 0; i < size && status_.ok(); ++i) each(list.emplace_back());
  }

  absl::Status Finish() const { return status_.ok() ? in_.ExpectEnd() : status_; }

 private:
  std::optional<std::string_view> Take(uint64_t count, std::string_view what) {
    if (!status_.ok()) return std::nullopt;
    const absl::StatusOr<std::string_view> read = in_.Take(count, what);
    status_ = read.status();
    return read.ok() ? std::optional(*read) : std::nullopt;
  }
  void Fail(const std::string& message) {
    if (status_.ok()) status_ = Refuse("{}: {}", in_.who(), message);
  }

  BoundedReader in_;
  absl::Status status_;
};

// Every field, for both directions. `State` is const when it is written.
template <class Io, class State>
void Walk(Io& io, State& state) {
  const auto log = [&](auto& one) { io.Text(one.name), io.Real(one.value); };
  const auto tensor = [&](auto& one) { io.Text(one.name), io.Elements(one.value); };
  const auto number = [&](auto& one) { io.Number(one); };
  io.Number(state.rows);
  io.Number(state.batch_size);
  io.Number(state.steps_per_epoch);
  io.Phase(state.phase);
  io.Number(state.position.epoch);
  io.Number(state.position.pass);
  io.Number(state.position.begin);
  io.Number(state.position.step);
  io.Number(state.seed);
  io.List(state.variables, tensor);
  io.List(state.accumulators, tensor);
  io.List(state.logs, log);
  io.List(state.results, log);
  io.List(state.history.epoch, number);
  io.List(state.history.values, [&](auto& one) {
    io.Text(one.first);
    io.List(one.second, [&](auto& value) { io.Real(value); });
  });
  io.Number(state.history.calls);
  io.Number(state.history.steps);
  io.Flag(state.history.stopped);
  io.List(state.callbacks, [&](auto& one) { io.Text(one.id), io.Text(one.bytes); });
  io.Flag(state.stop);
  io.Flag(state.warned);
}

}  // namespace

std::string TrainingStateBytes(const TrainingState& state) {
  Writer writer;
  Walk(writer, state);
  return std::move(writer.bytes);
}

absl::StatusOr<TrainingState> ParseTrainingState(std::string_view bytes, const std::string& who) {
  Reader reader(bytes, who);
  TrainingState state;
  Walk(reader, state);
  FUSEBOX_RETURN_IF_ERROR(reader.Finish());
  return state;
}

}  // namespace fusebox
