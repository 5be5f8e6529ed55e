// SPDX-License-Identifier: Apache-2.0
// gzip, as much of it as is asked for.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace fusebox {

bool IsGzip(std::string_view bytes);

struct Gunzipped {
  std::string bytes;
  std::string problem;  // Why there is no more: empty at the end of the stream and where `limit` was reached.
};

// The first `limit` bytes that the stream unpacks to, or all if it has fewer. The caller knows what size the content
// should have, so that a small file cannot fill the memory. A checksum is compared when its member ends.
Gunzipped Gunzip(std::string_view packed, uint64_t limit);

}  // namespace fusebox
