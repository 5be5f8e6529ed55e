// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/load/table.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "fusebox/graph/status.h"
#include "fusebox/runtime/files/bounded_reader.h"
#include "fusebox/runtime/files/csv.h"
#include "fusebox/runtime/files/formats.h"
#include "fusebox/runtime/files/number_text.h"
#include "fusebox/runtime/plugins/nearest.h"

namespace fusebox {
namespace {

using Names = std::vector<std::string>;

bool Has(const Names& names, const std::string& name) { return std::ranges::find(names, name) != names.end(); }

bool IsNumber(const std::string& text) { return ParseNumber(text).has_value(); }

// The columns that a list names, "price,rank", or the one whose own name is like that.
absl::StatusOr<Names> Listed(const std::string& list, const Names& columns, const std::string& who, char separator) {
  if (Has(columns, list)) return Names{list};
  Names names = absl::StrSplit(list, ',', absl::SkipEmpty());
  for (const std::string& name : names) {
    if (Has(columns, name)) continue;
    return Refuse("{}: has no column '{}': {}{}{}", who, name, SuggestNames(name, columns),
                  columns.size() == 1 ? OtherSeparator(columns[0], separator) : "",
                  std::ranges::all_of(columns, IsNumber) && columns[0] != "0"
                      ? ", so the first line seems to hold values: --header none reads it as a row"
                      : "");
  }
  return names;
}

// What each column is for.
struct Roles {
  Names inputs, targets, categorical, one_hot;
};

absl::StatusOr<Roles> RolesByOptions(const TableOptions& options, const Names& columns, const std::string& who,
                                     bool inputs_only) {
  Roles roles;
  const auto listed = [&](const std::string& list) { return Listed(list, columns, who, options.separator); };
  // Without targets, a table to predict from may lack those that the options name.
  if (absl::StatusOr<Names> targets = listed(options.target); targets.ok()) {
    roles.targets = *std::move(targets);
  } else if (!inputs_only) {
    return targets.status();
  }
  FUSEBOX_ASSIGN_OR_RETURN(const Names ignored, listed(options.ignored));
  FUSEBOX_ASSIGN_OR_RETURN(roles.categorical, listed(options.categorical));
  FUSEBOX_ASSIGN_OR_RETURN(roles.one_hot, listed(options.one_hot));
  for (const std::string& name : columns) {
    if (!Has(roles.targets, name) && !Has(ignored, name)) roles.inputs.push_back(name);
  }
  for (const std::string& name : ignored) {
    if (Has(roles.targets, name)) return Refuse("{}: column '{}' is to be learnt and to be ignored", who, name);
  }
  for (const std::string& name : roles.inputs) {
    if (!name.starts_with("Unnamed: ")) continue;
    return Refuse("{}: column '{}' has no name, as the index that pandas writes has none: --ignore '{}' leaves it out",
                  who, name.substr(9), name);
  }
  return roles;
}

absl::StatusOr<Roles> RolesByEncoding(const TableEncoding& encoding, const std::string& target, const Names& columns,
                                      const std::string& who, bool inputs_only) {
  if (!target.empty() && target != absl::StrJoin(encoding.targets, ",")) {
    return Refuse("{}: the model learnt '{}', but the target is to be '{}'", who, absl::StrJoin(encoding.targets, ","),
                  target);
  }
  Roles roles{
      .inputs = encoding.inputs, .targets = inputs_only ? Names{} : encoding.targets, .categorical = {}, .one_hot = {}};
  const std::set<std::string_view> there(columns.begin(), columns.end());
  for (const Names* const names : {&roles.inputs, &roles.targets}) {
    for (const std::string& name : *names) {
      if (!there.contains(name)) {
        return Refuse("{}: has no column '{}', which the model was trained on: {}", who, name,
                      SuggestNames(name, columns));
      }
    }
  }
  for (const TableClasses& classes : encoding.classes) {
    (classes.one_hot ? roles.one_hot : roles.categorical).push_back(classes.column);
  }
  return roles;
}

// A table whose columns become those of x and y.
class TableReader {
 public:
  TableReader(std::string who, const TableOptions& options) : who_(std::move(who)), options_(options) {
    if (options.encoding != nullptr) encoding_ = *options.encoding;
    known_ = encoding_.is_learnt();
    missing_ = options.missing;
    // What has learnt means is to use them.
    if (known_ && missing_ == MissingValues::kError && !encoding_.means.empty()) missing_ = MissingValues::kMean;
  }

