// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace fusebox {

// Which build of the compiler this is: the GNU build id of the library or program that it is linked into, a hash that the
// linker makes of the contents, in hex. "" if it was linked without one.
const std::string& BuildId();

}  // namespace fusebox
