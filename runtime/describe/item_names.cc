// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/describe/item_names.h"

#include <array>
#include <cctype>
#include <utility>

namespace fusebox {
namespace {

// Classes whose spelling follows no rule, with Keras's other names for them or the usual ones.
constexpr std::array<std::pair<std::string_view, std::string_view>, 24> kIrregular = {{
    {"sgd", "SGD"},
    {"rmsprop", "RMSprop"},
    {"adamw", "AdamW"},
    {"schedule_free_adamw", "ScheduleFreeAdamW"},
    {"relu", "ReLU"},
    {"prelu", "PReLU"},
    {"elu", "ELU"},
    {"leaky_relu", "LeakyReLU"},
    {"lstm", "LSTM"},
    {"gru", "GRU"},
    {"simple_rnn", "SimpleRNN"},
    {"rnn", "RNN"},
    {"ctc", "CTC"},
    {"auc", "AUC"},
    {"iou", "IoU"},
    {"mean_iou", "MeanIoU"},
    {"one_hot_iou", "OneHotIoU"},
    {"one_hot_mean_iou", "OneHotMeanIoU"},
    {"fbeta_score", "FBetaScore"},
    {"exact_accuracy", "Accuracy"},
    {"binary_iou", "BinaryIoU"},
    {"l1_l2", "L1L2"},
    {"kl_divergence", "KLDivergence"},
    {"rms_normalization", "RMSNormalization"},
}};

bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

ItemName SplitItemId(std::string_view id) {
  ItemName parts;
  if (const size_t at = id.rfind('@'); at != std::string_view::npos) {
    parts.major = id.substr(at + 1);
    id = id.substr(0, at);
  }
  const size_t slash = id.rfind('/');
  parts.space = slash == std::string_view::npos ? "fusebox" : id.substr(0, slash);
  parts.name = slash == std::string_view::npos ? id : id.substr(slash + 1);
  return parts;
}

std::string ShortName(std::string_view id) {
  const size_t slash = id.find('/');
  if (slash != std::string_view::npos) id.remove_prefix(slash + 1);
  return std::string(id.substr(0, id.find('@')));
}

std::string KerasClassName(std::string_view item_id) {
  const std::string name = SplitItemId(item_id).name;
  for (const auto& [item, class_name] : kIrregular) {
    if (item == name) return std::string(class_name);
  }
  std::string out;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '_') continue;
    const bool starts_word = i == 0 || name[i - 1] == '_';
    const bool ends_word = i + 1 == name.size() || name[i + 1] == '_';
    const bool dimension = name[i] == 'd' && i > 0 && IsDigit(name[i - 1]) && ends_word;  // conv2d
    out += starts_word || dimension ? char(std::toupper(static_cast<unsigned char>(name[i]))) : name[i];
  }
  return out;
}

std::string ItemNameOfClass(std::string_view class_name) {
  for (const auto& [item, irregular] : kIrregular) {
    if (irregular == class_name) return std::string(item);
  }
  return KerasSnakeCase(class_name);
}

// In Keras: delete \W, then "(.)([A-Z][a-z]+)" -> "\1_\2", then "([a-z])([A-Z])" -> "\1_\2", then lower case.
std::string KerasSnakeCase(std::string_view class_name) {
  std::string word;
  for (const char c : class_name) {
    if (IsUpper(c) || IsLower(c) || IsDigit(c) || c == '_') word += c;
  }
  std::string split;
  for (size_t i = 0; i < word.size();) {
    const bool capitalised = i + 2 < word.size() && IsUpper(word[i + 1]) && IsLower(word[i + 2]);
    split += word[i++];
    if (!capitalised) continue;
    split += '_';
    split += word[i++];
    while (i < word.size() && IsLower(word[i])) split += word[i++];
  }
  std::string out;
  for (size_t i = 0; i < split.size(); ++i) {
    if (i > 0 && IsLower(split[i - 1]) && IsUpper(split[i])) out += '_';
    out += char(std::tolower(static_cast<unsigned char>(split[i])));
  }
  return out;
}

}  // namespace fusebox
