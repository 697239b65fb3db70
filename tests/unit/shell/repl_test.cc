#include "shell/prompt/repl.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "shell/commands.h"
#include "shell/render/display_width.h"
#include "shell/render/plan_dot.h"
#include "shell/render/progress.h"
#include "tests/unit/shell/fake_engine.h"

namespace weir::shell {
namespace {

/// Lines from a string, with a Ctrl-C where a line says so; keeps what goes into the history.
class TypedLines : public LineSource {
 public:
  explicit TypedLines(const std::string& text) : in_(text) {}
  ReadResult Read(std::string_view prompt, std::string* line) override {
    prompts.emplace_back(prompt);
    if (!std::getline(in_, *line)) return ReadResult::kEnd;
    return *line == "^C" ? ReadResult::kInterrupted : ReadResult::kLine;
  }
  void AddHistory(std::string_view statement) override { history.emplace_back(statement); }

  std::vector<std::string> prompts;
  std::vector<std::string> history;

 private:
  std::istringstream in_;
};

class ReplTest : public ::testing::Test {
 protected:
  Status Type(const std::string& text, bool interactive = true, RunnerOptions options = {}) {
    Output output(out_, OutputFormat::kJson, [] { return 0; });
    StatementRunner runner(engine_, output, err_, interrupts_, options);
    CommandContext context{.engine = engine_,
                           .runner = runner,
                           .output = output,
                           .err = err_,
                           .interrupts = interrupts_};
    lines_ = std::make_unique<TypedLines>(text);
    Repl repl(context, *lines_, {.interactive = interactive});
    return repl.Run();
  }

