// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy: one array. Source: numpy.lib.format, versions 1.0 to 3.0.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/tensor.h"

namespace fusebox {

// How every such file begins.
inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

// Reads bool, signed and unsigned integers and floats of any width up to 8 bytes and either byte order, in C or Fortran
// order, also where the dtype is given by its name, "float32", or its letter, into the nearest of our dtypes (see
// NearestDType). An array that already is of one, in C order and the machine's byte order, is read where it lies in the
// mapped file, so it may be larger than memory: see MapWholeFile.
// Errors: complex, text, objects and structs; a file that is shorter or longer than its header says, with the bytes
// expected and found.
absl::StatusOr<Tensor> ReadNpy(const std::string& path);
// If `owner` keeps the bytes alive, the array may stay in them without a copy.
absl::StatusOr<Tensor> ParseNpy(std::string_view bytes, const std::string& who,
                                std::shared_ptr<const void> owner = nullptr);

// Whether the file holds numbers of a kind that ReadNpy reads, by its header. Error: no .npy file.
absl::StatusOr<bool> HasNpyNumbers(std::string_view bytes, const std::string& who);

// Writes the same bytes as np.save. WriteNpy replaces the file whole or not at all.
std::string NpyBytes(const Tensor& tensor);
absl::Status WriteNpy(const std::string& path, const Tensor& tensor);

}  // namespace fusebox
