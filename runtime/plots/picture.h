// SPDX-License-Identifier: Apache-2.0
// Pictures drawn by other programs, graphviz and gnuplot.
//
// runtime/plots/ draws models and histories. Of runtime/ it sees files/ alone: what it draws is told in its own
// structs.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace fusebox {

// "png" or "svg", by the path's ending. Error for any other.
absl::StatusOr<std::string> PictureFormat(const std::string& path);

// Runs argv with `script` on its stdin and writes its stdout to the file `path`, whole or not at all.
// Errors: the program is not installed (`package` says what to install), fails, or draws nothing.
absl::Status DrawPicture(const std::vector<std::string>& argv, std::string_view script, std::string_view package,
                         const std::string& path);

}  // namespace fusebox
