// SPDX-License-Identifier: Apache-2.0
// The boundary between the host and a plugin library, in plain C. A library exports one symbol, fusebox_plugin(), which
// returns its descriptor. The host checks the version, then reads the items.
//
// The rules of builder_abi.h hold here too: structs start with struct_size and grow at their end, nothing throws,
// strings are UTF-8. Libraries are never unloaded, so descriptors and everything that they point to stay valid for the
// lifetime of the process. An object is destroyed by the side that created it. The host never calls hooks of one object
// from two threads at once.
//
// plugins/sdk is all that a plugin sees: these headers and graph's header-only builder interface.
#pragma once
#include "fusebox/graph/builder_abi.h"
#ifdef __cplusplus
extern "C" {
#endif

enum { FB_MAGIC = 0x786F6266, FB_ABI_MAJOR = 1, FB_ABI_MINOR = 0 };  // FbLibrary: "fbox", and the interface version.

enum {  // FbItem::kind. The first nine write symbols (expand), the host calls the others (hooks).
  FB_LAYER = 1,
  FB_ACTIVATION,
  FB_LOSS,
  FB_METRIC,
  FB_OPTIMIZER,
  FB_SCHEDULE,
  FB_INITIALIZER,
  FB_REGULARIZER,
  FB_CONSTRAINT,
  FB_CALLBACK,
  FB_DATASET,
  FB_MODEL
};
enum {  // FbItem::flags
  // A loss or metric whose y_true are class indices in [0, last axis of y_pred): the host validates the data first.
  FB_CLASS_LABELS = 1,
  FB_DECAYS_WEIGHTS = 2,         // An optimizer that applies its weight_decay itself; otherwise the host does.
  FB_CLASS_LABELS_BY_SHAPE = 4,  // FB_CLASS_LABELS only if y_true lacks y_pred's last axis or has 1 there.
  FB_KEEPS_MASK = 8  // A layer that passes on the mask of its first input, unless it sets another (FbApi::set_mask).
};
enum {                    // FbSchema::flags
  FB_REQUIRED = 1,        // Has no default.
  FB_PROGRAM_SCALAR = 2,  // A float that the program reads as an input (FB_SCALAR): a change never recompiles.
  FB_OPTIONAL = 4,        // None unless given; FbCall::attributes then lacks it.
  FB_NUMBERS = 8          // An FB_STRING that is a list of numbers: "[0.5;1e-3]".
};
enum {              // FbCall::flags
  FB_TRAINING = 1,  // The program trains.
  FB_FROZEN = 2     // The layer's weights are not trained; its statistics must not change either.
};

// ---- Items that write symbols.

typedef struct FbCall {                                       // One use of an item that writes symbols.
  uint32_t struct_size, attribute_count, input_count, flags;  // sizeof(FbCall), lengths of the arrays, FB_TRAINING, ...
  const FbApi* api;                                           // The functions that write into `builder`.
  FbBuilder* builder;                                         // The graph to write into.
  const FbAttribute* attributes;  // The whole schema, checked, defaults filled in; see FB_OPTIONAL.
  const FbId* inputs;             // Layer, activation: x. Loss, metric: y_true, y_pred; of a metric that weighs
                                  // samples their weights, f32[N], too. Initializer: none.
                                  // Optimizer: variable, gradient, learning rate. Regularizer, constraint: the weight
                                  // (or what comes out of a layer). Schedule: how many steps were done before, f64[].
  const FbType* wanted;           // Initializer: the type of the value to make; else null.
  const char* path;               // Where the item is used: "dense_1"; for an optimizer "optimizer/dense_1/kernel".
  const FbId* masks;  // One for each input of a layer or metric: bool[N, ...], which of its steps count, or 0,
                      // if all do. Null: all do, of every input.
} FbCall;

typedef struct FbSchema {  // An attribute of an item.
  uint32_t struct_size, type, flags,
      item_kind;                // FB_INT, ...; FB_REQUIRED, ...; what an FB_ITEM refers to, FB_LAYER, ...
  const char *name, *doc;       // "units", "width of the output"
  double min, max;              // Bounds, both included, of a number or of each element of FB_INTS.
  double default_real;          // Of an FB_FLOAT.
  int64_t default_integer;      // Of an FB_INT or an FB_FLAG.
  const char* default_string;   // FB_ITEM: "" is none, and then users may also give "".
  const int64_t* default_ints;  // Of an FB_INTS,
  uint64_t default_ints_count;  // so many.
} FbSchema;

// ---- Items that the host calls.

typedef struct FbSink {            // Receives a hook's output. Text is copied before the functions return.
  uint32_t struct_size, reserved;  // sizeof(FbSink), 0.
  void* data;                      // The first argument of the functions.
  void (*fail)(void* data, const char* message);                 // The call failed; the first message counts.
  void (*write)(void* data, const char* bytes, uint64_t count);  // Text for stderr, or the bytes asked for.
} FbSink;

enum {  // FbEvent::kind
  FB_TRAIN_BEGIN = 1,
  FB_TRAIN_END,
  FB_EPOCH_BEGIN,
  FB_EPOCH_END,
  FB_BATCH_BEGIN,
  FB_BATCH_END,
  FB_TEST_BEGIN,
  FB_TEST_END,
  FB_TICK,        // Between two steps, about ten times a second, only if stderr is a terminal.
  FB_INTERRUPTED  // A signal ends the run; FB_TRAIN_END follows.
};
enum { FB_TERMINAL = 1, FB_COLOUR = 2 };  // FbEvent::flags: what stderr is.

typedef struct FbEvent {                         // What happens in a run.
  uint32_t struct_size, kind, flags, log_count;  // FB_EPOCH_END, ...; FB_TERMINAL, ...; length of the arrays of logs.
  int64_t epoch, epochs;                         // Index from 0, and number of epochs.
  int64_t step, steps;                           // Steps of the epoch that are done, and their total.
  double seconds;                                // Since the epoch began; for FB_TRAIN_END since training began.
  const char* const* log_names;                  // "accuracy", "loss", "val_accuracy", "val_loss"
  const double* log_values;                      // Their values so far.
  int64_t columns;                               // The width of the terminal.
  int64_t stop;                                  // Set by the callback: nonzero ends training after this step.
} FbEvent;

typedef struct FbCallbackHooks {  // FbItem::hooks of an FB_CALLBACK.
  uint32_t struct_size, events;   // Bit 1 << FbEvent::kind is set for each event that on_event receives.
  void* (*create)(const FbAttribute*, uint32_t attribute_count, const FbSink*);  // Null after fail().
  void (*destroy)(void* object);                                                 // Of create.
  void (*on_event)(void* object, FbEvent*, const FbSink*);                       // Its output goes to stderr.
  void (*save_state)(void* object, const FbSink*);  // For a checkpoint: writes bytes that load_state reads.
  void (*load_state)(void* object, const char* bytes, uint64_t count, const FbSink*);  // What save_state wrote.
} FbCallbackHooks;

typedef struct FbSplit {           // A part of a data set.
  uint32_t struct_size, reserved;  // sizeof(FbSplit), 0.
  const char* name;                // "train"
  int64_t rows;                    // Its number of samples.
} FbSplit;

typedef struct FbArray {           // An array of a data set.
  uint32_t struct_size, reserved;  // sizeof(FbArray), 0.
  const char* name;                // "x", "y", or the name of an input or output
  const FbType* type;              // All dimensions are numbers.
  const void* data;                // Row-major, aligned to the element; owned by the object, valid while it lives.
} FbArray;

typedef struct FbDatasetHooks {                                                  // FbItem::hooks of an FB_DATASET.
  uint32_t struct_size, reserved;                                                // sizeof(FbDatasetHooks), 0.
  void* (*create)(const FbAttribute*, uint32_t attribute_count, const FbSink*);  // Null after fail().
  void (*destroy)(void* object);                                                 // Of create.
  // Each returns a count, 0 after fail(), and an array owned by the object.
  uint64_t (*splits)(void* object, const FbSplit** splits, const FbSink*);
  uint64_t (*load)(void* object, const char* split, const FbArray** arrays, const FbSink*);
} FbDatasetHooks;

typedef struct FbModelHooks {      // A model library links libfusebox and may use all of it.
  uint32_t struct_size, reserved;  // sizeof(FbModelHooks), 0.
  const char* build_id;            // Of the libfusebox that it was compiled for; any other refuses the library.
  // Writes the model's configuration (JSON) and, if it is compiled, its training program (.fbg). Either sink may get
  // fail().
  void (*build)(const FbAttribute*, uint32_t attribute_count, const FbSink* config, const FbSink* program);
} FbModelHooks;

// ---- The library.

typedef struct FbItem {  // A layer, a loss, ...: what a library registers.
  uint32_t struct_size, kind, major,
      attribute_count;         // sizeof(FbItem); FB_LAYER, ...; version; length of `attributes`.
  const char *id, *doc;        // The key is (kind, id@major); id is "namespace/name".
  const FbSchema* attributes;  // What it may be given.
  // Symbolic kinds: a pure function of attributes and inputs. There is no object to keep or destroy.
  FbId (*expand)(const FbCall*);
  const void* hooks;         // Other kinds: FbCallbackHooks, FbDatasetHooks or FbModelHooks.
  uint32_t flags, reserved;  // FB_CLASS_LABELS, ...; 0.
} FbItem;

typedef struct FbHost {                                  // What the host gives to a library that registers its items.
  uint32_t struct_size, abi_major, abi_minor, reserved;  // sizeof(FbHost), the host's FB_ABI_MAJOR and FB_ABI_MINOR, 0.
  void* registry;                                        // The first argument of `add`.
  void (*add)(void* registry, const FbItem*);            // Registers an item.
} FbHost;

typedef struct FbLibrary {                                     // A library's descriptor.
  uint32_t struct_size, magic, abi_major, abi_minor_required;  // These four never move, not even in another major.
  const char *id, *version, *licence, *build_info;             // licence: an SPDX expression, or "".
  void (*register_items)(const FbHost*);                       // Calls FbHost::add for each item.
} FbLibrary;

const FbLibrary* fusebox_plugin(void);  // The one symbol that a plugin exports.

#ifdef __cplusplus
}
#endif
