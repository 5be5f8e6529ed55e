// SPDX-License-Identifier: Apache-2.0
// Shared by tests of many built-in items: numbers from Keras, and gradients by finite differences.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/graph.h"

namespace fusebox::testing {

// The arrays of tests/data/<file>, by name.
std::map<std::string, Literal> KerasArrays(const std::string& file);

// Checks |got - want| <= relative |want| + absolute, element by element, and equal types. Reports the largest
// difference.
void ExpectClose(const Literal& got, const Literal& want, double relative, double absolute, const std::string& what);

// The same program in f64.
Graph Widened(const Graph& graph);

// Compares d sum(y * random numbers) / d (each f64 input and weight) of a program in f64 with central differences in a
// few random directions. `bindings` gives all inputs, weights and other states.
void ExpectGradientsOf(const Graph& graph, const Bindings& bindings, const std::string& what);

}  // namespace fusebox::testing
