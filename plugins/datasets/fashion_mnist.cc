// SPDX-License-Identifier: Apache-2.0
// Zalando's articles of clothing: 70,000 images of 28 x 28 pixels, in 10 classes.
//     x f32[n, 28, 28]   in [0, 1], grey levels / 255; if not `scaled`, u8[n, 28, 28], the grey levels themselves
//     y i32[n]           T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot
//
// Reads the four IDX files of Debian's package dataset-fashion-mnist, gzipped or plain. Looks in FUSEBOX_DATA_DIR, or,
// if that folder holds only other data sets, where the package installs them. IDX is big-endian: two zero bytes, a
// dtype (8 is u8), the rank, the dimensions as u32, then the elements.
// Source: Xiao, Rasul, Vollgraf (2017), Fashion-MNIST; http://yann.lecun.com/exdb/mnist (IDX).
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "fusebox/plugins/sdk/sdk.h"

namespace fusebox {
namespace {

constexpr int64_t kSide = 28;
constexpr int64_t kMaxRows = 10'000'000;  // Most rows that a header may claim: this data set has fewer.
constexpr const char* kFolder = "/usr/share/datasets/fashion-mnist";

template <class... T>
std::runtime_error Wrong(fmt::format_string<T...> format, T&&... arguments) {
  return std::runtime_error(fmt::format(format, std::forward<T>(arguments)...));
}

// A file, decompressed while it is read.
class File {
 public:
  explicit File(const std::string& stem) : path_(stem + ".gz") {
    std::error_code ignored;
    if (!std::filesystem::exists(path_, ignored) && std::filesystem::exists(stem, ignored)) path_ = stem;
    errno = 0;
    file_ = gzopen(path_.c_str(), "rb");
    if (file_ == nullptr) {
      throw Wrong(
          "cannot open {}: {}; install the package dataset-fashion-mnist or set FUSEBOX_DATA_DIR to a folder with its "
          "files",
          path_, std::strerror(errno != 0 ? errno : ENOMEM));
    }
    gzbuffer(file_, 1 << 17);
  }
  ~File() { gzclose(file_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // Reads exactly this many bytes; `expected` is the size of the whole file, for the message.
  void Read(unsigned char* to, size_t bytes, size_t expected) {
    while (bytes > 0) {
      const int got = gzread(file_, to, unsigned(std::min<size_t>(bytes, 1 << 24)));
      if (got <= 0) {
        int code = Z_OK;
        const std::string message = gzerror(file_, &code);
        if (got == 0 || code == Z_BUF_ERROR) throw Size(expected);
        throw Wrong("{}: {} after {} bytes, expected {} bytes", path_, message, read_, expected);
      }
      to += got;
      bytes -= size_t(got);
      read_ += size_t(got);
    }
  }
  // Returns the number of rows from the header, which must announce u8 elements and this shape of a row.
  int64_t Header(const std::vector<int64_t>& row) {
    const size_t rank = row.size() + 1;
    std::array<unsigned char, 16> bytes{};
    const size_t size = 4 + 4 * rank;
    Read(bytes.data(), size, size);
    if (bytes[0] != 0 || bytes[1] != 0 || bytes[2] != 8 || bytes[3] != rank) {
      throw Wrong("{}: expected an IDX file of u8 and rank {}, found the bytes {:02x} {:02x} {:02x} {:02x}", path_,
                  rank, bytes[0], bytes[1], bytes[2], bytes[3]);
    }
    const auto number = [&](size_t i) {
      const unsigned char* b = &bytes[4 + 4 * i];
      return int64_t{b[0]} << 24 | int64_t{b[1]} << 16 | int64_t{b[2]} << 8 | int64_t{b[3]};
    };
    for (size_t i = 0; i < row.size(); ++i) {
      if (number(i + 1) != row[i])
        throw Wrong("{}: expected {} along axis {}, found {}", path_, row[i], i + 1, number(i + 1));
    }
    if (number(0) > kMaxRows) throw Wrong("{}: expected at most {} rows, found {}", path_, kMaxRows, number(0));
    return number(0);
  }
  void ExpectEnd(size_t expected) {
    unsigned char one;
    if (gzread(file_, &one, 1) > 0) throw Wrong("{}: expected {} bytes, found more", path_, expected);
    int code = Z_OK;
    const std::string message = gzerror(file_, &code);
    if (code != Z_OK && code != Z_STREAM_END) throw Wrong("{}: {}", path_, message);
  }
  std::runtime_error Size(size_t expected) const {
    return Wrong("{}: expected {} bytes, found {}", path_, expected, read_);
  }
  // Upper bound of the elements that can follow: gzip compresses at most 1032 to 1.
  size_t Bound() const {
    std::error_code error;
    const auto size = std::filesystem::file_size(path_, error);
    return error ? 0 : size_t(size) * 1032;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  gzFile file_ = nullptr;
  size_t read_ = 0;
};

// Calls use(bytes, count) for the elements, chunk by chunk.
template <class Use>
void ReadElements(File& file, size_t header, size_t count, Use use) {
  std::vector<unsigned char> piece(std::min<size_t>(count, 1 << 20));
  for (size_t done = 0; done < count;) {
    const size_t n = std::min(piece.size(), count - done);
    file.Read(piece.data(), n, header + count);
    use(piece.data(), n);
    done += n;
  }
  file.ExpectEnd(header + count);
}

class FashionMnist final : public sdk::Dataset {
 public:
  explicit FashionMnist(const sdk::Attributes& attributes) : scaled_(attributes.Bool("scaled")) {
    const char* folder = std::getenv("FUSEBOX_DATA_DIR");
    folder_ = folder != nullptr && *folder != '\0' && !IsForOthers(folder) ? folder : kFolder;
  }

  std::vector<sdk::Split> Splits() const override {
    std::vector<sdk::Split> splits;
    for (const char* name : {"train", "test"}) splits.push_back({name, File(Stem(name, "labels-idx1")).Header({})});
    return splits;
  }

  std::vector<sdk::Array> Load(std::string_view split) const override {
    if (split != "train" && split != "test") throw Wrong("has the splits train and test, not '{}'", split);
    File images(Stem(split, "images-idx3")), labels(Stem(split, "labels-idx1"));
    const int64_t rows = images.Header({kSide, kSide});
    const int64_t label_rows = labels.Header({});
    if (rows != label_rows)
      throw Wrong("{} has {} rows, but {} has {}", images.path(), rows, labels.path(), label_rows);

    const Dims shape = {rows, kSide, kSide};
    const sdk::Array x = scaled_ ? sdk::Array{"x", MakeType(FB_F32, shape), Pixels<float>(images, rows)}
                                 : sdk::Array{"x", MakeType(FB_U8, shape), Pixels<unsigned char>(images, rows)};
    const auto y = std::make_shared<std::vector<int32_t>>();
    ReadElements(labels, 8, size_t(rows),
                 [&](const unsigned char* bytes, size_t n) { y->insert(y->end(), bytes, bytes + n); });
    return {x, {"y", MakeType(FB_I32, {rows}), {y, y->data()}}};
  }

 private:
  static std::string Stem(std::string_view folder, std::string_view split, std::string_view what) {
    return fmt::format("{}/{}-{}-ubyte", folder, split == "train" ? "train" : "t10k", what);
  }
  std::string Stem(std::string_view split, std::string_view what) const { return Stem(folder_, split, what); }

  // Whether the folder holds only other data sets. A folder that does not exist is the user's mistake: opening a file
  // reports it.
  static bool IsForOthers(std::string_view folder) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) return false;
    for (const char* split : {"train", "test"}) {
      for (const char* what : {"images-idx3", "labels-idx1"}) {
        const std::string stem = Stem(folder, split, what);
        if (std::filesystem::exists(stem, ignored) || std::filesystem::exists(stem + ".gz", ignored)) return false;
      }
    }
    return true;
  }

  // Grey levels: as they are, or divided by 255 for floats.
  template <class T>
  static std::shared_ptr<const void> Pixels(File& images, int64_t rows) {
    std::array<T, 256> values;
    for (size_t i = 0; i < values.size(); ++i) values[i] = std::is_same_v<T, float> ? T(double(i) / 255) : T(i);
    const size_t pixels = size_t(rows * kSide * kSide);
    const auto x = std::make_shared<std::vector<T>>();
    x->reserve(std::min(pixels, images.Bound()));
    ReadElements(images, 16, pixels, [&](const unsigned char* bytes, size_t n) {
      for (size_t i = 0; i < n; ++i) x->push_back(values[bytes[i]]);
    });
    return {x, x->data()};
  }

  bool scaled_;
  std::string folder_;
};

FUSEBOX_PLUGIN(FashionMnist,
               {.id = "fusebox/fashion_mnist",
                .doc = "Images of clothing, x f32[n,28,28] in [0,1], y i32[n] in 10 classes; splits train "
                       "(60000) and test (10000). In FUSEBOX_DATA_DIR or, if its files are not there, "
                       "/usr/share/datasets/fashion-mnist.",
                .attributes = {sdk::Bool("scaled", true).Doc("if false, x is u8[n,28,28] in [0,255]")}});

}  // namespace
}  // namespace fusebox
