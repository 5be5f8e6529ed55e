// SPDX-License-Identifier: Apache-2.0
// Base classes of the items that the host calls while it works: callbacks and data sets. An object lives as long as the
// host needs it. Any method may throw: what() becomes the host's error, prefixed with the item's name.
#pragma once
#include <exception>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "fusebox/plugins/sdk/symbolic.h"

namespace fusebox::sdk {

// A number of the run.
struct Log {
  std::string_view name;  // "val_loss"
  double value;           // So far in the epoch.
};

// A callback's view of the run. FbEvent explains the fields.
class Event {
 public:
  Event(FbEvent& raw, const FbSink& sink) : e(ReadStruct(&raw)), raw_(raw), sink_(sink) {
    for (uint32_t i = 0; i < e.log_count; ++i) logs.push_back({e.log_names[i], e.log_values[i]});
  }

  // What stderr is: a terminal, and one with colours.
  bool terminal() const { return (e.flags & FB_TERMINAL) != 0; }
  bool colour() const { return (e.flags & FB_COLOUR) != 0; }
  void Stop() { raw_.stop = 1; }  // Ends the training after this step.
  void Write(std::string_view text) const { sink_.write(sink_.data, text.data(), text.size()); }  // To stderr.

  const FbEvent e;        // The event as the host gave it.
  std::vector<Log> logs;  // In the host's order: "accuracy", "loss", "val_accuracy", "val_loss".

 private:
  FbEvent& raw_;
  const FbSink& sink_;
};

// The host calls only methods that are overridden, so a callback without OnBatchEnd costs nothing per batch.
class Callback {
 public:
  static constexpr uint32_t kKind = FB_CALLBACK;  // For FUSEBOX_PLUGIN.
  virtual ~Callback() = default;
  // Called when the event happens; an evaluation with validation data is a test.
  virtual void OnTrainBegin(Event&) {}
  virtual void OnTrainEnd(Event&) {}
  virtual void OnEpochBegin(Event&) {}
  virtual void OnEpochEnd(Event&) {}
  virtual void OnBatchBegin(Event&) {}
  virtual void OnBatchEnd(Event&) {}
  virtual void OnTestBegin(Event&) {}
  virtual void OnTestEnd(Event&) {}
  virtual void OnTick(Event&) {}         // About ten times a second, between steps, only if stderr is a terminal.
  virtual void OnInterrupted(Event&) {}  // A signal ends the run.
  // Returns bytes for checkpoints. LoadState of later versions must understand them.
  virtual std::string SaveState() const { return {}; }
  virtual void LoadState(std::string_view) {}
};

// A part of a data set.
struct Split {
  std::string name;  // "train"
  int64_t rows;      // Its number of samples.
};

// An array of a data set.
struct Array {
  std::string name;                  // "x", "y", or the name of an input or output
  FbType type;                       // All dimensions are numbers.
  std::shared_ptr<const void> data;  // Row-major.
};

// A data source: named splits of arrays.
class Dataset {
 public:
  static constexpr uint32_t kKind = FB_DATASET;  // For FUSEBOX_PLUGIN.
  virtual ~Dataset() = default;
  virtual std::vector<Split> Splits() const = 0;                      // The first is the default.
  virtual std::vector<Array> Load(std::string_view split) const = 0;  // One of Splits().
};

// ---- The hook tables over these classes. No exception passes the boundary.

// Calls `work`; an exception becomes the sink's error.
template <class Work>
auto Guarded(const FbSink* sink, Work work) noexcept -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& e) {
    sink->fail(sink->data, e.what());
  } catch (...) {
    sink->fail(sink->data, "threw something that is no std::exception");
  }
  return decltype(work())();
}

// Whether Class overrides a method: if so, the pointer to it is not a pointer to a member of Callback. A private
// method, which cannot be inspected, counts as overridden.
#define FUSEBOX_OVERRIDES(Class, Method)                                             \
  [] {                                                                               \
    if constexpr (requires { &Class::Method; }) {                                    \
      return !std::is_same_v<decltype(&Class::Method), decltype(&Callback::Method)>; \
    } else {                                                                         \
      return true;                                                                   \
    }                                                                                \
  }()

