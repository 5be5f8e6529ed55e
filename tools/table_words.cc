// SPDX-License-Identifier: Apache-2.0
#include "tools/table_words.h"

namespace fusebox::tools {
namespace {

std::string OneCharacter(const std::string& text) {
  return text == "tab" || text.size() == 1 ? "" : "expected one character, or tab, got '" + text + "'";
}

}  // namespace

TableOptions TableWords::options() const {
  TableOptions options(target);
  options.ignored = ignored;
  options.separator = separator == "tab" ? '\t' : separator[0];
  options.decimal = decimal[0];
  options.header = header == "first";
  options.missing = missing == "drop"   ? MissingValues::kDrop
                    : missing == "mean" ? MissingValues::kMean
                                        : MissingValues::kError;
  return options;
}

void AddTableWords(CLI::App* verb, TableWords& words) {
  verb->add_option("--target", words.target, "Column of a CSV file to learn; several separated by ','");
  verb->add_option("--ignore", words.ignored, "Columns of a CSV file to leave out, separated by ','");
  verb->add_option("--separator", words.separator, "Between the values of a CSV file: one character, or tab")
      ->check(OneCharacter)
      ->capture_default_str();
  verb->add_option("--decimal", words.decimal, "Decimal sign of a CSV file's numbers")
      ->check(CLI::IsMember({".", ","}))
      ->capture_default_str();
  verb->add_option("--header", words.header, "Where a CSV file names its columns; none: they are 0, 1, ...")
      ->check(CLI::IsMember({"first", "none"}))
      ->capture_default_str();
  verb->add_option("--na", words.missing, "What to do about missing values of a CSV file")
      ->check(CLI::IsMember({"error", "drop", "mean"}))
      ->capture_default_str();
}

}  // namespace fusebox::tools
