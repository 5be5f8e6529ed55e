// SPDX-License-Identifier: Apache-2.0
// Shared by the programs that use oneDNN.
#pragma once
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

namespace peers {

// A row-major f32 matrix: in its own memory, or in the caller's.
inline dnnl::memory::desc Matrix(int64_t rows, int64_t columns) {
  return {{rows, columns}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::ab};
}

inline std::string OneDnnVersion() {
  const dnnl_version_t& version = *dnnl_version();
  return "oneDNN " + std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
         std::to_string(version.patch);
}

}  // namespace peers
