// The directory of the local broker: who may open it, and what survives crashes and damage.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "exec/connect/topic.h"

namespace weir {
namespace {

namespace fs = std::filesystem;

class LocalBrokerTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        fs::temp_directory_path() / ("weir_local_" + std::to_string(getpid()) + "_" +
                                     testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(directory_);
  }
  void TearDown() override { fs::remove_all(directory_); }

  Result<std::unique_ptr<Broker>> Open(bool sync = true) {
    BrokerOptions options;
    options.directory = directory_.string();
    options.sync_commits = sync;
    return OpenLocalBroker(options);
  }
  std::unique_ptr<Broker> MustOpen(bool sync = true) {
    auto broker = Open(sync);
    EXPECT_TRUE(broker.ok()) << broker.status().ToString();
    return broker.ok() ? std::move(*broker) : nullptr;
  }
  static Status Append(Broker& broker, int64_t first, int64_t count, size_t bytes = 10) {
    RecordBatchBuilder records;
    for (int64_t i = first; i < first + count; ++i) {
      std::string value = std::to_string(i);
      value.resize(std::max(bytes, value.size()), '.');
      const std::string_view view = value;
      records.AddCopy(nullptr, &view, "", i);
    }
    return broker.AppendDurably("t", 0, records);
  }
  /// Numbers in the topic; an error or a gap ends the list.
  static Result<int64_t> CountNumbers(Broker& broker) {
    auto session = broker.OpenReadSession("test");
    auto reader = (*session)->Open("t", 0, {});
    if (!reader.ok()) return reader.status();
    int64_t count = 0;
    RecordBatch batch;
    while (true) {
      if (Status status = (*reader)->Fetch(1000, 1 << 20, batch); !status.ok()) return status;
      if (batch.size() == 0) return count;
      for (int32_t row = 0; row < batch.size(); ++row, ++count) {
        const auto at = static_cast<size_t>(row);
        const std::string text(batch.View(batch.values[at]));
        EXPECT_EQ(std::stoll(text), count);
        EXPECT_EQ(batch.timestamps[at], count);
      }
    }
  }

  fs::path directory_;
};

TEST_F(LocalBrokerTest, KeepsEverythingOverAReopen) {
  for (int round = 0; round < 3; ++round) {
    auto broker = MustOpen();
    ASSERT_NE(broker, nullptr);
    if (round == 0) {
      ASSERT_TRUE(
          broker->CreateTopic({.name = "t", .partitions = 3, .retention_ms = 1 << 30}).ok());
    }
    EXPECT_EQ(broker->DescribeTopic("t")->partitions, 3);
    EXPECT_EQ(broker->DescribeTopic("t")->retention_ms, 1 << 30);
    EXPECT_EQ(*CountNumbers(*broker), round * 2500);
    ASSERT_TRUE(Append(*broker, round * 2500, 2499, 400).ok());
    ASSERT_TRUE(Append(*broker, round * 2500 + 2499, 1).ok());
    auto unit = broker->NewCommitUnit("q");
    unit->Put("round", std::to_string(round));
    ASSERT_TRUE(unit->Commit().ok());
    EXPECT_EQ(**broker->state().Get("round"), std::to_string(round));
    EXPECT_EQ(*broker->EndOffsets("t"), (std::vector<int64_t>{round * 2500 + 2500, 0, 0}));
  }
}

TEST_F(LocalBrokerTest, OneOwnerAtATime) {
  auto first = MustOpen();
  const auto second = Open();
  EXPECT_EQ(second.status().code(), ErrorCode::kStoreLocked);
  EXPECT_NE(second.status().message().find(std::to_string(getpid())), std::string::npos)
      << second.status().message();
  first.reset();
  EXPECT_TRUE(Open().ok());
}

TEST_F(LocalBrokerTest, RefusesForeignDirectories) {
  fs::create_directories(directory_);
  std::ofstream(directory_ / "letter.txt") << "mine";
  EXPECT_EQ(Open().status().code(), ErrorCode::kNotAStore);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), {}), 1);
  fs::remove_all(directory_);
  std::ofstream(directory_) << "a file";
  EXPECT_FALSE(Open().ok());
}

TEST_F(LocalBrokerTest, RefusesOtherVersionsAndBrokenMarkers) {
  MustOpen();
  std::ofstream(directory_ / "weir.store") << "weir store, format 99\n";
  EXPECT_EQ(Open().status().code(), ErrorCode::kStoreVersion);
  std::ofstream(directory_ / "weir.store") << "something";
  EXPECT_EQ(Open().status().code(), ErrorCode::kStoreCorrupt);
  fs::remove(directory_ / "weir.store");
  EXPECT_EQ(Open().status().code(), ErrorCode::kStoreCorrupt);
  EXPECT_TRUE(fs::exists(directory_ / "db" / "CURRENT"));
}

TEST_F(LocalBrokerTest, ABrokenOffCreationLeavesNothingInTheWay) {
  MustOpen();
  fs::rename(directory_ / "weir.store", directory_ / "weir.store.new");
  EXPECT_TRUE(Open().ok());
  EXPECT_TRUE(Open().ok());
}

