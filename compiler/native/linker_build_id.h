// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace fusebox {

// Tells which build of the compiler this is: the GNU build id of the library or program that it is linked into, a hash
// of the contents that the linker computes, in hex. "" if it was linked without one.
//
// Not to be confused with FUSEBOX_BUILD_ID, a digest of the public headers, which says what a model's library fits.
const std::string& LinkerBuildId();

}  // namespace fusebox