  FakeEngine engine_;
  Interrupts interrupts_;
  std::ostringstream out_;
  std::ostringstream err_;
  std::unique_ptr<TypedLines> lines_;
};

using Texts = std::vector<std::string>;

TEST_F(ReplTest, RunsStatementsOfSeveralLines) {
  EXPECT_TRUE(Type("CREATE STREAM a\n  AS b; SHOW\nSTREAMS;\n").ok());
  EXPECT_EQ(engine_.executed, (Texts{"CREATE STREAM a\n  AS b", "SHOW\nSTREAMS"}));
  EXPECT_EQ(lines_->prompts, (Texts{"weir> ", "  ... ", "  ... ", "weir> "}));
}

TEST_F(ReplTest, KeepsWholeStatementsInTheHistory) {
  EXPECT_TRUE(Type("SELECT 1\nFROM a;\n\n.timer on\n").ok());
  EXPECT_EQ(lines_->history, (Texts{"SELECT 1\nFROM a;", ".timer on"}));
}

TEST_F(ReplTest, KnowsQuotesAndPipelines) {
  EXPECT_TRUE(Type("SELECT ';' FROM a; BEGIN PIPELINE p; x; END PIPELINE;\n").ok());
  EXPECT_EQ(engine_.executed, (Texts{"SELECT ';' FROM a", "BEGIN PIPELINE p; x; END PIPELINE"}));
}

TEST_F(ReplTest, InterruptForgetsTheStatement) {
  EXPECT_TRUE(Type("SELECT wrong\n^C\nSELECT right;\n").ok());
  EXPECT_EQ(engine_.executed, Texts{"SELECT right"});
}

TEST_F(ReplTest, ShowsRowsAndMessages) {
  engine_.selects["SELECT A FROM t"] = {TextBatch({"A"}, {{"x"}, {"y"}})};
  EXPECT_TRUE(Type("SELECT A FROM t;\nDROP STREAM s;\n").ok());
  EXPECT_EQ(out_.str(), "{\"A\":\"x\"}\n{\"A\":\"y\"}\n");
  EXPECT_EQ(err_.str(), "done: DROP STREAM s\n");
}

TEST_F(ReplTest, ErrorsDoNotEndThePrompt) {
  engine_.failures["bad"] = Status(ErrorCode::kSyntax, "no such statement: bad")
                                .At({.line = 1, .column = 1, .length = 3})
                                .WithSourceLine("bad");
  EXPECT_TRUE(Type("bad; never;\ngood;\n").ok());
  EXPECT_EQ(engine_.executed, (Texts{"bad", "good"}));
  EXPECT_NE(err_.str().find("error 2001: no such statement: bad"), std::string::npos);
}

TEST_F(ReplTest, ErrorsEndAPipeAndTellTheirPlace) {
  engine_.failures["bad"] = Status(ErrorCode::kSyntax, "no such statement: bad")
                                .At({.line = 1, .column = 1, .length = 3})
                                .WithSourceLine("bad");
  const Status status = Type("good;\ngood; bad;\nnever;\n", /*interactive=*/false);
  EXPECT_EQ(status.code(), ErrorCode::kSyntax);
  EXPECT_EQ(status.position()->line, 2);
  EXPECT_EQ(status.position()->column, 7);
  EXPECT_EQ(engine_.executed.size(), 3u);
}

TEST_F(ReplTest, APipeMayLeaveOutTheLastSemicolon) {
  EXPECT_TRUE(Type("one; two", /*interactive=*/false).ok());
  EXPECT_EQ(engine_.executed, (Texts{"one", "two"}));
  EXPECT_TRUE(Type("three", /*interactive=*/true).ok());
  EXPECT_EQ(engine_.executed.size(), 2u);
}

TEST_F(ReplTest, CommandsStandInALineOfTheirOwn) {
  EXPECT_TRUE(Type(".mode csv\n.what\nPRINT t;\nprint t --from-beginning --limit 2\nhelp;\n"
                   "exit\nnever;\n")
                  .ok());
  EXPECT_EQ(engine_.executed, (Texts{"PRINT t", "PRINT 't' FROM BEGINNING LIMIT 2"}));
  EXPECT_NE(err_.str().find("unknown command: .what"), std::string::npos);
  EXPECT_NE(out_.str().find(".timer [on|off]"), std::string::npos);
}

TEST_F(ReplTest, ListsStreamsAndTables) {
  engine_.sources.push_back({.name = "RIDES", .topic = "r.t"});
  engine_.sources.push_back({.name = "ZONES", .is_table = true, .topic = "z"});
  EXPECT_TRUE(Type("\\d\n.tables zo\n\\d rides\n.schema zones\n").ok());
  EXPECT_EQ(out_.str(),
            "name   kind    columns  topic\n"
            "RIDES  stream  0        r.t\n"
            "ZONES  table   0        z\n"
            "name   kind   columns  topic\nZONES  table  0        z\n");
  EXPECT_EQ(engine_.executed, (Texts{"DESCRIBE rides", "SHOW CREATE zones"}));
}

TEST_F(ReplTest, HelpKnowsClausesPropertiesTypesAndConnectors) {
  EXPECT_TRUE(Type("help window\nhelp KAFKA_TOPIC\n\\h decimal\nhelp file\n").ok());
  for (const char* text : {"WINDOW TUMBLING", "KAFKA_TOPIC = ", "DECIMAL(",
                           "CONNECTOR = ", "FOLLOW             Lines that are appended"}) {
    EXPECT_NE(out_.str().find(text), std::string::npos) << text;
  }
  EXPECT_TRUE(Type("help widnow\n").ok());
  EXPECT_NE(err_.str().find("did you mean WINDOW?"), std::string::npos) << err_.str();
}

TEST_F(ReplTest, HelpTellsOfStatementsAndFunctions) {
  EXPECT_TRUE(Type("help create stream\nhelp ucase\n").ok());
  EXPECT_NE(out_.str().find("CREATE [OR REPLACE] [SOURCE] STREAM"), std::string::npos);
  EXPECT_EQ(engine_.executed, Texts{"DESCRIBE FUNCTION UCASE"});
}

TEST_F(ReplTest, OutputGoesToAFile) {
  const std::string path = ::testing::TempDir() + "weir_repl_test.out";
  engine_.selects["SELECT 1"] = {TextBatch({"A"}, {{"x"}})};
  EXPECT_TRUE(Type(".output '" + path + "'\nSELECT 1;\n.output\n.dump\n").ok());
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, "{\"A\":\"x\"}");
  EXPECT_EQ(out_.str(), "CREATE STREAM A;\n");
}

TEST_F(ReplTest, ABackslashStandsBetweenTheLinesOfAStatement) {
  EXPECT_TRUE(Type("SELECT 1\n\\d rides\nFROM a;\nSELECT '\n\\q\n';\n").ok());
  EXPECT_EQ(engine_.executed, (Texts{"DESCRIBE rides", "SELECT 1\nFROM a", "SELECT '\n\\q\n'"}));
}

TEST_F(ReplTest, HelpFitsATerminal) {
  EXPECT_TRUE(Type("help\nhelp select\nhelp file\n").ok());
  std::istringstream lines(out_.str());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(DisplayWidth(line), 79) << line;
}

TEST_F(ReplTest, LoadsAtThePrompt) {
  const std::string path = ::testing::TempDir() + "weir_repl_test.csv";
  std::ofstream(path) << "a,b\n1,x\n";
  EXPECT_TRUE(Type("load things " + path + " --key a\n").ok());
  EXPECT_EQ(engine_.topics["things"].at(0).key, "1");
  EXPECT_NE(err_.str().find("loaded 1 records into things"), std::string::npos);
}

TEST_F(ReplTest, CtrlCStopsTheQueryOnly) {
  auto cursor = std::make_shared<FakeCursor>(std::make_shared<Schema>());
  cursor->endless = true;
  cursor->on_idle = [this] { interrupts_.Deliver(StopKind::kInterrupt); };
  engine_.cursors["SELECT 1 EMIT CHANGES"] = cursor;
  EXPECT_TRUE(Type("SELECT 1 EMIT CHANGES;\nnext;\n").ok());
  EXPECT_EQ(engine_.executed, (Texts{"SELECT 1 EMIT CHANGES", "next"}));
  EXPECT_NE(err_.str().find("interrupted"), std::string::npos);
}

TEST_F(ReplTest, UntilEndWaitsBeforeReadingAndEndsPushQueries) {
  auto cursor = std::make_shared<FakeCursor>(std::make_shared<Schema>());
  cursor->endless = true;
  engine_.cursors["SELECT 1 EMIT CHANGES"] = cursor;
  engine_.windows_open = 3;
  EXPECT_TRUE(Type("CREATE x;\nSELECT 1 EMIT CHANGES;\n", false, {.until_end = true}).ok());
  EXPECT_EQ(engine_.runs_until_end, 1);
  EXPECT_NE(err_.str().find("windows left open: 3"), std::string::npos);
}

TEST_F(ReplTest, OpenWindowsAreToldOnce) {
  engine_.cursors["SELECT 1"] = std::make_shared<FakeCursor>(std::make_shared<Schema>());
  engine_.windows_open = 3;
  EXPECT_TRUE(Type("SELECT 1;\nSELECT 1;\n", false, {.until_end = true}).ok());
  EXPECT_EQ(engine_.runs_until_end, 2);
  const std::string said = err_.str();
  EXPECT_NE(said.find("windows left open"), std::string::npos);
  EXPECT_EQ(said.find("windows left open"), said.rfind("windows left open")) << said;
}

TEST_F(ReplTest, TerminationCutsAPipeOff) {
  interrupts_.Deliver(StopKind::kTerminate);
  EXPECT_EQ(Type("one;\n", /*interactive=*/false).code(), ErrorCode::kCancelled);
  EXPECT_TRUE(engine_.executed.empty());
}

TEST_F(ReplTest, TerminationEndsTheLoop) {
  interrupts_.Deliver(StopKind::kTerminate);
  EXPECT_TRUE(Type("one;\n").ok());
  EXPECT_TRUE(engine_.executed.empty());
}

TEST(StatementTextTest, FindsTheFirstWord) {
  EXPECT_EQ(FirstWord("-- SHOW\n/* x */ (select 1"), "SELECT");
  EXPECT_EQ(FirstWord(" /* open"), "");
  EXPECT_TRUE(ReadsData("with x as (select 1) select 2"));
  EXPECT_FALSE(ReadsData("create stream s as select 1"));
}

TEST(CommandsTest, SplitsWords) {
  EXPECT_EQ(SplitWords(" load  t 'a b.csv' --key \"x\"'y' ''"),
            (Texts{"load", "t", "a b.csv", "--key", "xy", ""}));
  EXPECT_EQ(ParseCommand("SELECT .5;")->command, nullptr);
  EXPECT_EQ(ParseCommand(".read").status().code(), ErrorCode::kUsage);
}

TEST(CommandsTest, GoByTheNamesOfOtherShells) {
  for (const auto& [line, name] :
       std::vector<std::pair<std::string, std::string>>{{"\\d rides", "describe"},
                                                        {"\\dt", "tables"},
                                                        {"\\?", "help"},
                                                        {"\\q", "quit"},
                                                        {"\\i a.sql", "read"},
                                                        {"\\x", "expanded"},
                                                        {"\\timing", "timer"},
                                                        {".TABLES", "tables"},
                                                        {"help;", "help"},
                                                        {"print t", "print"}}) {
    const Result<CommandCall> call = ParseCommand(line);
    ASSERT_TRUE(call.ok()) << line;
    ASSERT_NE(call->command, nullptr) << line;
    EXPECT_EQ(call->command->name, name) << line;
  }
  EXPECT_EQ(ParseCommand("print t;")->command, nullptr);
  EXPECT_EQ(ParseCommand("tables")->command, nullptr);
}

TEST(CommandsTest, UnknownOnesGetASuggestion) {
  EXPECT_EQ(ParseCommand(".tabels").status().hint(), "did you mean .tables?");
  EXPECT_EQ(ParseCommand("\\xyzzy").status().hint(), ".help lists the commands");
  EXPECT_NE(ParseCommand(".import a b").status().hint().find("load"), std::string::npos);
}

TEST(PlanDotTest, ABoxIsAnOperatorAndAFileOneGraph) {
  const NamedPlan plans[] = {{"SELECT 1",
                              "#2 Project \"a\"\n     append [`A` INT]\n"
                              "  #1 Scan\n       append [`A` INT]\n"},
                             {"SELECT 2", "#1 Scan\n     append []\n"}};
  EXPECT_EQ(PlansToDot(plans, "q.sql"),
            "digraph \"q.sql\" {\n  rankdir=BT;\n  node [shape=box];\n"
            "  subgraph cluster_0 {\n    label=\"SELECT 1\";\n"
            "    n0 [label=\"#2 Project \\\"a\\\"\", tooltip=\"append [`A` INT]\"];\n"
            "    n1 [label=\"#1 Scan\", tooltip=\"append [`A` INT]\"];\n"
            "    n1 -> n0;\n  }\n"
            "  subgraph cluster_1 {\n    label=\"SELECT 2\";\n"
            "    n2 [label=\"#1 Scan\", tooltip=\"append []\"];\n  }\n}\n");
}

TEST(ProgressTest, WritesNumbersForPeople) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(-1234567), "-1,234,567");
}

}  // namespace
}  // namespace weir::shell
