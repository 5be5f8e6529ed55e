// SPDX-License-Identifier: Apache-2.0
// What tests of many built-in items share: numbers that Keras made, and gradients by finite differences.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "fusebox/graph/evaluate.h"
#include "fusebox/graph/graph.h"

namespace fusebox::testing {

// The arrays of tests/data/<file>, by name.
std::map<std::string, Literal> KerasArrays(const std::string& file);

// |got - want| <= relative |want| + absolute, element by element; types have to be equal. Says which differs most.
void ExpectClose(const Literal& got, const Literal& want, double relative, double absolute, const std::string& what);

// The same program in f64.
Graph Widened(const Graph& graph);

// d sum(y * random numbers) / d (each f64 input and weight) of a program in f64, against central differences in a few
// random directions. Its states but the weights are taken from `bindings`, all inputs and weights too.
void ExpectGradientsOf(const Graph& graph, const Bindings& bindings, const std::string& what);

}  // namespace fusebox::testing
