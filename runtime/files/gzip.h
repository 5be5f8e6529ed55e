// SPDX-License-Identifier: Apache-2.0
// Unpacks gzip, up to a limit.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace fusebox {

bool IsGzip(std::string_view bytes);

struct Gunzipped {
  std::string bytes;
  std::string problem;  // Why unpacking stopped; empty at the end of the stream and at `limit`.
};

// The first `limit` bytes that the stream unpacks to, or all if it has fewer. The caller knows what size the content
// should have, so that a small file cannot fill the memory. A checksum is compared when its member ends.
Gunzipped Gunzip(std::string_view packed, uint64_t limit);

}  // namespace fusebox
