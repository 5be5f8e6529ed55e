// SPDX-License-Identifier: Apache-2.0
// graph/ops/ describes the primitive ops: one entry each (OpInfo of graph/op.h), with its shape rule, its gradient, its
// value by plain loops and its traits. A source holds a family, or a subject of a large one:
//
//   sources.cc      what the caller binds, constants, extents and indices
//   arithmetic.cc logic.cc functions.cc conversions.cc    elementwise ops
//   reduce.cc matmul.cc movement.cc gather.cc random.cc   families of loops
//   control.cc      calls, branches, loops; the op that stands for a derivative
//
// Entries see graph/ and the pieces below; graph/op.cc collects them. Gradients are written with the users' functions
// (graph/ops.h), evaluation with graph/ops/evaluation.h. Tests sweep each entry by its traits and examples.
#pragma once
#include "fusebox/graph/graph.h"
#include "fusebox/graph/literal.h"
#include "fusebox/graph/ops.h"
#include "fusebox/graph/ops/evaluation.h"
#include "fusebox/graph/ops/shape_rules.h"
#include "fusebox/graph/status.h"