TEST_F(LocalBrokerTest, ADirectoryThatCannotBeWrittenIsAnError) {
  BrokerOptions options;
  options.directory = "/proc/weir";
  const auto broker = OpenLocalBroker(options);
  EXPECT_EQ(broker.status().code(), ErrorCode::kStoreIo) << broker.status().ToString();
}

/// Damages one file at a time, in its middle. The store must say so, or not have needed the bytes;
/// it must never give other records back than were written.
TEST_F(LocalBrokerTest, DamageIsAnErrorOrHarmless) {
  for (int round = 0; round < 3; ++round) {
    auto broker = MustOpen();
    if (round == 0) {
      ASSERT_TRUE(broker->CreateTopic({.name = "t", .partitions = 1}).ok());
    }
    ASSERT_TRUE(Append(*broker, round * 2000, 2000, 500).ok());
  }
  const fs::path copy = directory_.string() + ".copy";
  fs::remove_all(copy);
  fs::rename(directory_, copy);
  int refused = 0;
  std::set<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(copy)) {
    if (entry.is_regular_file()) files.insert(fs::relative(entry.path(), copy));
  }
  for (const fs::path& file : files) {
    fs::remove_all(directory_);
    fs::copy(copy, directory_, fs::copy_options::recursive);
    const auto size = fs::file_size(directory_ / file);
    if (size < 8) continue;
    {
      std::fstream damage(directory_ / file, std::ios::in | std::ios::out | std::ios::binary);
      damage.seekp(static_cast<std::streamoff>(size / 2));
      damage << "DAMAGE";
    }
    auto broker = Open();
    if (!broker.ok()) {
      ++refused;
      EXPECT_FALSE(broker.status().message().empty());
      continue;
    }
    const auto count = CountNumbers(**broker);
    if (!count.ok()) {
      ++refused;
      EXPECT_EQ(count.status().code(), ErrorCode::kStoreCorrupt) << count.status().ToString();
    } else if (*count != 6000) {
      ADD_FAILURE() << file << " damaged: " << *count << " records left, and no error";
    }
  }
  EXPECT_GE(refused, 2);
  fs::remove_all(copy);
}

/// A child appends and reports each acknowledged count; it is killed; the store is looked through.
TEST_F(LocalBrokerTest, KeepsWhatWasAcknowledgedOverKill9) {
  { ASSERT_TRUE(MustOpen()->CreateTopic({.name = "t", .partitions = 1}).ok()); }
  int64_t acknowledged = 0;
  for (int round = 0; round < 12; ++round) {
    int channel[2];
    ASSERT_EQ(pipe(channel), 0);
    const pid_t child = fork();
    if (child == 0) {
      close(channel[0]);
      auto broker = Open(round % 2 == 0);
      int64_t next = broker.ok() ? (**broker).EndOffsets("t")->front() : -1;
      while (next >= 0) {
        const int64_t count = 1 + next % 700;
        if (!Append(**broker, next, count, 100).ok()) _exit(1);
        next += count;
        if (write(channel[1], &next, sizeof next) != sizeof next) _exit(2);
      }
      _exit(3);
    }
    close(channel[1]);
    int64_t seen = 0;
    for (int reports = 0; reports <= round * 7; ++reports) {
      ASSERT_EQ(read(channel[0], &seen, sizeof seen), static_cast<ssize_t>(sizeof seen));
    }
    kill(child, SIGKILL);
    while (read(channel[0], &seen, sizeof seen) > 0) {
    }
    close(channel[0]);
    waitpid(child, nullptr, 0);
    acknowledged = seen;
    auto broker = MustOpen();
    ASSERT_NE(broker, nullptr);
    const auto count = CountNumbers(*broker);
    ASSERT_TRUE(count.ok()) << count.status().ToString();
    EXPECT_GE(*count, acknowledged);
    EXPECT_EQ(*count, broker->EndOffsets("t")->front());
  }
}

/// A limit on the size of files stands for a full disk.
TEST_F(LocalBrokerTest, AFullDiskIsAnErrorAndLosesNothing) {
  { ASSERT_TRUE(MustOpen()->CreateTopic({.name = "t", .partitions = 1}).ok()); }
  int channel[2];
  ASSERT_EQ(pipe(channel), 0);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{3 << 20, 3 << 20};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto broker = Open();
    int64_t next = 0;
    while (broker.ok()) {
      const Status status = Append(**broker, next, 1000, 300);
      if (!status.ok()) {
        const bool clear = status.code() == ErrorCode::kStoreIo;
        if (!clear || write(channel[1], &next, sizeof next) < 0) _exit(1);
        _exit(0);
      }
      next += 1000;
      if (next > 1000000) _exit(2);
    }
    _exit(3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  int64_t acknowledged = 0;
  ASSERT_EQ(read(channel[0], &acknowledged, sizeof acknowledged),
            static_cast<ssize_t>(sizeof acknowledged));
  close(channel[0]);
  close(channel[1]);
  auto broker = MustOpen();
  ASSERT_NE(broker, nullptr);
  EXPECT_GE(*CountNumbers(*broker), acknowledged);
  ASSERT_TRUE(Append(*broker, *CountNumbers(*broker), 1000).ok());
}

}  // namespace
}  // namespace weir
