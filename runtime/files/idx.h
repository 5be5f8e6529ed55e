// SPDX-License-Identifier: Apache-2.0
// IDX, the format of MNIST and its family. Source: http://yann.lecun.com/exdb/mnist: two zeros, a byte for the type, a
// byte for the rank, big-endian 32-bit dimensions, big-endian data.
#pragma once
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

// Reads a plain or a gzipped file, which is told by its first bytes. Types: u8, i8, i16, i32, f32, f64, made into the
// nearest of our dtypes. Error: "'t.gz': truncated: u8[60000,28,28] needs 47040016 bytes, found 31231".
absl::StatusOr<Tensor> ReadIdx(const std::string& path);
absl::StatusOr<Tensor> ParseIdx(std::string_view bytes, const std::string& who);

}  // namespace fusebox