  absl::Status Read(std::string_view text, bool inputs_only) {
    CsvOptions csv{.separator = options_.separator,
                   .decimal = options_.decimal,
                   .thousands = options_.thousands,
                   .header = options_.header,
                   .missing_as_nan = missing_ != MissingValues::kError,
                   .name_unnamed = true};
    FUSEBOX_ASSIGN_OR_RETURN(const Names columns, ParseCsvNames(text, who_, csv));
    FUSEBOX_ASSIGN_OR_RETURN(roles_, known_ ? RolesByEncoding(encoding_, options_.target, columns, who_, inputs_only)
                                            : RolesByOptions(options_, columns, who_, inputs_only));
    if (roles_.inputs.empty()) return Refuse("{}: no column is left for x", who_);
    // Tables may have many columns.
    std::set<std::string_view> read(roles_.inputs.begin(), roles_.inputs.end());
    if (!inputs_only) read.insert(roles_.targets.begin(), roles_.targets.end());
    for (const std::string& name : columns) {
      const bool used = read.contains(name);
      csv.columns.push_back(!used ? CsvColumn::kUnread : IsText(name) ? CsvColumn::kText : CsvColumn::kNumbers);
    }
    FUSEBOX_ASSIGN_OR_RETURN(table_, ParseCsv(text, who_, csv));
    for (size_t i = 0; i < table_.columns.size(); ++i) places_.emplace(table_.columns[i], i);
    kinds_ = std::move(csv.columns);
    if (inputs_only) roles_.targets.clear();
    FUSEBOX_RETURN_IF_ERROR(SeeToMissing());
    if (known_) return absl::OkStatus();
    encoding_.inputs = roles_.inputs;
    encoding_.targets = roles_.targets;
    for (const std::string& name : table_.columns) {
      if (kinds_[Place(name)] == CsvColumn::kText) Learn(name);
    }
    return absl::OkStatus();
  }

  absl::StatusOr<Tensor> Take(const Names& names) const {
    std::vector<std::vector<float>> columns;
    for (const std::string& name : names) FUSEBOX_RETURN_IF_ERROR(Append(name, columns));
    const size_t width = columns.size();
    Tensor to(DType::kF32, {int64_t(rows_.size()), int64_t(width)});
    float* const values = to.mutable_values<float>().data();
    for (size_t c = 0; c < width; ++c) {
      for (size_t r = 0; r < rows_.size(); ++r) values[r * width + c] = columns[c][r];
    }
    return to;
  }

  const Roles& roles() const { return roles_; }
  const TableEncoding& encoding() const { return encoding_; }

 private:
  bool IsText(const std::string& name) const { return Has(roles_.categorical, name) || Has(roles_.one_hot, name); }
  size_t Place(const std::string& name) const {
    const auto place = places_.find(name);
    return place != places_.end() ? place->second : table_.columns.size();
  }
  double Value(size_t row, size_t column) const {
    return table_.values.values<double>()[row * table_.columns.size() + column];
  }
  bool IsMissing(size_t row, size_t column) const {
    if (kinds_[column] == CsvColumn::kText) return IsMissingText(table_.texts[column][row]);
    return kinds_[column] == CsvColumn::kNumbers && std::isnan(Value(row, column));
  }

  // Chooses the rows, and learns the means.
  absl::Status SeeToMissing() {
    const size_t rows = table_.lines.size(), columns = table_.columns.size();
    for (size_t row = 0; row < rows; ++row) {
      size_t column = 0;
      while (column < columns && !IsMissing(row, column)) ++column;
      if (column == columns || missing_ == MissingValues::kMean) rows_.push_back(row);
      if (column == columns || missing_ == MissingValues::kDrop) continue;
      for (; column < columns; ++column) {
        if (IsMissing(row, column)) FUSEBOX_RETURN_IF_ERROR(MayBeFilled(row, column));
      }
    }
    if (rows > 0 && rows_.empty()) return Refuse("{}: each row lacks a value, so no row is left", who_);
    if (missing_ != MissingValues::kMean || known_) return absl::OkStatus();
    for (const std::string& name : roles_.inputs) {
      if (kinds_[Place(name)] == CsvColumn::kNumbers) FUSEBOX_RETURN_IF_ERROR(LearnMean(name));
    }
    return absl::OkStatus();
  }

  absl::Status MayBeFilled(size_t row, size_t column) const {
    const std::string& name = table_.columns[column];
    const std::string where = fmt::format("{}: line {}, column '{}'", who_, table_.lines[row], name);
    if (missing_ == MissingValues::kError)
      return Refuse("{}: a value is missing (--na says what to do about missing values)", where);
    if (Has(roles_.targets, name))
      return Refuse("{}: the value to learn is missing: --na drop leaves its row out", where);
    if (kinds_[column] == CsvColumn::kText) {
      return Refuse("{}: a class is missing, and classes have no mean: --na drop leaves its row out", where);
    }
    if (!known_ || encoding_.MeanOf(name)) return absl::OkStatus();
    return Refuse("{}: a value is missing, and the model was trained without this column's mean", where);
  }

