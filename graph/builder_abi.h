// SPDX-License-Identifier: Apache-2.0
// The builder of a graph as a table of C functions: everything that crosses between the owner of a graph (the host) and
// the writers of symbols (gradient rules, the host itself, third-party plugins).
//
//   structs    start with struct_size, set by the side that fills them, and grow at their end only. A reader takes what
//              both sides know, and steps through an array by its elements' struct_size (ReadStruct and ReadArray in
//              value.h). For that, no struct holds another one by value.
//   pointers   are the caller's and good for the call.
//   functions  never throw, on either side. Each side frees only what it has made.
//
// Header-only face of graph/: sees nothing, and all rooms see it.
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

enum { FB_MAX_RANK = 8 };                                                // The greatest number of dimensions.
enum { FB_F32 = 1, FB_F64, FB_I32, FB_I64, FB_U8, FB_BOOL };             // FbType::dtype
enum { FB_INT = 1, FB_FLOAT, FB_STRING, FB_FLAG, FB_INTS, FB_ITEM };     // FbAttribute::type
enum { FB_WEIGHT = 1, FB_SLOT, FB_SCALAR, FB_ACCUMULATOR, FB_COUNTER };  // FbState::kind
enum { FB_TRAINABLE = 1, FB_SHARED = 2 };                                // FbState::flags

typedef struct FbBuilder FbBuilder;  // A graph under construction; only the host knows more.
typedef uint32_t FbId;               // A value of that graph. 0 is the error value.

typedef struct FbType {             // dtype and dimensions of a value.
  uint32_t struct_size, dtype;      // sizeof(FbType) as its writer knows it; FB_F32, ...
  int64_t rank, dims[FB_MAX_RANK];  // d >= 0 is a number, d < 0 is -d times the batch: -1 is N, -28 is 28*N.
} FbType;

typedef struct FbSource {      // The line that asked, for messages.
  uint32_t struct_size, line;  // sizeof(FbSource); from 1.
  const char* file;            // "layers/dense.cc"
} FbSource;

typedef struct FbAttribute {   // A named setting of a node or an item. Of the fields, the one of its type counts.
  uint32_t struct_size, type;  // sizeof(FbAttribute); FB_INT, ...
  const char* name;            // "units"
  int64_t integer;             // FB_INT, FB_FLAG
  double real;                 // FB_FLOAT
  const char* string;          // FB_STRING; FB_ITEM: a reference to another item, "namespace/name:key=value,..."
  const int64_t* ints;         // FB_INTS; a shape uses the encoding of FbType::dims
  uint64_t ints_count;         // Of `ints`.
} FbAttribute;

typedef struct FbNode {  // Ops and attributes are known by name, which never changes.
  uint32_t struct_size, input_count, attribute_count, reserved;  // sizeof(FbNode), lengths of the arrays, 0.
  const char* op;                                                // "matmul"
  const FbId* inputs;                                            // Values of the same builder.
  const FbAttribute* attributes;                                 // In any order.
  const FbSource* source;                                        // May be null.
} FbNode;

typedef struct FbState {              // An input of the program that outlives a step.
  uint32_t struct_size, kind, flags;  // sizeof(FbState); FB_WEIGHT, ...; FB_TRAINABLE, ... together.
  // Slots are kept in files in this order, those of the same order variable by variable: an optimizer whose second
  // memory comes after the first memories of all variables gives that one 1. FB_SHARED: one slot serves all variables.
  uint32_t order;
  const char *name, *initializer;  // FB_SCALAR: the initializer is "attribute" (the item's own Float of this name).
  const FbType* type;              // Its dimensions are numbers.
  const FbSource* source;          // May be null.
  // FB_WEIGHT: references to items, or null. The host adds the penalty to the loss, and keeps the constraint in
  // training.
  const char *regularizer, *constraint;
} FbState;

typedef struct FbApi {                      // On an error each returns 0, and the builder keeps the first message.
  uint32_t struct_size, reserved;           // sizeof(FbApi) as the host knows it; 0.
  FbId (*emit)(FbBuilder*, const FbNode*);  // A node; its shape and dtype follow from the op.
  FbId (*constant)(FbBuilder*, double, uint32_t dtype);    // A scalar.
  FbId (*declare)(FbBuilder*, const FbState*);             // A state: what it holds before the step.
  void (*assign)(FbBuilder*, FbId state, FbId new_value);  // What the state holds after the step.
  void (*type)(FbBuilder*, FbId, FbType*);  // A copy, no longer than the struct_size that the caller set.
  FbId (*error)(FbBuilder*, const char* message, const FbSource*);  // The error value.
  // Another item's symbols, by reference: an activation's, say. `kind` is an FB_LAYER... of plugins/sdk/plugin_abi.h.
  FbId (*expand)(FbBuilder*, uint32_t kind, const char* reference, const FbId* inputs, uint32_t input_count,
                 const FbSource*);
  // Uniform in [0, 1), of the type given, from a stream that no other call of this program has.
  FbId (*random)(FbBuilder*, const FbType*, const FbSource*);
  // If `value` is what the activation of this id made of some x (by whatever layer): x; else 0, and that is no error.
  FbId (*preimage)(FbBuilder*, FbId value, const char* activation);
  void (*add_loss)(FbBuilder*, FbId value);  // f32[], which the host adds to the loss, in training and evaluation.
  void (*set_mask)(FbBuilder*, FbId mask);   // bool[N, ...]: which steps of what the layer at work makes count.
  // Branches and loops, see control.h. What is emitted between begin and end is a region, with parameters; `control`
  // makes one node of the regions that ended last and tells how many results it has; result 0 is the node itself.
  void (*begin_region)(FbBuilder*);
  FbId (*parameter)(FbBuilder*, const FbType*);
  void (*end_region)(FbBuilder*, const FbId* results, uint32_t result_count);
  FbId (*control)(FbBuilder*, const FbNode*, uint32_t* result_count);
  FbId (*result)(FbBuilder*, FbId, uint32_t index, const FbSource*);
} FbApi;

#ifdef __cplusplus
}
#endif
