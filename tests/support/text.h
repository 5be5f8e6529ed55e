// SPDX-License-Identifier: Apache-2.0
// Texts in tests.
#pragma once
#include <string>
#include <string_view>

#include "fusebox/graph/graph.h"

namespace fusebox::testing {

// A raw string without the indent that its lines share, without the newline after R"( and the blanks before )"; what
// Print gives ends with a newline, and so does this.
std::string Dedent(std::string_view text);

// A graph from text that is known to be right: fails the test with the parser's message, and gives an empty graph, else.
Graph ParseGraph(std::string_view text);

// The text as Print lays it out, so that a test need not line up colons: EXPECT_EQ(Print(after), Canonical(R"(...)")).
std::string Canonical(std::string_view text);

}  // namespace fusebox::testing
