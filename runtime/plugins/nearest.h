// SPDX-License-Identifier: Apache-2.0
// Which known names a wrong one may have meant.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace fusebox {

// How many letters have to be put in, taken out, replaced or swapped with a neighbour. A letter in the other case
// counts nothing: "Adam" is "adam".
int EditDistance(std::string_view a, std::string_view b);

// "did you mean 'relu' or 'selu'?", or "known are 'adam', 'sgd'" if none is near, or "none are known".
std::string SuggestNames(std::string_view wrong, std::span<const std::string> known);

}  // namespace fusebox
