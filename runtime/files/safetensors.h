// SPDX-License-Identifier: Apache-2.0
// safetensors: weights by name. Source: https://github.com/huggingface/safetensors: the size of a JSON header as a
// little-endian u64, the header, the data.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "fusebox/runtime/data/named_tensor.h"

namespace fusebox {

// The tensors in the header's order; dtypes that we lack become the nearest ones. Errors: bytes missing, left over or
// used twice, a shape that does not fit its bytes.
absl::StatusOr<std::vector<NamedTensor>> ParseSafetensors(std::string_view bytes, const std::string& who);

// The texts of its header's "__metadata__", by name; none if it has none.
absl::StatusOr<std::map<std::string, std::string>> SafetensorsMetadata(std::string_view bytes, const std::string& who);

std::string SafetensorsBytes(const std::vector<NamedTensor>& tensors);

}  // namespace fusebox
