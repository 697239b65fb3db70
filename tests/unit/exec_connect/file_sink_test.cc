// Files as sinks: what is in them after commits, crashes and other people's writing.

#include "exec/connect/files/file_sink.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace weir {
namespace {

namespace fs = std::filesystem;

class FileSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = fs::temp_directory_path() /
            ("weir_file_sink_" + std::to_string(getpid()) + "_" +
             testing::UnitTest::GetInstance()->current_test_info()->name() + ".csv");
    fs::remove(path_);
    auto opened = OpenMemoryBroker();
    ASSERT_TRUE(opened.ok());
    broker_ = std::move(*opened);
  }
  void TearDown() override { fs::remove(path_); }

  Result<std::unique_ptr<CommitUnit>> Open(std::map<std::string, std::string> more = {}) {
    more["CONNECTOR"] = "file";
    more["PATH"] = path_.string();
    FileSinkOptions options;
    options.sinks = {{"OUT", std::move(more), {{"ID", DataType::Int()}, {"A,B", DataType::Int()}}}};
    options.state_prefix = "q/";
    options.warn = [this](std::string_view line) { warnings_ += line; };
    auto unit = broker_->NewCommitUnit("q");
    auto sinks = FileSinks::Open(options, broker_->state(), *unit);
    if (!sinks.ok()) return sinks.status();
    return sinks->Add(std::move(unit));
  }
  static void Append(CommitUnit& unit, const std::vector<std::string>& lines) {
    RecordBatchBuilder records;
    for (const std::string& line : lines) {
      const std::string_view value = line;
      records.AddCopy(nullptr, line == "null" ? nullptr : &value, {}, 0);
    }
    ASSERT_TRUE(unit.Append("OUT", 0, records).ok());
    EXPECT_EQ(records.size(), 0);
  }
  void Write(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }
  std::string Content() const {
    std::stringstream text;
    text << std::ifstream(path_).rdbuf();
    return text.str();
  }

  fs::path path_;
  std::unique_ptr<Broker> broker_;
  std::string warnings_;
};

TEST_F(FileSinkTest, AppendsAtCommits) {
  for (const char* line : {"1,2", "3,4"}) {
    auto unit = Open();
    ASSERT_TRUE(unit.ok()) << unit.status().ToString();
    const std::string before = Content();
    Append(**unit, {line, "null"});
    EXPECT_EQ(Content(), before);
    ASSERT_TRUE((*unit)->Commit().ok());
    ASSERT_TRUE((*unit)->Commit().ok());
  }
  EXPECT_EQ(Content(), "ID,\"A,B\"\n1,2\n3,4\n");
  EXPECT_EQ(warnings_, "");
}

TEST_F(FileSinkTest, CutsOffWhatACrashLeftBehind) {
  {
    auto unit = Open({{"HEADER", "false"}});
    ASSERT_TRUE(unit.ok());
    Append(**unit, {"1,2"});
    ASSERT_TRUE((*unit)->Commit().ok());
    Append(**unit, {"not committed"});
  }
  Write("3,");
  auto unit = Open({{"HEADER", "false"}});
  ASSERT_TRUE(unit.ok()) << unit.status().ToString();
  EXPECT_NE(warnings_.find("cut off"), std::string::npos) << warnings_;
  Append(**unit, {"3,4"});
  ASSERT_TRUE((*unit)->Commit().ok());
  EXPECT_EQ(Content(), "1,2\n3,4\n");
}

TEST_F(FileSinkTest, KeepsFilesThatAreNotItsOwn) {
  Write("precious\n");
  auto unit = Open();
  ASSERT_FALSE(unit.ok());
  EXPECT_EQ(unit.status().code(), ErrorCode::kAlreadyExists);
  EXPECT_NE(unit.status().ToString().find("another PATH"), std::string::npos);
  EXPECT_EQ(Content(), "precious\n");
}

TEST_F(FileSinkTest, SaysThatLinesAreMissing) {
  {
    auto unit = Open();
    ASSERT_TRUE(unit.ok());
    Append(**unit, {"1,2"});
    ASSERT_TRUE((*unit)->Commit().ok());
  }
  fs::resize_file(path_, 3);
  EXPECT_EQ(Open().status().code(), ErrorCode::kIoError);
}

TEST_F(FileSinkTest, NeverCutsAFileThatTookItsPlace) {
  const auto start = [&] {
    fs::remove(path_);
    broker_ = std::move(*OpenMemoryBroker());
    auto unit = Open();
    ASSERT_TRUE(unit.ok()) << unit.status().ToString();
    Append(**unit, {"1,2"});
    ASSERT_TRUE((*unit)->Commit().ok());
  };
  const auto expect_refused = [&](const std::string& content) {
    const Status status = Open().status();
    EXPECT_EQ(status.code(), ErrorCode::kAlreadyExists) << status.ToString();
    EXPECT_EQ(Content(), content);
  };
  const std::string precious(3893, 'p');
  start();
  fs::remove(path_);
  Write(precious);
  expect_refused(precious);

  // In the same inode, and as long as what the query wrote.
  start();
  std::ofstream(path_) << std::string(13, 'p');
  expect_refused(std::string(13, 'p'));

  // The query's own bytes at its front, in another file.
  start();
  const std::string longer = Content() + precious;
  fs::remove(path_);
  Write(longer);
  expect_refused(longer);

  start();
  const fs::path other = path_.string() + ".other";
  std::ofstream(other) << precious;
  fs::remove(path_);
  fs::create_symlink(other, path_);
  expect_refused(precious);
  fs::remove(other);

  // A copy that was put back.
  start();
  const std::string own = Content();
  fs::remove(path_);
  EXPECT_EQ(Open().status().code(), ErrorCode::kIoError);
  Write(own);
  auto unit = Open();
  ASSERT_TRUE(unit.ok()) << unit.status().ToString();
  Append(**unit, {"3,4"});
  ASSERT_TRUE((*unit)->Commit().ok());
  EXPECT_EQ(Content(), own + "3,4\n");
}

TEST_F(FileSinkTest, SeesAtEachCommitThatTheFileIsStillItsOwn) {
  auto unit = Open();
  ASSERT_TRUE(unit.ok());
  Append(**unit, {"1,2"});
  ASSERT_TRUE((*unit)->Commit().ok());
  const std::string own = Content();
  Write("somebody\n");
  Append(**unit, {"3,4"});
  EXPECT_EQ((*unit)->Commit().code(), ErrorCode::kIoError);
  EXPECT_EQ(Content(), own + "somebody\n");
  unit->reset();
  unit = Open();
  ASSERT_TRUE(unit.ok()) << unit.status().ToString();
  fs::remove(path_);
  Write("precious\n");
  Append(**unit, {"3,4"});
  EXPECT_EQ((*unit)->Commit().code(), ErrorCode::kIoError);
  EXPECT_EQ(Content(), "precious\n");
}

TEST_F(FileSinkTest, WritesRegularFilesOnly) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(Open().status().code(), ErrorCode::kIoError);
  fs::remove(path_);
  path_ += ".gz";
  EXPECT_EQ(Open().status().code(), ErrorCode::kUnsupported);
}

TEST_F(FileSinkTest, HasOneWriter) {
  auto first = Open();
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(Open().status().code(), ErrorCode::kIoError);
}

}  // namespace
}  // namespace weir
