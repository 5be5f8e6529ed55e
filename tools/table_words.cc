// SPDX-License-Identifier: Apache-2.0
#include "tools/table_words.h"

#include <filesystem>

#include "tools/command.h"

namespace fusebox::tools {
namespace {

std::string OneCharacter(const std::string& text) {
  return text == "tab" || text.size() == 1 ? "" : "expected one character, or tab, got '" + text + "'";
}

char CharacterOf(const std::string& word) { return word == "tab" ? '\t' : word[0]; }

}  // namespace

TableOptions TableWords::options() const {
  TableOptions options(target);
  options.ignored = ignored;
  options.categorical = categorical;
  options.one_hot = one_hot;
  options.separator = CharacterOf(separator);
  options.decimal = decimal[0];
  if (!thousands.empty()) options.thousands = CharacterOf(thousands);
  options.header = header == "first";
  options.missing = missing == "drop"   ? MissingValues::kDrop
                    : missing == "mean" ? MissingValues::kMean
                                        : MissingValues::kError;
  options.features = features;
  if (index_base != "auto") options.first_index = index_base == "1" ? 1 : 0;
  options.encoding = std::make_shared<TableEncoding>();
  return options;
}

void AddTableWords(CLI::App* verb, TableWords& words, bool trains) {
  verb->add_option("--target", words.target, "Column of a CSV file to learn; several separated by ','");
  verb->add_option("--ignore", words.ignored, "Columns of a CSV file to leave out, separated by ','");
  if (trains) {
    verb->add_option("--categorical", words.categorical,
                     "Columns of a CSV file that hold classes, as text or numbers, to read as indices; the classes are "
                     "kept beside the model, and evaluate and predict use them");
    verb->add_option("--one-hot", words.one_hot, "The same, to read as one column of 0 and 1 a class");
  }
  verb->add_option("--separator", words.separator, "Between the values of a CSV file: one character, or tab")
      ->check(OneCharacter)
      ->capture_default_str();
  verb->add_option("--decimal", words.decimal, "Decimal sign of a CSV file's numbers")
      ->check(CLI::IsMember({".", ","}))
      ->capture_default_str();
  verb->add_option("--thousands", words.thousands, "Sign between groups of digits in a CSV file's numbers")
      ->check(OneCharacter);
  verb->add_option("--header", words.header, "Where a CSV file names its columns; none: they are 0, 1, ...")
      ->check(CLI::IsMember({"first", "none"}))
      ->capture_default_str();
  verb->add_option("--na", words.missing, "What to do about missing values of a CSV file")
      ->check(CLI::IsMember({"error", "drop", "mean"}))
      ->capture_default_str();
  verb->add_option("--features", words.features, "Features of a libsvm file; default: as many as it has")
      ->check(AtLeast(1));
  verb->add_option("--index-base", words.index_base,
                   "Index of a libsvm file's first feature; auto: as its smallest tells")
      ->check(CLI::IsMember({"auto", "0", "1"}))
      ->capture_default_str();
}

std::string EncodingPath(const std::string& model) { return model + ".columns.json"; }

absl::StatusOr<TableOptions> OptionsFor(const std::string& model, const std::string& weights, const TableWords& words) {
  TableOptions options = words.options();
  const std::string path = EncodingPath(weights.empty() ? model : weights);
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    FUSEBOX_ASSIGN_OR_RETURN(*options.encoding, ReadTableEncoding(path));
  }
  return options;
}

absl::Status SaveEncoding(const std::string& model, const TableEncoding& encoding) {
  if (encoding.is_needed()) return WriteTableEncoding(EncodingPath(model), encoding);
  std::error_code error;
  std::filesystem::remove(EncodingPath(model), error);  // Of another table: it would be misread for this model.
  if (error) return Refuse("'{}': cannot remove: {}", EncodingPath(model), error.message());
  return absl::OkStatus();
}

}  // namespace fusebox::tools