// The C functions over a Callback.
template <class Class>
constexpr FbCallbackHooks MakeCallbackHooks() {
  const uint32_t events = uint32_t{FUSEBOX_OVERRIDES(Class, OnTrainBegin)} << FB_TRAIN_BEGIN |
                          uint32_t{FUSEBOX_OVERRIDES(Class, OnTrainEnd)} << FB_TRAIN_END |
                          uint32_t{FUSEBOX_OVERRIDES(Class, OnEpochBegin)} << FB_EPOCH_BEGIN |
                          uint32_t{FUSEBOX_OVERRIDES(Class, OnEpochEnd)} << FB_EPOCH_END |
                          uint32_t{FUSEBOX_OVERRIDES(Class, OnBatchBegin)} << FB_BATCH_BEGIN |
                          uint32_t{FUSEBOX_OVERRIDES(Class, OnBatchEnd)} << FB_BATCH_END |
                          uint32_t{FUSEBOX_OVERRIDES(Class, OnTestBegin)} << FB_TEST_BEGIN |
                          uint32_t{FUSEBOX_OVERRIDES(Class, OnTestEnd)} << FB_TEST_END |
                          uint32_t{FUSEBOX_OVERRIDES(Class, OnTick)} << FB_TICK |
                          uint32_t{FUSEBOX_OVERRIDES(Class, OnInterrupted)} << FB_INTERRUPTED;
  return {sizeof(FbCallbackHooks),
          events,
          [](const FbAttribute* attributes, uint32_t count, const FbSink* sink) -> void* {
            return Guarded(sink, [&]() -> void* {
              return static_cast<Callback*>(new Class(MakeItem<Class>(Attributes(attributes, count))));
            });
          },
          [](void* object) { delete static_cast<Callback*>(object); },
          [](void* object, FbEvent* raw, const FbSink* sink) {
            Guarded(sink, [&] {
              static constexpr void (Callback::* kMethods[])(Event&) = {nullptr,
                                                                        &Callback::OnTrainBegin,
                                                                        &Callback::OnTrainEnd,
                                                                        &Callback::OnEpochBegin,
                                                                        &Callback::OnEpochEnd,
                                                                        &Callback::OnBatchBegin,
                                                                        &Callback::OnBatchEnd,
                                                                        &Callback::OnTestBegin,
                                                                        &Callback::OnTestEnd,
                                                                        &Callback::OnTick,
                                                                        &Callback::OnInterrupted};
              // clang-tidy does not see that the call through a pointer to a method takes the event by reference.
              // NOLINTNEXTLINE(misc-const-correctness)
              Event event(*raw, *sink);
              if (raw->kind == 0 || raw->kind >= std::size(kMethods)) return;  // An event kind that a later host added.
              (static_cast<Callback*>(object)->*kMethods[raw->kind])(event);
            });
          },
          [](void* object, const FbSink* sink) {
            Guarded(sink, [&] {
              const std::string state = static_cast<const Callback*>(object)->SaveState();
              sink->write(sink->data, state.data(), state.size());
            });
          },
          [](void* object, const char* bytes, uint64_t count, const FbSink* sink) {
            Guarded(sink, [&] { static_cast<Callback*>(object)->LoadState({bytes, count}); });
          }};
}
#undef FUSEBOX_OVERRIDES

// A data set, and everything that it has handed out.
struct DatasetBox {
  // One call of Load.
  struct Loaded {
    std::vector<Array> arrays;  // As the data set gave them,
    std::vector<FbArray> raw;   // and as the host sees them.
  };
  // The data set, what it said of its splits, and all arrays handed out.
  std::unique_ptr<const Dataset> dataset;
  std::vector<Split> splits;
  std::vector<FbSplit> raw_splits;
  std::list<Loaded> loaded;
};

// The C functions over a Dataset.
template <class Class>
constexpr FbDatasetHooks MakeDatasetHooks() {
  return {sizeof(FbDatasetHooks),
          0,
          [](const FbAttribute* attributes, uint32_t count, const FbSink* sink) -> void* {
            return Guarded(sink, [&]() -> void* {
              auto box = std::make_unique<DatasetBox>();
              box->dataset.reset(new Class(MakeItem<Class>(Attributes(attributes, count))));
              return box.release();
            });
          },
          [](void* object) { delete static_cast<DatasetBox*>(object); },
          [](void* object, const FbSplit** splits, const FbSink* sink) -> uint64_t {
            return Guarded(sink, [&]() -> uint64_t {
              auto& box = *static_cast<DatasetBox*>(object);
              if (box.raw_splits.empty()) {
                box.splits = box.dataset->Splits();
                for (const Split& s : box.splits)
                  box.raw_splits.push_back({sizeof(FbSplit), 0, s.name.c_str(), s.rows});
              }
              *splits = box.raw_splits.data();
              return box.raw_splits.size();
            });
          },
          [](void* object, const char* split, const FbArray** arrays, const FbSink* sink) -> uint64_t {
            return Guarded(sink, [&]() -> uint64_t {
              auto& box = *static_cast<DatasetBox*>(object);
              auto& [all, raw] = box.loaded.emplace_back(DatasetBox::Loaded{box.dataset->Load(split), {}});
              for (const Array& a : all) raw.push_back({sizeof(FbArray), 0, a.name.c_str(), &a.type, a.data.get()});
              *arrays = raw.data();
              return raw.size();
            });
          }};
}

}  // namespace fusebox::sdk
