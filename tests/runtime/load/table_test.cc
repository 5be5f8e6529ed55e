// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/load/table.h"

#include <algorithm>
#include <fstream>

#include "fusebox/runtime/files/csv.h"
#include "fusebox/runtime/files/libsvm.h"
#include "fusebox/runtime/files/npz.h"
#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::DataPath;
using ::fusebox::testing::StatusHasMessage;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Written(const std::string& name, const std::string& text) {
  const std::string path = ::testing::TempDir() + name;
  std::ofstream(path) << text;
  return path;
}

TableOptions With(const std::string& target) {
  TableOptions options(target);
  options.encoding = std::make_shared<TableEncoding>();
  return options;
}

TEST(Table, IgnoredColumnsMayHoldAnything) {
  const std::string path = Written("ignored.csv", ",name,a,y\n0,Ann,1,2\n1,,3,4\n");
  TableOptions options("y");
  options.ignored = "name";
  EXPECT_THAT(LoadTable(path, options),
              StatusHasMessage(HasSubstr("column '0' has no name, as the index that pandas writes has none: --ignore "
                                         "'Unnamed: 0' leaves it out")));
  options.ignored = "Unnamed: 0,name";
  for (const MissingValues missing : {MissingValues::kError, MissingValues::kDrop, MissingValues::kMean}) {
    options.missing = missing;
    ASSERT_OK_AND_ASSIGN(const Data data, LoadTable(path, options));
    EXPECT_THAT(data.x.values<float>(), ElementsAre(1, 3));
    EXPECT_THAT(data.y.values<float>(), ElementsAre(2, 4));
  }
  options.ignored = "Unnamed: 0,name,y";
  EXPECT_THAT(LoadTable(path, options), StatusHasMessage(HasSubstr("column 'y' is to be learnt and to be ignored")));
}

TEST(Table, MissingValuesAreErrorsUnlessAnOptionSaysMore) {
  const std::string path = Written("missing.csv", "a,b,y\n1,nan,5\n3,4,6\n,6,NULL\n");
  TableOptions options("y");
  EXPECT_THAT(LoadTable(Written("nan.csv", "a,y\n1,2\nnan,4\n"), options),
              StatusHasMessage(HasSubstr("line 3, column 'a': a value is missing (--na says")));
  options.missing = MissingValues::kDrop;
  ASSERT_OK_AND_ASSIGN(const Data data, LoadTable(path, options));
  EXPECT_THAT(data.x.values<float>(), ElementsAre(3, 4));
  options.missing = MissingValues::kMean;
  EXPECT_THAT(LoadTable(path, options),
              StatusHasMessage(HasSubstr("line 4, column 'y': the value to learn is missing: --na drop")));
  EXPECT_THAT(LoadTableInputs(Written("x.csv", "a,b\n1,\n3,4\n"), With("")).status(),
              StatusHasMessage(HasSubstr("column 'b': a number expected, got nothing (--na")));
  options.missing = MissingValues::kDrop;
  EXPECT_THAT(LoadTableInputs(path, options), StatusHasMessage(HasSubstr("each row is to have its prediction")));
}

TEST(Table, LaterTablesAreReadAsTheFirst) {
  const std::string train = Written("train.csv", "a,city,size,y\n1,Rome,M,no\n3,Bonn,S,yes\n,Rome,L,no\n");
  const std::string test = Written("test.csv", "size,extra,city,a\nL,x,Rome,\nM,y,Bonn,7\n");
  TableOptions options = With("y");
  options.categorical = "city,y";
  options.one_hot = "size";
  options.missing = MissingValues::kMean;
  ASSERT_OK_AND_ASSIGN(const Data data, LoadTable(train, options));
  EXPECT_THAT(data.x.shape(), ElementsAre(3, 5));
  // a, city (Bonn, Rome), size (L, M, S)
  EXPECT_THAT(data.x.values<float>(), ElementsAre(1, 1, 0, 1, 0, 3, 0, 0, 0, 1, 2, 1, 1, 0, 0));
  EXPECT_THAT(data.y.values<float>(), ElementsAre(0, 1, 0));

  // Through a file, as evaluate and predict have it.
  const std::string path = ::testing::TempDir() + "columns.json";
  ASSERT_OK(WriteTableEncoding(path, *options.encoding));
  TableOptions later;
  later.encoding = std::make_shared<TableEncoding>();
  ASSERT_OK_AND_ASSIGN(*later.encoding, ReadTableEncoding(path));
  EXPECT_TRUE(later.encoding->is_needed());
  ASSERT_OK_AND_ASSIGN(const Tensor x, LoadTableInputs(test, later));
  EXPECT_THAT(x.values<float>(), ElementsAre(2, 1, 1, 0, 0, 7, 0, 0, 1, 0));
  EXPECT_THAT(LoadTable(test, later), StatusHasMessage(HasSubstr("has no column 'y', which the model was trained on")));
  later.target = "a";
  EXPECT_THAT(LoadTableInputs(test, later),
              StatusHasMessage(HasSubstr("the model learnt 'y', but the target is to be 'a'")));
  later.target = "";
  const std::string strange = Written("strange.csv", "a,city,size\n1,Bon,S\n");
  EXPECT_THAT(LoadTableInputs(strange, later),
              StatusHasMessage(HasSubstr("line 2, column 'city': 'Bon' is none of the 2 classes that the model was "
                                         "trained on: did you mean 'Bonn'?")));
  EXPECT_THAT(LoadTableInputs(Written("gap.csv", "a,city,size\n1,,S\n"), later),
              StatusHasMessage(HasSubstr("a class is missing, and classes have no mean")));
}

