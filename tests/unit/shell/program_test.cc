#include "shell/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "base/text_file.h"
#include "shell/render/progress.h"
#include "tests/unit/shell/fake_engine.h"

namespace weir::shell {
namespace {

class ProgramTest : public ::testing::Test {
 protected:
  int Run(const std::string& input = "") {
    std::istringstream in(input);
    return RunProgram(options_, {.in = in, .out = out_, .err = err_}, interrupts_,
                      [this](EngineOptions options) -> Result<std::unique_ptr<Engine>> {
                        opened_ = std::move(options);
                        if (!open_status_.ok()) return open_status_;
                        return Share(engine_);
                      });
  }
  /// A termination comes while the cursor of `select` waits for rows.
  void StopWhileReading(const std::string& select) {
    auto cursor = std::make_shared<FakeCursor>(std::make_shared<Schema>());
    cursor->endless = true;
    cursor->on_idle = [this] { interrupts_.Deliver(StopKind::kTerminate); };
    engine_.cursors[select] = cursor;
  }
  std::string WriteFile(const std::string& name, const std::string& text) {
    const std::string path = ::testing::TempDir() + name;
    std::ofstream(path) << text;
    return path;
  }

  ProgramOptions options_;
  FakeEngine engine_;
  EngineOptions opened_;
  Status open_status_;
  Interrupts interrupts_;
  std::ostringstream out_;
  std::ostringstream err_;
};

using Texts = std::vector<std::string>;

TEST_F(ProgramTest, RunsAPipe) {
  options_.directory = "db";
  EXPECT_EQ(Run("one;\ntwo;\n"), 0);
  EXPECT_EQ(engine_.executed, (Texts{"one", "two"}));
  EXPECT_EQ(opened_.directory, "db");
  EXPECT_TRUE(engine_.closed);
}

TEST_F(ProgramTest, RunsScriptsInOrderAfterTheDefines) {
  options_.defines = {{"who", "it's me"}};
  options_.scripts = {{false, "one; two"}, {true, WriteFile("s.sql", "three;")}};
  EXPECT_EQ(Run("never;"), 0);
  EXPECT_EQ(engine_.executed, (Texts{"DEFINE who = 'it''s me'", "one", "two", "three"}));
}

TEST_F(ProgramTest, AnErrorStopsAndNamesTheFile) {
  engine_.failures["bad"] = Status(ErrorCode::kUnknownColumn, "unknown column: X")
                                .At({.line = 1, .column = 1})
                                .WithSourceLine("bad");
  const std::string path = WriteFile("bad.sql", "good;\n\n  bad;\nnever;");
  options_.scripts = {{true, path}};
  EXPECT_EQ(Run(), 1);
  EXPECT_NE(err_.str().find(path + ":3:3 |   bad;"), std::string::npos) << err_.str();
  EXPECT_TRUE(engine_.closed);
}

TEST_F(ProgramTest, RunStaysWhileQueriesRun) {
  options_.command = ProgramCommand::kRun;
  options_.files = {WriteFile("r.sql", "one;")};
  EXPECT_EQ(Run(), 0);  // Nothing is left to wait for.
  engine_.metrics.queries.push_back({.query_id = "Q", .state = "ERROR", .error = "broken"});
  EXPECT_EQ(Run(), 1);
  EXPECT_NE(err_.str().find("query Q failed: broken"), std::string::npos);
}

TEST_F(ProgramTest, TerminationEndsARunWithZero) {
  options_.command = ProgramCommand::kRun;
  options_.files = {WriteFile("r.sql", "SELECT 1;")};
  engine_.metrics.queries.push_back({.query_id = "Q", .state = "RUNNING"});
  // It comes when the last statement has given all its rows.
  auto cursor = std::make_shared<FakeCursor>(std::make_shared<Schema>());
  cursor->on_idle = [this] { interrupts_.Deliver(StopKind::kTerminate); };
  engine_.cursors["SELECT 1"] = cursor;
  EXPECT_EQ(Run(), 0);
  EXPECT_TRUE(engine_.closed);
}

TEST_F(ProgramTest, TerminationBeforeTheScriptIsReadGives143) {
  options_.command = ProgramCommand::kRun;
  options_.files = {WriteFile("r.sql", "")};
  interrupts_.Deliver(StopKind::kTerminate);
  EXPECT_EQ(Run(), 143);
}

TEST_F(ProgramTest, TerminationOfWhatFollowsForEverGivesZero) {
  StopWhileReading("SELECT * FROM a EMIT CHANGES");
  options_.scripts = {{false, "one; SELECT * FROM a EMIT CHANGES;"}};
  EXPECT_EQ(Run(), 0);
  EXPECT_TRUE(engine_.closed);
}

TEST_F(ProgramTest, TerminationThatLeavesWorkUndoneGives143) {
  StopWhileReading("SELECT * FROM a EMIT CHANGES");
  options_.scripts = {{false, "one; SELECT * FROM a EMIT CHANGES; never;"}};
  EXPECT_EQ(Run(), 143);
  EXPECT_EQ(engine_.executed, (Texts{"one", "SELECT * FROM a EMIT CHANGES"}));
  EXPECT_EQ(err_.str(),
            "done: one\nstopped before the end of -c: 1 statement was carried out, the "
            "last one begun is at 1:6\n");
}

TEST_F(ProgramTest, TerminationBeforeTheLimitGives143) {
  StopWhileReading("SELECT * FROM a EMIT CHANGES LIMIT 3");
  options_.scripts = {{false, "SELECT * FROM a EMIT CHANGES LIMIT 3;"}};
  EXPECT_EQ(Run(), 143);
}

TEST_F(ProgramTest, TerminationBeforeTheNextScriptGives143) {
  StopWhileReading("SELECT * FROM a EMIT CHANGES");
  options_.scripts = {{false, "SELECT * FROM a EMIT CHANGES"}, {false, "never"}};
  EXPECT_EQ(Run(), 143);
}

TEST_F(ProgramTest, ALoadThatWasStoppedTellsWhatItLoaded) {
  options_.command = ProgramCommand::kLoad;
  options_.load.topic = "t";
  options_.load.file = "-";
  std::string rows = "a\n";
  for (int i = 0; i < 20'000; ++i) rows += "1\n";
  interrupts_.Deliver(StopKind::kTerminate);
  EXPECT_EQ(Run(rows), 143);
  EXPECT_NE(err_.str().find(fmt::format("records loaded: {}", engine_.topics["t"].size())),
            std::string::npos)
      << err_.str();
  EXPECT_LT(engine_.topics["t"].size(), 20'000u);
}

TEST_F(ProgramTest, APipeThatWasStoppedGives143) {
  interrupts_.Deliver(StopKind::kTerminate);
  EXPECT_EQ(Run("one;\n"), 143);
  EXPECT_TRUE(engine_.executed.empty());
}

TEST_F(ProgramTest, HelpNeedsNoStore) {
  options_.command = ProgramCommand::kHelp;
  options_.directory = "db";
  options_.help_topic = "window";
  EXPECT_EQ(Run(), 0);
  EXPECT_NE(out_.str().find("WINDOW TUMBLING"), std::string::npos);
  EXPECT_EQ(opened_.directory, "");
}

TEST_F(ProgramTest, AScriptIsAFileOfSomeSize) {
  options_.scripts = {{true, ::testing::TempDir()}};
  EXPECT_EQ(Run(), 1);
  EXPECT_NE(err_.str().find("it is a directory"), std::string::npos) << err_.str();
  options_.scripts = {{true, "/dev/zero"}};
  EXPECT_EQ(Run(), 1);
  EXPECT_NE(err_.str().find("it has more than 67108864 bytes"), std::string::npos) << err_.str();
}

TEST_F(ProgramTest, AScriptFromAPipeThatNobodyWritesToCanBeStopped) {
  const std::string path = ::testing::TempDir() + "weir_program_test.fifo";
  unlink(path.c_str());
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(ReadTextFile(path, 10, [] { return true; }).status().code(), ErrorCode::kCancelled);
  const int end = open(path.c_str(), O_RDWR);
  ASSERT_EQ(write(end, "one;", 4), 4);
  // Stopped once the text that is there has been read.
  int asked = 0;
  EXPECT_EQ(ReadTextFile(path, 10, [&] { return ++asked > 1; }).status().code(),
            ErrorCode::kCancelled);
  close(end);
  unlink(path.c_str());
}

TEST_F(ProgramTest, InterruptGives130) {
  auto cursor = std::make_shared<FakeCursor>(std::make_shared<Schema>());
  cursor->endless = true;
  cursor->on_idle = [this] { interrupts_.Deliver(StopKind::kInterrupt); };
  engine_.cursors["SELECT 1"] = cursor;
  options_.scripts = {{false, "SELECT 1; never;"}};
  EXPECT_EQ(Run(), 130);
  EXPECT_EQ(engine_.executed, Texts{"SELECT 1"});
}

TEST_F(ProgramTest, UntilEndWaitsAtTheEnd) {
  options_.until_end = true;
  options_.close_windows = true;
  options_.scripts = {{false, "one;"}};
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(engine_.runs_until_end, 1);
}

TEST_F(ProgramTest, CloseWindowsGivesThoseOfASelectToo) {
  options_.until_end = true;
  options_.scripts = {{false, "SELECT 1;"}};
  for (const bool close : {false, true}) {
    auto cursor =
        std::make_shared<FakeCursor>(std::make_shared<Schema>(TextBatch({"A"}, {{"x"}}).schema()));
    cursor->endless = true;
    cursor->windows = {TextBatch({"A"}, {{"in a window"}})};
    engine_.cursors["SELECT 1"] = cursor;
    options_.close_windows = close;
    EXPECT_EQ(Run(), 0);
    EXPECT_EQ(out_.str().find("in a window") != std::string::npos, close) << out_.str();
    EXPECT_EQ(err_.str().find("windows left open: 1") != std::string::npos, !close) << err_.str();
    out_.str("");
    err_.str("");
  }
}

TEST_F(ProgramTest, OpenErrors) {
  open_status_ = Status(ErrorCode::kStoreLocked, "another process has the store open: pid 1");
  EXPECT_EQ(Run(), 1);
  open_status_ = Status(ErrorCode::kUnknownOption, "unknown setting: x");
  EXPECT_EQ(Run(), 2);
}

TEST(ProgressTest, TellsHowFarRestoringIs) {
  EngineMetrics metrics;
  metrics.queries.resize(2);
  EXPECT_EQ(DescribeRestore(metrics), "");
  metrics.queries[0].restore = {.tasks = 2,
                                .records_restored = 1200,
                                .records_to_restore = 50'000,
                                .records_per_second = 4000};
  EXPECT_EQ(DescribeRestore(metrics),
            "; restoring 1,200 of 50,000 records of 2 tasks, 4,000/s, 12 s left");
  metrics.queries[0].restore.records_per_second = 0;
  EXPECT_EQ(DescribeRestore(metrics), "; restoring 1,200 of 50,000 records of 2 tasks");
}

TEST_F(ProgramTest, LoadsAndTellsWhatIsAcknowledged) {
  options_.command = ProgramCommand::kLoad;
  options_.load.topic = "t";
  options_.load.file = "-";
  EXPECT_EQ(Run("a\n1\n2\n"), 0);
  EXPECT_EQ(err_.str(), "acknowledged 2\nloaded 2 records into t\n");
  options_.load.file = "/no/such/file.csv";
  EXPECT_EQ(Run(), 1);
}

TEST_F(ProgramTest, PrintsATopic) {
  options_.command = ProgramCommand::kPrint;
  options_.print = {.topic = "it's", .from_beginning = true, .limit = 2};
  EXPECT_EQ(Run(), 0);
  EXPECT_EQ(engine_.executed, Texts{"PRINT 'it''s' FROM BEGINNING LIMIT 2"});
}

TEST_F(ProgramTest, GoldenTestPassesAndFails) {
  options_.command = ProgramCommand::kTest;
  options_.test.ways = {"row_by_row"};
  ASSERT_TRUE(engine_.CreateTopic("t", 1, true).ok());
  engine_.selects["SELECT A FROM t"] = {TextBatch({"A"}, {{"y"}, {"x"}})};
  engine_.failures["bad"] = Status(ErrorCode::kSyntax, "not a statement: bad");
  options_.files = {WriteFile("good.test", R"(# name: good.test
statement ok
CREATE STREAM s;

input t       # time | key | value
1 | a | {"N": 1}
2 | b | NULL      # gone

output t changes
2 | b | NULL
1 | a | {"N":1}

query
SELECT A FROM t;
----
x
y

statement error 2001
bad;
----
not a statement
)")};
  EXPECT_EQ(Run(), 0) << out_.str();
  EXPECT_EQ(engine_.append_sizes, (std::vector<size_t>{1, 1}));

  options_.test.ways = {"whole"};
  options_.files = {WriteFile("wrong.test", "input t\n1 | a | 1\n\noutput t ordered\n1 | a | 2\n")};
  engine_.topics["t"].clear();
  EXPECT_EQ(Run(), 1);
  EXPECT_NE(out_.str().find("line 4"), std::string::npos) << out_.str();

  options_.test.update = true;
  engine_.topics["t"].clear();
  EXPECT_EQ(Run(), 0);
  std::ifstream in(options_.files[0]);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(text, "input t\n1 | a | 1\n\noutput t ordered\n1 | a | 1\n");
}

}  // namespace
}  // namespace weir::shell
