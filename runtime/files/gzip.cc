// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

namespace fusebox {

bool IsGzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

Gunzipped Gunzip(std::string_view packed, uint64_t limit) {
  constexpr uint64_t kChunk = uint64_t{1} << 20;
  constexpr int kGzipWindow = 16 + MAX_WBITS;  // 16 asks for gzip's header and checksum.
  Gunzipped out;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) return {{}, "no memory to unpack it"};
  const std::unique_ptr<z_stream, void (*)(z_stream*)> guard(&stream, [](z_stream* s) { inflateEnd(s); });
  while (out.bytes.size() < limit) {
    if (stream.avail_in == 0) {
      const size_t count = std::min(packed.size(), size_t{1} << 30);
      if (count == 0) {
        out.problem = "the gzip stream is truncated";
        break;
      }
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
      stream.avail_in = uInt(count);
      packed.remove_prefix(count);
    }
    const size_t before = out.bytes.size();
    const uint64_t room = std::min(limit - before, kChunk);
    out.bytes.resize(before + room);
    stream.next_out = reinterpret_cast<Bytef*>(out.bytes.data() + before);
    stream.avail_out = uInt(room);
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.bytes.resize(out.bytes.size() - stream.avail_out);
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0 && packed.empty()) break;
      // gzip files may be joined end to end.
      if (inflateReset(&stream) != Z_OK) break;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      out.problem =
          std::string("the gzip stream is damaged: ") + (stream.msg != nullptr ? stream.msg : "unknown error");
      break;
    }
  }
  return out;
}

}  // namespace fusebox
