// SPDX-License-Identifier: Apache-2.0
#include "fusebox/runtime/plots/learning_curves.h"
#include "fusebox/runtime/plots/model_dot.h"
#include "tests/runtime/files/files.h"

namespace fusebox {
namespace {

using ::fusebox::testing::Slurp;
using ::fusebox::testing::Spill;
using ::fusebox::testing::StatusHasMessage;
using ::fusebox::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::vector<HistoryColumn> kHistory = {
    {"accuracy", {0.7, 0.8}}, {"loss", {1.2, 0.6}}, {"val_accuracy", {0.75, 0.8}}, {"val_loss", {0.9, 0.7}}};

const std::vector<DotLayer> kLayers = {{"in", "InputLayer", "", "", "(None, 4)", {}},
                                       {"h<1>", "Dense", "relu", "(None, 4)", "(None, 3)", {0}},
                                       {"out", "Dense", "softmax", "(None, 3)", "(None, 2)", {1}}};

// A PATH with no programs.
class EmptyPath {
 public:
  EmptyPath() : before_(std::getenv("PATH")) { ::setenv("PATH", "/nowhere", 1); }
  ~EmptyPath() { ::setenv("PATH", before_.c_str(), 1); }

 private:
  std::string before_;
};

TEST(LearningCurves, DrawsPngAndSvg) {
  const TempFolder folder;
  EXPECT_OK(DrawLearningCurves(kHistory, folder / "c.png"));
  EXPECT_THAT(Slurp(folder / "c.png"), StartsWith("\x89PNG"));
  EXPECT_OK(DrawLearningCurves(kHistory, folder / "c.svg", {.title = "it's \\ `date` \n"}));
  const std::string svg = Slurp(folder / "c.svg");
  for (const char* text : {"<svg", ">val_accuracy<", ">val_loss<", ">epoch<", "it's"})
    EXPECT_THAT(svg, HasSubstr(text));
  EXPECT_THAT(folder.Names(), ElementsAre("c.png", "c.svg"));
}

// No text of a title or of a column is gnuplot's syntax.
TEST(LearningCurves, DrawsAnyText) {
  const TempFolder folder;
  for (const std::string text :
       {"'s", "''", "\"q\"", "`date`", "\\", "a\\", "$x", "@y", "größe", "%s", "{/Symbol a}", "#"}) {
    EXPECT_OK(DrawLearningCurves({{text, {0.5, 0.25}}}, folder / "c.svg", {.title = text + "t"})) << text;
    if (text.find('"') == std::string::npos) EXPECT_THAT(Slurp(folder / "c.svg"), HasSubstr(text + "t<")) << text;
  }
}

TEST(LearningCurves, ShowsZeroToOneWhereverThatShowsEveryCurve) {
  EXPECT_THAT(LearningCurvesScript(kHistory, "png"), HasSubstr("set yrange [0:1]\n"));
  EXPECT_THAT(LearningCurvesScript({{"loss", {3, 2}}}, "png"), HasSubstr("set yrange [0:*]\n"));
  EXPECT_THAT(LearningCurvesScript({{"loss", {NAN, INFINITY}}}, "png"), HasSubstr("set yrange [0:1]\n"));
}

TEST(LearningCurves, DrawsWhatIsNotFiniteAsAGap) {
  const TempFolder folder;
  EXPECT_OK(DrawLearningCurves({{"loss", {0.5, NAN, 0.25}}}, folder / "c.png"));
  EXPECT_OK(DrawLearningCurves({{"loss", {0.5}}}, folder / "one.png"));
}

TEST(LearningCurves, SaysWhatIsWrong) {
  const TempFolder folder;
  EXPECT_THAT(DrawLearningCurves(kHistory, "c.gif"),
              StatusHasMessage("'c.gif': a picture's name that ends in .png or .svg expected"));
  EXPECT_THAT(DrawLearningCurves({}, "c.png"), StatusHasMessage("'c.png': the history has no epoch to be drawn"));
  EXPECT_THAT(DrawLearningCurves(kHistory, folder / "no/c.png"), StatusHasMessage(HasSubstr("there is no folder")));
  const EmptyPath nothing;
  EXPECT_THAT(DrawLearningCurves(kHistory, folder / "c.png"),
              StatusHasMessage(HasSubstr("cannot be drawn without gnuplot: install the package gnuplot-nox")));
  EXPECT_THAT(folder.Names(), ElementsAre());
}

TEST(ModelDot, WritesGraphviz) {
  const std::string dot = ModelDot(kLayers, {.show_shapes = true, .show_layer_activations = true});
  for (const char* text : {"<b>in</b> (InputLayer)", "<b>h&lt;1&gt;</b> (Dense)", "Activation: <b>relu</b>",
                           "Input shape: <b>(None, 4)</b>", "Output shape: <b>(None, 2)</b>", "layer0 -> layer1;",
                           "layer1 -> layer2;", "rankdir=TB"}) {
    EXPECT_THAT(dot, HasSubstr(text));
  }
  EXPECT_EQ(ModelDot(kLayers).find("shape:"), std::string::npos);
}

TEST(ModelDot, Draws) {
  const TempFolder folder;
  const std::string dot = ModelDot(kLayers, {.show_shapes = true});
  EXPECT_OK(DrawDot(dot, folder / "m.png"));
  EXPECT_THAT(Slurp(folder / "m.png"), StartsWith("\x89PNG"));
  EXPECT_OK(DrawDot(dot, folder / "m.svg"));
  EXPECT_THAT(Slurp(folder / "m.svg"), HasSubstr("<svg"));
  EXPECT_OK(DrawDot(dot, folder / "m.dot"));
  EXPECT_EQ(Slurp(folder / "m.dot"), dot);
}

TEST(ModelDot, AFailureLeavesTheOldPicture) {
  const TempFolder folder;
  Spill(folder / "m.png", "old");
  EXPECT_THAT(DrawDot("digraph {", folder / "m.png"),
              StatusHasMessage(HasSubstr("dot failed with code 1: Error: <stdin>: syntax error in line 1")));
  EXPECT_EQ(Slurp(folder / "m.png"), "old");
  EXPECT_THAT(folder.Names(), ElementsAre("m.png"));
}

}  // namespace
}  // namespace fusebox
