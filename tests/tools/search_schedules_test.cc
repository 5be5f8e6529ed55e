// SPDX-License-Identifier: Apache-2.0
// fusebox bench search-schedules: it measures, stores winners where later programs find them, and reports errors. Which
// schedule is fastest is not tested.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/command.h"

namespace fusebox::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SearchSchedules : public CommandTest {
 protected:
  void SetUp() override {
    CommandTest::SetUp();
    std::filesystem::create_directory(Path("cache"));
    std::filesystem::permissions(Path("cache"), std::filesystem::perms::owner_all);
    const char* value = std::getenv("FUSEBOX_CACHE_DIR");
    before_ = value != nullptr ? value : "";
    setenv("FUSEBOX_CACHE_DIR", Path("cache").c_str(), 1);
    std::ofstream(Path("product.fbg")) << "%a = input : f32[N,30]\n"
                                          "%b = input : f32[30,20]\n"
                                          "%0 = matmul %a, %b : f32[N,20]\n"
                                          "%1 = max %0, 0 : f32[N,20]\n"
                                          "return c = %1\n";
  }
  void TearDown() override {
    setenv("FUSEBOX_CACHE_DIR", before_.c_str(), 1);
    CommandTest::TearDown();
  }

  size_t Entries() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(Path("cache"))) count += entry.exists();
    return count;
  }

 private:
  std::string before_;
};

TEST_F(SearchSchedules, KeepsWhatIsFastest) {
  const ProcessResult result = Fusebox(
      {"bench", "search-schedules", Path("product.fbg"), "--batch-size", "9", "--threads", "2", "--seconds", "0"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("product.fbg, 2 threads, peak "), HasSubstr("the winner's"),
                                   HasSubstr("f32 [N,30] [30,20], N = 9 "), HasSubstr("tile="),
                                   AnyOf(HasSubstr("\n0 of 1 products have"), HasSubstr("\n1 of 1 products have"))));
  EXPECT_THAT(result.errors, HasSubstr("product.fbg: round 1: "));
  // One winner, and nothing of the programs that were tried.
  EXPECT_EQ(Entries(), 1);

  const ProcessResult text = Fusebox({"explain", Path("product.fbg"), "--batch-size", "9", "--json"});
  ASSERT_EQ(text.exit_code, 0) << text.errors;
  const nlohmann::json kernel = nlohmann::json::parse(text.output)["kernels"][0];
  EXPECT_EQ(kernel["product"], "f32 [N,30] [30,20], N = 9");
  EXPECT_EQ(kernel["schedule_from"], "search");
  EXPECT_THAT(result.output, HasSubstr(kernel["schedule"].get<std::string>()));
  EXPECT_THAT(Fusebox({"explain", Path("product.fbg"), "--batch-size", "9"}).output,
              HasSubstr("* cut as `fusebox bench search-schedules` found to be fastest"));
  // The search was for one batch size.
  const ProcessResult other = Fusebox({"explain", Path("product.fbg"), "--batch-size", "8", "--json"});
  EXPECT_EQ(nlohmann::json::parse(other.output)["kernels"][0]["schedule_from"], "model");
}

TEST_F(SearchSchedules, TakesATrainingProgram) {
  const ProcessResult result =
      Fusebox({"bench", "search-schedules", "fashion_mnist_mlp", "--batch-size", "2", "--seconds", "0"});
  ASSERT_EQ(result.exit_code, 0) << result.errors;
  EXPECT_THAT(result.output, AllOf(HasSubstr("f32 [N,784] of a data set [784,300] in panels, N = 2"),
                                   HasSubstr("f32 [N,784]T of a data set [N,300] padded to panels, N = 2")));
  EXPECT_GE(Entries(), 5);
}

// The benchmarks are cut likewise, and say so; nothing of theirs comes into the folder.
TEST_F(SearchSchedules, BenchmarksUseWinners) {
  std::ofstream(Path("square.fbg")) << "%a = input : f32[256,256]\n"
                                       "%b = input : f32[256,256]\n"
                                       "%0 = matmul %a, %b : f32[256,256]\n"
                                       "return c = %0\n";
  const auto bench = [&] {
    const ProcessResult result = Fusebox({"bench", "--filter", "^(product .256|program 8|compile training of mlp$)",
                                          "--seconds", "0", "--threads", "1", "--json", Path("b.json")});
    EXPECT_EQ(result.exit_code, 0) << result.errors;
    return result.output;
  };
  const auto row = [&](const std::string& name) {
    std::ifstream file(Path("b.json"));
    const nlohmann::json json = nlohmann::json::parse(file);
    for (const nlohmann::json& each : json["results"]) {
      if (each["name"] == name) return each;
    }
    ADD_FAILURE() << name;
    return nlohmann::json::object();
  };
  constexpr char kSquare[] = "product [256,256] [256,256]";
  EXPECT_THAT(bench(), Not(HasSubstr("*")));
  EXPECT_FALSE(row(kSquare).contains("searched_products"));
  EXPECT_EQ(Entries(), 0);

  ASSERT_EQ(Fusebox({"bench", "search-schedules", Path("square.fbg"), "--batch-size", "1", "--seconds", "0"}).exit_code,
            0);
  EXPECT_THAT(bench(),
              AllOf(HasSubstr("product [256,256] [256,256]* "), HasSubstr("program 8 - 30 - 30 - 1, 1 rows "),
                    HasSubstr("\n* with products cut as `fusebox bench search-schedules` found to be fastest\n")));
  EXPECT_EQ(row(kSquare)["searched_products"], 1);
  EXPECT_FALSE(row("program 8 - 30 - 30 - 1, 1 rows").contains("searched_products"));
  EXPECT_FALSE(row("compile training of mlp").contains("searched_products"));
  EXPECT_EQ(Entries(), 1);
}

TEST_F(SearchSchedules, RefusesBeforeWork) {
  const auto expect = [](const ProcessResult& result, int code, const char* text) {
    EXPECT_EQ(result.exit_code, code);
    EXPECT_THAT(result.errors, HasSubstr(text));
    EXPECT_THAT(result.output, IsEmpty());
  };
  expect(Fusebox({"bench", "search-schedules", "--threads", "0"}), 2, "expected a whole number of 1 or more, got '0'");
  expect(Fusebox({"bench", "search-schedules", "--seconds", "-1"}), 2, "--seconds");
  expect(Fusebox({"bench", "search-schedules", Path("nowhere.fbg")}), 1, "nowhere.fbg");
  std::ofstream(Path("none.fbg")) << "%a = input : f32[N]\n%0 = max %a, 0 : f32[N]\nreturn c = %0\n";
  expect(Fusebox({"bench", "search-schedules", Path("none.fbg")}), 1, "none.fbg' has no matrix products");
  setenv("FUSEBOX_CACHE_DIR", "", 1);
  expect(Fusebox({"bench", "search-schedules", Path("product.fbg")}), 1,
         "search-schedules: there is no folder to keep winners in: FUSEBOX_CACHE_DIR names none that is yours alone");
}

}  // namespace
}  // namespace fusebox::testing