TEST(Table, ClassesAreInOrder) {
  TableOptions options = With("y");
  options.categorical = "y";
  const auto classes = [&](const char* text) {
    *options.encoding = {};
    EXPECT_OK(LoadTable(Written("classes.csv", text), options));
    return options.encoding->classes[0].values;
  };
  EXPECT_THAT(classes("a,y\n0,10\n0,9\n0,-1\n"), ElementsAre("-1", "9", "10"));  // Numbers by value.
  EXPECT_THAT(classes("a,y\n0,b\n0,10\n0,9\n"), ElementsAre("10", "9", "b"));
}

// What pandas and scikit-learn read: see tests/python/make_tables.py.
TEST(Table, HasPandasNumbers) {
  const auto path = [](const std::string& name) { return DataPath("tables/" + name); };
  ASSERT_OK_AND_ASSIGN(const std::vector<NamedTensor> expected, ReadNpz(path("expected.npz")));
  const auto expect_same = [&](const std::string& name, const Tensor& read) {
    const auto found = std::ranges::find(expected, name, &NamedTensor::name);
    ASSERT_NE(found, expected.end()) << name;
    EXPECT_EQ(read.shape(), found->value.shape()) << name;
    const Tensor wide = read.Cast(DType::kF64), as_read = found->value.Cast(read.dtype()).Cast(DType::kF64);
    EXPECT_THAT(wide.values<double>(),
                ::testing::Pointwise(::testing::NanSensitiveDoubleEq(), as_read.values<double>()))
        << name;
  };
  const std::pair<const char*, CsvOptions> tables[] = {{"extremes", {}},
                                                       {"semicolons", {.separator = ';', .decimal = ','}},
                                                       {"tabs", {.separator = '\t'}},
                                                       {"thousands", {.separator = ';', .thousands = ','}},
                                                       {"dots", {.separator = ';', .decimal = ',', .thousands = '.'}},
                                                       {"missing", {.missing_as_nan = true}},
                                                       {"no_names", {.header = false}},
                                                       {"quotes", {}},
                                                       {"truth", {}}};
  for (const auto& [name, options] : tables) {
    ASSERT_OK_AND_ASSIGN(const CsvTable table, ReadCsv(path(std::string(name) + ".csv"), options));
    expect_same(name, table.values);
  }

  TableOptions people("kind");
  people.ignored = "Unnamed: 0";
  people.categorical = "town,kind";
  people.one_hot = "size";
  people.missing = MissingValues::kDrop;
  ASSERT_OK_AND_ASSIGN(const Data dropped, LoadTable(path("people.csv"), people));
  expect_same("people_dropped", dropped.x);
  expect_same("people_kinds", dropped.y);
  people.ignored = "Unnamed: 0,town,size";
  people.categorical = "kind";
  people.one_hot = "";
  people.missing = MissingValues::kMean;
  ASSERT_OK_AND_ASSIGN(const Data filled, LoadTable(path("people.csv"), people));
  expect_same("people_filled", filled.x);

  for (const std::string base : {"base0", "base1"}) {
    ASSERT_OK_AND_ASSIGN(const LibsvmData data, ReadLibsvm(path(base + ".libsvm"), {.features = 4}));
    expect_same(base + "_x", data.x);
    expect_same(base + "_y", data.y);
  }
}

TEST(Table, TabsAreTsvs) {
  ASSERT_OK_AND_ASSIGN(const Data data, LoadTable(Written("t.TSV", "a\ty\n1\t2\n"), "y"));
  EXPECT_THAT(data.y.values<float>(), ElementsAre(2));
}

TEST(Table, SaysWhichOptionHelps) {
  const std::string path = Written("tabs.csv", "a\ty\n");
  EXPECT_THAT(LoadTable(path, "y"), StatusHasMessage(HasSubstr("has no column 'y': ")));
  EXPECT_THAT(LoadTable(path, "y"), StatusHasMessage(HasSubstr("so try --separator tab")));
  EXPECT_THAT(LoadTable(Written("text.csv", "a,y\nred,1\n"), "y"),
              StatusHasMessage(HasSubstr("column 'a': a number expected, got 'red' (--categorical a reads it as one of "
                                         "several classes, --ignore a leaves it out)")));
}

TEST(Table, SaysThatTheFirstLineHoldsValues) {
  EXPECT_THAT(
      LoadTable(Written("rows.csv", "1.5,2\n3,4\n"), "y"),
      StatusHasMessage(HasSubstr("known are '1.5', '2', so the first line seems to hold values: --header none")));
}

TEST(TableEncoding, RefusesOtherFiles) {
  EXPECT_THAT(ReadTableEncoding(Written("e.json", "{}")),
              StatusHasMessage(HasSubstr("inputs and targets, which are names of columns, expected")));
  EXPECT_THAT(ReadTableEncoding(Written("e.json", R"({"inputs": ["a"], "targets": [], "classes": [{"column": "a"}]})")),
              StatusHasMessage(HasSubstr("column, values (texts) and one_hot expected")));
  EXPECT_THAT(ReadTableEncoding(Written("e.json", R"({"inputs": ["a"], "targets": [], "means": [{"column": "a"}]})")),
              StatusHasMessage(HasSubstr("means: column and value expected")));
}

}  // namespace
}  // namespace fusebox
