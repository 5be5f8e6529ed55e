// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/files/foreign_models.h"

#include <filesystem>

#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/formats.h"

namespace fusebox {
namespace {

bool Exists(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

bool EndsIn(const std::string& path, std::initializer_list<const char*> endings) {
  return std::ranges::any_of(endings, [&](const char* ending) { return EndsWithIgnoringCase(path, ending); });
}

}  // namespace

absl::Status RefuseForeignModel(const std::string& path) {
  constexpr char kSaveAgain[] = "load it in Python and save it as .keras or .h5: model.save('model.keras')";
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(path, error);
  const std::filesystem::path folder(path);
  if (EndsIn(path, {".pb", ".pbtxt"}) ||
      (is_folder && (Exists(folder / "saved_model.pb") || Exists(folder / "saved_model.pbtxt"))))
    return Refuse("'{}': is a TensorFlow SavedModel, which fusebox does not read: {}", path, kSaveAgain);
  const bool is_checkpoint = EndsIn(path, {".ckpt", ".ckpt.index", ".index"}) ||
                             path.find(".data-00000-of-") != path.npos || Exists(path + ".index") ||
                             (is_folder && Exists(folder / "checkpoint"));
  if (is_checkpoint) {
    return Refuse(
        "'{}': is a TensorFlow checkpoint of weights, which fusebox does not read: build the model in Python, load the "
        "weights (model.load_weights) and save it as .keras or .h5",
        path);
  }
  if (is_folder && Exists(folder / "config.json") && Exists(folder / "metadata.json"))
    return Refuse("'{}': is a folder: expected the .keras file that it was unpacked from", path);
  if (is_folder) return Refuse("'{}': is a folder: expected a .keras, .h5 or .fbg file", path);
  if (EndsIn(path, {".tflite"}))
    return Refuse("'{}': is a TensorFlow Lite model, which fusebox does not read: {}", path, kSaveAgain);
  if (EndsIn(path, {".pt", ".pth"})) return Refuse("'{}': is a file of PyTorch's, which fusebox does not read", path);
  if (EndsIn(path, {".weights.json"}))
    return Refuse("'{}': names files with weights alone: expected a .keras, .h5 or .fbg file", path);
  return absl::OkStatus();
}

}  // namespace fusebox
