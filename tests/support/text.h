// SPDX-License-Identifier: Apache-2.0
// Helpers for texts in tests.
#pragma once
#include <string>
#include <string_view>

#include "fusebox/graph/graph.h"

namespace fusebox::testing {

// A raw string without the common indent of its lines, without the newline after R"( and the spaces before )". It ends
// with a newline, as Print's output does.
std::string Dedent(std::string_view text);

// Parses a graph from text that must be right. Otherwise fails the test with the parser's message, and returns an empty
// graph.
Graph ParseGraph(std::string_view text);

// The text in Print's layout, so that a test need not line up colons: EXPECT_EQ(Print(after), Canonical(R"(...)")).
std::string Canonical(std::string_view text);

}  // namespace fusebox::testing
