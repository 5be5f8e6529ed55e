// SPDX-License-Identifier: Apache-2.0
// Suggests known names for an unknown one.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace fusebox {

// The number of letters to insert, delete, replace or swap with a neighbour. A letter in the other case
// counts nothing: "Adam" is "adam".
int EditDistance(std::string_view a, std::string_view b);

// "did you mean 'relu' or 'selu'?", or "known are 'adam', 'sgd'" if none is near, or "none are known".
std::string SuggestNames(std::string_view wrong, std::span<const std::string> known);

}  // namespace fusebox