  absl::Status LearnMean(const std::string& name) {
    double sum = 0;
    size_t count = 0;
    const size_t column = Place(name);
    for (const size_t row : rows_) {
      if (IsMissing(row, column)) continue;
      sum += Value(row, column);
      ++count;
    }
    if (count == 0 && !rows_.empty()) return Refuse("{}: column '{}' has no values", who_, name);
    if (count > 0) encoding_.means.push_back({name, sum / double(count)});
    return absl::OkStatus();
  }

  void Learn(const std::string& name) {
    const std::vector<std::string>& texts = table_.texts[Place(name)];
    std::set<std::string> found;
    for (const size_t row : rows_) found.insert(texts[row]);
    TableClasses classes{.column = name, .values = {found.begin(), found.end()}, .one_hot = Has(roles_.one_hot, name)};
    if (std::ranges::all_of(found, IsNumber)) {
      std::ranges::stable_sort(classes.values, {}, [](const std::string& text) { return *ParseNumber(text); });
    }
    encoding_.classes.push_back(std::move(classes));
  }

  // Adds the column, or the columns of its classes.
  absl::Status Append(const std::string& name, std::vector<std::vector<float>>& columns) const {
    const size_t place = Place(name);
    if (kinds_[place] == CsvColumn::kNumbers) {
      const std::optional<double> mean = encoding_.MeanOf(name);
      columns.emplace_back();
      for (const size_t row : rows_) columns.back().push_back(float(IsMissing(row, place) ? *mean : Value(row, place)));
      return absl::OkStatus();
    }
    const TableClasses& classes = *encoding_.ClassesOf(name);
    const size_t first = columns.size();
    columns.resize(first + (classes.one_hot ? classes.values.size() : 1), std::vector<float>(rows_.size()));
    for (size_t r = 0; r < rows_.size(); ++r) {
      const std::string& text = table_.texts[place][rows_[r]];
      const auto found = std::ranges::find(classes.values, text);
      if (found == classes.values.end()) {
        return Refuse("{}: line {}, column '{}': '{}' is none of the {} classes that the model was trained on: {}",
                      who_, table_.lines[rows_[r]], name, text, classes.values.size(),
                      SuggestNames(text, classes.values));
      }
      const size_t index = size_t(found - classes.values.begin());
      if (classes.one_hot)
        columns[first + index][r] = 1;
      else
        columns[first][r] = float(index);
    }
    return absl::OkStatus();
  }

  std::string who_;
  const TableOptions& options_;
  TableEncoding encoding_;
  bool known_ = false;  // Whether the encoding was learnt before.
  MissingValues missing_ = MissingValues::kError;
  Roles roles_;
  CsvTable table_;
  std::map<std::string, size_t, std::less<>> places_;  // Of the table's columns, by name.
  std::vector<CsvColumn> kinds_;
  std::vector<size_t> rows_;  // Those that are used.
};

// A .tsv file has tabs, unless another separator is asked for.
TableOptions OptionsOf(const std::string& path, TableOptions options) {
  if (options.separator == ',' && IsNamedAs(path, Format::kTsv)) options.separator = '\t';
  return options;
}

}  // namespace

absl::StatusOr<Data> LoadTable(const std::string& path, const TableOptions& given) {
  const TableOptions options = OptionsOf(path, given);
  const bool known = options.encoding != nullptr && options.encoding->is_learnt();
  if (options.target.empty() && !known)
    return Refuse("'{}': a CSV file needs --target COLUMN: which column to learn", path);
  FUSEBOX_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  TableReader reader(fmt::format("'{}'", path), options);
  FUSEBOX_RETURN_IF_ERROR(reader.Read(text, false));
  FUSEBOX_ASSIGN_OR_RETURN(Tensor x, reader.Take(reader.roles().inputs));
  FUSEBOX_ASSIGN_OR_RETURN(Tensor y, reader.Take(reader.roles().targets));
  if (y.shape()[1] == 1) {
    FUSEBOX_ASSIGN_OR_RETURN(y, y.Reshape({y.rows()}));
  }
  if (options.encoding != nullptr) *options.encoding = reader.encoding();
  return Data{std::move(x), std::move(y)};
}

absl::StatusOr<Tensor> LoadTableInputs(const std::string& path, const TableOptions& given) {
  const TableOptions options = OptionsOf(path, given);
  if (options.missing == MissingValues::kDrop) {
    return Refuse("'{}': --na drop would leave out rows, but each row is to have its prediction", path);
  }
  FUSEBOX_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  TableReader reader(fmt::format("'{}'", path), options);
  FUSEBOX_RETURN_IF_ERROR(reader.Read(text, true));
  return reader.Take(reader.roles().inputs);
}

}  // namespace fusebox
