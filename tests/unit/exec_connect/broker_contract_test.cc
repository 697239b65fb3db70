// What every broker promises, run against the ones in memory and in a directory.

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "exec/connect/topic.h"

namespace weir {
namespace {

class BrokerContractTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    directory_ = std::filesystem::temp_directory_path() /
                 ("weir_broker_" + std::to_string(getpid()) + "_" +
                  testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(directory_);
    Open();
  }
  void TearDown() override {
    session_.reset();
    broker_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Open() {
    broker_.reset();
    BrokerOptions options;
    options.directory = directory_.string();
    auto broker = GetParam() == "memory" ? OpenMemoryBroker() : OpenLocalBroker(options);
    ASSERT_TRUE(broker.ok()) << broker.status().ToString();
    broker_ = std::move(*broker);
  }
  void CreateTopic(const std::string& name, int32_t partitions, int64_t retention_ms = -1) {
    const Status status = broker_->CreateTopic(
        {.name = name, .partitions = partitions, .retention_ms = retention_ms});
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  static void Add(RecordBatchBuilder& records, std::string_view key, std::string_view value,
                  int64_t time = 0, std::string_view headers = {}) {
    records.AddCopy(&key, &value, headers, time);
  }
  void Append(const std::string& topic, int32_t partition, std::vector<std::string> values,
              int64_t time = 0) {
    RecordBatchBuilder records;
    for (const std::string& value : values) Add(records, "k" + value, value, time);
    const Status status = broker_->AppendDurably(topic, partition, records);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  std::unique_ptr<PartitionReader> Reader(const std::string& topic, int32_t partition,
                                          StartPosition start = {}) {
    if (session_ == nullptr) session_ = std::move(*broker_->OpenReadSession("test"));
    auto reader = session_->Open(topic, partition, start);
    EXPECT_TRUE(reader.ok()) << reader.status().ToString();
    return std::move(*reader);
  }
  static std::vector<std::string> ReadAll(PartitionReader& reader, int32_t rows_max = 4096) {
    std::vector<std::string> values;
    RecordBatch batch;
    int64_t expected = -1;
    while (true) {
      const Status status = reader.Fetch(rows_max, 1 << 20, batch);
      EXPECT_TRUE(status.ok()) << status.ToString();
      if (!status.ok() || batch.size() == 0) return values;
      EXPECT_LE(batch.size(), rows_max);
      for (int32_t row = 0; row < batch.size(); ++row) {
        const auto at = static_cast<size_t>(row);
        values.emplace_back(batch.View(batch.values[at]));
        if (!batch.keys[at].is_null()) {
          EXPECT_EQ(batch.View(batch.keys[at]), "k" + values.back());
        }
        if (expected >= 0) {
          EXPECT_EQ(batch.offsets[at], expected);
        }
        expected = batch.offsets[at] + 1;
      }
      EXPECT_EQ(reader.position(), expected);
    }
  }

  std::filesystem::path directory_;
  std::unique_ptr<Broker> broker_;
  std::unique_ptr<ReadSession> session_;
};

TEST_P(BrokerContractTest, KeepsTopics) {
  CreateTopic("a", 2);
  CreateTopic("b.c-d_1", 1);
  EXPECT_EQ(broker_->CreateTopic({.name = "a", .partitions = 1}).code(), ErrorCode::kAlreadyExists);
  EXPECT_EQ(broker_->CreateTopic({.name = "no/slash", .partitions = 1}).code(),
            ErrorCode::kInvalidOption);
  EXPECT_EQ(broker_->DescribeTopic("a")->partitions, 2);
  EXPECT_EQ(broker_->DescribeTopic("x").status().code(), ErrorCode::kUnknownTopic);
  EXPECT_EQ(broker_->ListTopics()->size(), 2u);
  EXPECT_EQ(*broker_->EndOffsets("a"), (std::vector<int64_t>{0, 0}));
  EXPECT_TRUE(broker_->DeleteTopic("a").ok());
  EXPECT_EQ(broker_->DeleteTopic("a").code(), ErrorCode::kUnknownTopic);
  EXPECT_EQ(broker_->EndOffsets("a").status().code(), ErrorCode::kUnknownTopic);
  CreateTopic("a", 1);
  EXPECT_EQ(*broker_->EndOffsets("a"), (std::vector<int64_t>{0}));
}

TEST_P(BrokerContractTest, GivesRecordsBackInOrder) {
  CreateTopic("t", 2);
  std::vector<std::string> all;
  for (int i = 0; i < 300; ++i) {
    std::vector<std::string> values;
    for (int j = 0; j < 1 + i % 5; ++j)
      values.push_back(std::to_string(all.size() + values.size()));
    Append("t", 1, values);
    all.insert(all.end(), values.begin(), values.end());
  }
  std::vector<std::string> large;
  for (int j = 0; j < 6000; ++j) {
    large.push_back("large " + std::string(200, 'x') + std::to_string(j));
  }
  Append("t", 1, large);
  all.insert(all.end(), large.begin(), large.end());
  for (int32_t rows_max : {1, 7, 4096}) {
    auto reader = Reader("t", 1);
    EXPECT_FALSE(reader->caught_up());
    EXPECT_EQ(ReadAll(*reader, rows_max), all);
    EXPECT_TRUE(reader->caught_up());
    EXPECT_EQ(reader->end_offset(), static_cast<int64_t>(all.size()));
  }
  EXPECT_TRUE(ReadAll(*Reader("t", 0)).empty());
  for (size_t from : {0u, 1u, 299u, 900u, 3000u, 6899u}) {
    auto reader = Reader("t", 1, {StartPosition::Kind::kOffset, static_cast<int64_t>(from)});
    EXPECT_EQ(ReadAll(*reader),
              std::vector<std::string>(all.begin() + static_cast<long>(from), all.end()));
  }
  EXPECT_TRUE(ReadAll(*Reader("t", 1, {StartPosition::Kind::kLatest})).empty());
}

TEST_P(BrokerContractTest, KeepsNullsHeadersAndTimes) {
  CreateTopic("t", 1);
  RecordBatchBuilder records;
  const std::string_view text = "x";
  records.AddCopy(&text, nullptr, "", 5);
  records.AddCopy(nullptr, &text, "hhh", -7);
  records.AddCopy(nullptr, nullptr, "", 6);
  ASSERT_TRUE(broker_->AppendDurably("t", 0, records).ok());
  auto reader = Reader("t", 0);
  RecordBatch batch;
  ASSERT_TRUE(reader->Fetch(10, 1000, batch).ok());
  ASSERT_EQ(batch.size(), 3);
  EXPECT_EQ(batch.timestamps, (std::vector<int64_t>{5, -7, 6}));
  EXPECT_TRUE(batch.values[0].is_null());
  EXPECT_TRUE(batch.keys[1].is_null());
  EXPECT_TRUE(batch.keys[2].is_null() && batch.values[2].is_null());
  ASSERT_EQ(batch.headers.size(), 3u);
  EXPECT_EQ(batch.View(batch.headers[1]), "hhh");
  EXPECT_TRUE(batch.headers[0].is_null());
}

TEST_P(BrokerContractTest, FindsTimestamps) {
  CreateTopic("t", 1);
  for (int i = 0; i < 50; ++i) Append("t", 0, {std::to_string(i)}, i * 10);
  for (const auto& [time, first] :
       std::vector<std::pair<int64_t, std::string>>{{0, "0"}, {1, "1"}, {250, "25"}, {490, "49"}}) {
    auto reader = Reader("t", 0, {StartPosition::Kind::kTimestamp, time});
    EXPECT_EQ(ReadAll(*reader).front(), first);
  }
  EXPECT_TRUE(ReadAll(*Reader("t", 0, {StartPosition::Kind::kTimestamp, 491})).empty());
}

TEST_P(BrokerContractTest, CommitsAllOrNothing) {
  CreateTopic("t", 1);
  auto unit = broker_->NewCommitUnit("q");
  RecordBatchBuilder records;
  Add(records, "k1", "1");
  ASSERT_TRUE(unit->Append("t", 0, records).ok());
  EXPECT_EQ(records.size(), 0);
  unit->Put("a", "1");
  unit->Put("b", "2");
  unit->Put("c", "3");
  EXPECT_GT(unit->byte_size(), 0u);
  EXPECT_FALSE(*broker_->state().Get("a"));
  EXPECT_EQ(*broker_->EndOffsets("t"), (std::vector<int64_t>{0}));
  ASSERT_TRUE(unit->Commit().ok());
  EXPECT_EQ(unit->byte_size(), 0u);
  EXPECT_EQ(**broker_->state().Get("a"), "1");
  EXPECT_EQ(*broker_->EndOffsets("t"), (std::vector<int64_t>{1}));

  Add(records, "k2", "2");
  ASSERT_TRUE(unit->Append("t", 0, records).ok());
  Add(records, "k2", "2");
  ASSERT_TRUE(unit->Append("missing", 0, records).ok());
  unit->Put("a", "changed");
  EXPECT_EQ(unit->Commit().code(), ErrorCode::kUnknownTopic);
  EXPECT_EQ(**broker_->state().Get("a"), "1");
  EXPECT_EQ(*broker_->EndOffsets("t"), (std::vector<int64_t>{1}));
  CreateTopic("missing", 1);
  EXPECT_TRUE(unit->Commit().ok());
  EXPECT_EQ(*broker_->EndOffsets("t"), (std::vector<int64_t>{2}));
}

TEST_P(BrokerContractTest, KeepsState) {
  auto unit = broker_->NewCommitUnit("q");
  for (int i = 0; i < 10; ++i) unit->Put("k" + std::to_string(i), std::to_string(i));
  unit->Delete("k3");
  unit->DeleteRange("k5", "k7");
  unit->DeleteRange("k9", "k1");
  ASSERT_TRUE(unit->Commit().ok());
  auto scan = [&](std::string_view from, std::string_view to) {
    std::string seen;
    EXPECT_TRUE(broker_->state()
                    .Scan(from, to,
                          [&](std::string_view key, std::string_view value) {
                            seen += std::string(key) + "=" + std::string(value) + " ";
                            return true;
                          })
                    .ok());
    return seen;
  };
  EXPECT_EQ(scan("", ""), "k0=0 k1=1 k2=2 k4=4 k7=7 k8=8 k9=9 ");
  EXPECT_EQ(scan("k1", "k4"), "k1=1 k2=2 ");
  std::vector<std::optional<std::string>> values;
  ASSERT_TRUE(broker_->state().MultiGet({"k0", "k3", "k9", "x"}, values).ok());
  EXPECT_EQ(values,
            (std::vector<std::optional<std::string>>{"0", std::nullopt, "9", std::nullopt}));
  unit->DeleteRange("k7", "");
  ASSERT_TRUE(unit->Commit().ok());
  EXPECT_EQ(scan("", ""), "k0=0 k1=1 k2=2 k4=4 ");
}

// Random commits; each snapshot gives what was there when it was made, in any order of letting go,
// and a unit what its commit makes.
TEST_P(BrokerContractTest, SnapshotsStayAsTheyWere) {
  using Entries = std::map<std::string, std::string>;
  std::mt19937 random(5);
  Entries now;
  std::vector<std::pair<std::shared_ptr<const StateReader>, Entries>> snapshots;
  const auto check = [](const StateReader& state, const Entries& wanted) {
    Entries seen;
    ASSERT_TRUE(state
                    .Scan("", "",
                          [&](std::string_view key, std::string_view value) {
                            seen.emplace(key, value);
                            return true;
                          })
                    .ok());
    ASSERT_EQ(seen, wanted);
    seen.clear();
    ASSERT_TRUE(state
                    .Scan("k1200", "k1400",
                          [&](std::string_view key, std::string_view value) {
                            seen.emplace(key, value);
                            return seen.size() < 20;
                          })
                    .ok());
    Entries part(wanted.lower_bound("k1200"), wanted.lower_bound("k1400"));
    while (part.size() > 20) part.erase(std::prev(part.end()));
    ASSERT_EQ(seen, part);
    std::vector<std::string> keys;
    for (int i = 0; i < 600; i += 7) keys.push_back("k" + std::to_string(1000 + i));
    std::vector<std::optional<std::string>> values;
    ASSERT_TRUE(state.MultiGet(keys, values).ok());
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto found = wanted.find(keys[i]);
      ASSERT_EQ(values[i].has_value(), found != wanted.end());
      ASSERT_TRUE(!values[i] || *values[i] == found->second);
      ASSERT_EQ(*state.Get(keys[i]), values[i]);
    }
  };
  for (int commit = 0; commit < 120; ++commit) {
    auto unit = broker_->NewCommitUnit("q");
    for (int change = 0; change < 60; ++change) {
      const std::string key = "k" + std::to_string(1000 + random() % 600);
      const uint32_t what = random() % 40;
      if (what == 0) {
        const std::string to = "k" + std::to_string(1000 + random() % 600);
        unit->DeleteRange(key, to);
        if (key < to) now.erase(now.lower_bound(key), now.lower_bound(to));
      } else if (what < 12) {
        unit->Delete(key);
        now.erase(key);
      } else {
        const std::string value = std::to_string(commit) + "-" + std::to_string(change);
        unit->Put(key, value);
        now[key] = value;
      }
    }
    // As it will be, before and after that.
    const std::shared_ptr<const StateReader> pending = unit->Over(broker_->state());
    ASSERT_NO_FATAL_FAILURE(check(*pending, now));
    ASSERT_TRUE(unit->Commit().ok());
    ASSERT_NO_FATAL_FAILURE(check(*pending, now));
    if (random() % 3 == 0) snapshots.emplace_back(broker_->state().Snapshot(), now);
    while (snapshots.size() > random() % 9) {
      const size_t one = random() % snapshots.size();
      ASSERT_NO_FATAL_FAILURE(check(*snapshots[one].first, snapshots[one].second));
      snapshots.erase(snapshots.begin() + static_cast<std::ptrdiff_t>(one));
    }
    ASSERT_NO_FATAL_FAILURE(check(broker_->state(), now));
  }
}

TEST_P(BrokerContractTest, WakesReaders) {
  CreateTopic("t", 1);
  std::atomic<int> woken = 0;
  auto session = std::move(*broker_->OpenReadSession("test"));
  session->SetListener([&] { ++woken; });
  Append("t", 0, {"1"});
  EXPECT_EQ(woken, 1);
  session.reset();
  Append("t", 0, {"2"});
  EXPECT_EQ(woken, 1);
}

TEST_P(BrokerContractTest, TrimsByTheHighestTimestamp) {
  CreateTopic("t", 1, 1000);
  for (int i = 0; i < 100; ++i) Append("t", 0, {std::to_string(i)}, i * 100);
  auto reader = Reader("t", 0);
  const int64_t first = reader->position();
  EXPECT_GT(first, 50);
  EXPECT_LE(first, 90);
  EXPECT_EQ(ReadAll(*reader).back(), "99");
  auto old_reader = Reader("t", 0, {StartPosition::Kind::kOffset, 0});
  RecordBatch batch;
  EXPECT_EQ(old_reader->Fetch(10, 1000, batch).code(), ErrorCode::kOffsetOutOfRange);
}

TEST_P(BrokerContractTest, RefusesUnknownPlaces) {
  CreateTopic("t", 1);
  RecordBatchBuilder records;
  Add(records, "k1", "1");
  EXPECT_EQ(broker_->AppendDurably("x", 0, records).code(), ErrorCode::kUnknownTopic);
  Add(records, "k1", "1");
  EXPECT_EQ(broker_->AppendDurably("t", 1, records).code(), ErrorCode::kUnknownTopic);
  auto session = std::move(*broker_->OpenReadSession("test"));
  EXPECT_EQ(session->Open("x", 0, {}).status().code(), ErrorCode::kUnknownTopic);
  EXPECT_EQ(session->Open("t", 3, {}).status().code(), ErrorCode::kUnknownTopic);
}

TEST_P(BrokerContractTest, ReadsWhileOthersAppend) {
  CreateTopic("t", 1);
  std::thread writer([&] {
    for (int i = 0; i < 200; ++i) Append("t", 0, {std::to_string(i), std::to_string(i)});
  });
  auto reader = Reader("t", 0);
  size_t count = 0;
  while (count < 400) count += ReadAll(*reader, 7).size();
  writer.join();
  EXPECT_TRUE(reader->caught_up());
}

INSTANTIATE_TEST_SUITE_P(Brokers, BrokerContractTest, testing::Values("memory", "local"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace weir
