// What reaches a terminal: safe text, pages, results that fit.

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "shell/line_source.h"
#include "shell/program.h"
#include "shell/prompt/pager.h"
#include "shell/render/output.h"
#include "shell/render/terminal_stream.h"
#include "tests/unit/shell/fake_engine.h"

namespace weir::shell {
namespace {

// ESC, a C1 control (CSI), a mark that turns the direction, a letter without width, the separator
// of lines: each could do something on a terminal.
constexpr const char* kHostile =
    "a\x1b[2J\xC2\x9B"
    "5m\xE2\x80\xAE"
    "b\xE2\x80\x8B\xE2\x80\xA8!";
constexpr const char* kTame = "a\\x1b[2J\\u009b5m\\u202eb\\u200b\\u2028!";

TEST(TerminalStreamTest, EscapesWhatCouldActOnATerminal) {
  std::ostringstream terminal;
  TerminalStream out(terminal);
  out << kHostile << "\n\ttab\n" << std::flush;
  EXPECT_EQ(terminal.str(), std::string(kTame) + "\n\ttab\n");
}

TEST(TerminalStreamTest, KeepsCharactersThatComeInPieces) {
  std::ostringstream terminal;
  TerminalStream out(terminal);
  for (const char byte : std::string("é日")) out << byte;
  out << std::string(40'000, 'x') << "é" << std::flush;
  EXPECT_EQ(terminal.str(), "é日" + std::string(40'000, 'x') + "é");
}

TEST(TerminalStreamTest, LetsTheProgramsOwnSequenceThrough) {
  std::ostringstream terminal;
  TerminalStream out(terminal);
  out << "\r\x1b[K|" << WipeLine << "1 record" << std::flush;
  EXPECT_EQ(terminal.str(), "\\r\\x1b[K|\r\x1b[K1 record");
}

TEST(TerminalStreamTest, FailsAsTheTerminalFails) {
  std::ostringstream terminal;
  TerminalStream out(terminal);
  terminal.setstate(std::ios::badbit);
  out << "x" << std::flush;
  EXPECT_FALSE(out.good());
}

class TerminalProgramTest : public ::testing::Test {
 protected:
  int Run(const std::string& sql, OutputFormat format) {
    ProgramOptions options;
    options.scripts = {{false, sql}};
    options.format = format;
    std::istringstream in;
    return RunProgram(
        options,
        {.in = in, .out = out_, .err = err_, .out_is_terminal = true, .err_is_terminal = true},
        interrupts_,
        [this](EngineOptions) -> Result<std::unique_ptr<Engine>> { return Share(engine_); });
  }
  FakeEngine engine_;
  Interrupts interrupts_;
  std::ostringstream out_;
  std::ostringstream err_;
};

bool IsSafe(const std::string& text) {
  return text.find('\x1b') == std::string::npos && text.find("\xC2\x9B") == std::string::npos &&
         text.find("\xE2\x80") == std::string::npos;
}

TEST_F(TerminalProgramTest, NoFormatLetsControlCharactersThrough) {
  engine_.selects["SELECT 1"] = {TextBatch({kHostile}, {{kHostile}})};
  for (const OutputFormat format :
       {OutputFormat::kTable, OutputFormat::kVertical, OutputFormat::kJson, OutputFormat::kCsv}) {
    out_.str("");
    EXPECT_EQ(Run("SELECT 1;", format), 0);
    EXPECT_TRUE(IsSafe(out_.str())) << out_.str();
    EXPECT_NE(out_.str().find("u202e"), std::string::npos) << out_.str();
  }
}

TEST_F(TerminalProgramTest, JsonStaysJson) {
  engine_.selects["SELECT 1"] = {TextBatch({"A"}, {{"\xE2\x80\xAE\xF3\xA0\x81\x81"}})};
  EXPECT_EQ(Run("SELECT 1;", OutputFormat::kJson), 0);
  EXPECT_EQ(out_.str(), "{\"A\":\"\\u202e\\udb40\\udc41\"}\n");
}

TEST_F(TerminalProgramTest, ErrorsThatQuoteDataAreSafe) {
  engine_.failures["bad"] = Status(ErrorCode::kSyntax, std::string("what is ") + kHostile);
  EXPECT_EQ(Run("bad;", OutputFormat::kTable), 1);
  EXPECT_TRUE(IsSafe(err_.str())) << err_.str();
}

TEST_F(TerminalProgramTest, ALongResultIsCutAndCounted) {
  std::vector<std::vector<std::string>> rows(1234, {"x"});
  engine_.selects["SELECT 1"] = {TextBatch({"A"}, rows)};
  EXPECT_EQ(Run("SELECT 1;", OutputFormat::kTable), 0);
  const std::string text = out_.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2 + kRowsShownMax + 2) << text;
  EXPECT_NE(text.find("… 1,194 rows more (.maxrows 0 shows all)\n(1,234 rows)"), std::string::npos)
      << text;
}

TEST_F(TerminalProgramTest, ALineBreakInOneTextKeepsItsTable) {
  engine_.selects["SELECT 1"] = {TextBatch({"A"}, {{"one\ntwo"}, {"three"}})};
  EXPECT_EQ(Run("SELECT 1;", OutputFormat::kTable), 0);
  EXPECT_EQ(out_.str(), " A        \n----------\n one\\ntwo\n three\n(2 rows)\n");
}

TEST(PagedTextTest, ShortTextGoesToTheTerminal) {
  std::ostringstream terminal;
  {
    PagedText page(terminal, "false", 3);
    page << "1\n2\n3\n";
  }
  EXPECT_EQ(terminal.str(), "1\n2\n3\n");
}

TEST(PagedTextTest, LongTextGoesToThePager) {
  const std::string path = ::testing::TempDir() + "weir_pager_test.out";
  std::ostringstream terminal;
  std::vector<bool> told;
  {
    PagedText page(terminal, "cat > '" + path + "'", 3,
                   [&](bool running) { told.push_back(running); });
    page << "1\n2\n3\n4\n5 \x1b";
  }
  EXPECT_EQ(terminal.str(), "");
  EXPECT_EQ(told, (std::vector<bool>{true, false}));
  std::ifstream in(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(in), {}), "1\n2\n3\n4\n5 \\x1b");
}

TEST(PagedTextTest, FailsOnceThePagerHasEnded) {
  signal(SIGPIPE, SIG_IGN);  // As the program does.
  std::ostringstream terminal;
  PagedText page(terminal, "exit 0", 1);
  // A pipe takes some text before it is full; then its reader has gone for certain.
  for (int i = 0; i < 100'000 && page.good(); ++i) page << "a line of text\n";
  EXPECT_FALSE(page.good());
}

TEST(DescriptorLineSourceTest, ReadsLinesAndTheLastWithoutItsBreak) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "one\ntwo", 7), 7);
  close(ends[1]);
  Interrupts interrupts;
  DescriptorLineSource lines(ends[0], interrupts);
  std::string line;
  EXPECT_EQ(lines.Read("", &line), ReadResult::kLine);
  EXPECT_EQ(line, "one");
  EXPECT_TRUE(lines.HasMore());
  EXPECT_EQ(lines.Read("", &line), ReadResult::kLine);
  EXPECT_EQ(line, "two");
  EXPECT_EQ(lines.Read("", &line), ReadResult::kEnd);
  EXPECT_FALSE(lines.HasMore());
  close(ends[0]);
}

TEST(DescriptorLineSourceTest, AStopEndsTheWaitForAPipe) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  Interrupts interrupts;
  interrupts.Deliver(StopKind::kTerminate);
  DescriptorLineSource lines(ends[0], interrupts);
  std::string line;
  EXPECT_EQ(lines.Read("", &line), ReadResult::kEnd);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace weir::shell
