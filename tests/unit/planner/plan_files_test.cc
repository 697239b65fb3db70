// Golden plans: every *.test file under tests/plan.
//
//   setup                                  statements up to the blank line are run
//   plan logical|optimized|physical|…      one statement up to ----, then its plan up to a blank
//   line error NNNN                             one statement up to a blank line; its error code
//   partitions N                           partitions of topics from here on
//
// A line that starts with # is a comment. WEIR_UPDATE_PLANS=1 rewrites the expected plans.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/unit/planner/planner_fixture.h"

namespace weir {
namespace {

std::vector<std::string> ReadLines(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  std::string line;
  while (std::getline(file, line)) lines.push_back(line);
  return lines;
}

class PlanFile {
 public:
  explicit PlanFile(std::filesystem::path path)
      : path_(std::move(path)), lines_(ReadLines(path_)) {}

  void Run() {
    for (size_t i = 0; i < lines_.size(); ++i) {
      const std::string& line = lines_[i];
      result_ += line + "\n";
      if (line.empty() || line[0] == '#') continue;
      std::istringstream words(line);
      std::string command;
      std::string argument;
      words >> command >> argument;
      if (command == "setup") {
        session_.MustRun(Block(i, ""));
        result_ += "\n";
      } else if (command == "partitions") {
        session_.partitions = std::stoi(argument);
      } else if (command == "error") {
        const Status status = session_.Run(Block(i, ""));
        result_ += "\n";
        EXPECT_EQ(std::to_string(static_cast<int>(status.code())), argument)
            << path_ << ":" << i + 1 << ": " << status.ToString();
      } else if (command == "plan") {
        CheckPlanBlock(argument, i);
      } else {
        ADD_FAILURE() << path_ << ":" << i + 1 << ": unknown command " << command;
      }
    }
    if (std::getenv("WEIR_UPDATE_PLANS") != nullptr) std::ofstream(path_) << result_;
  }

 private:
  /// Lines after `i` up to one that equals `end`; moves `i` there.
  std::string Block(size_t& i, std::string_view end) {
    std::string text;
    for (++i; i < lines_.size() && lines_[i] != end; ++i) {
      text += lines_[i] + "\n";
      result_ += lines_[i] + "\n";
    }
    return text;
  }

  void CheckPlanBlock(const std::string& stage, size_t& i) {
    const size_t line = i + 1;
    const std::string sql = Block(i, "----");
    const std::string before = result_ + "----\n";
    const std::string expected = Block(i, "");
    const std::string actual = session_.Explain(sql, stage);
    result_ = before + actual + "\n";
    if (std::getenv("WEIR_UPDATE_PLANS") != nullptr) return;
    EXPECT_EQ(actual, expected) << path_ << ":" << line;
  }

  std::filesystem::path path_;
  std::vector<std::string> lines_;
  std::string result_;
  PlanningSession session_;
};

TEST(PlanFilesTest, PlansAreAsExpected) {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(WEIR_PLAN_TESTS)) {
    if (entry.path().extension() != ".test") continue;
    SCOPED_TRACE(entry.path().string());
    PlanFile(entry.path()).Run();
    ++files;
  }
  EXPECT_GT(files, 3);
}

}  // namespace
}  // namespace weir
