// Exactly once on Kafka: what a transaction shows and hides, who may go on with it, and the
// requests that look past open transactions.

#include <atomic>
#include <thread>

#include "tests/broker/support/kafka_copies.h"
#include "tests/broker/support/wait_until.h"

namespace weir {
namespace {

using testing::Member;
using Texts = std::vector<std::string>;

class KafkaTransactionTest : public testing::KafkaCopiesTest {
 protected:
  void SetUp() override {
    KafkaCopiesTest::SetUp();
    if (kafka_ == nullptr) return;
    broker_ = Open();
    topic_ = MakeTopic(2);
  }
  void TearDown() override {
    broker_.reset();
    KafkaCopiesTest::TearDown();
  }
  std::unique_ptr<CommitUnit> NewUnit(const std::string& query = "q") {
    return broker_->NewCommitUnit(query, Guarantee::kExactlyOnce);
  }
  std::string Get(const std::string& key) {
    auto value = broker_->state().Get(key);
    EXPECT_TRUE(value.ok()) << value.status().ToString();
    return value->value_or("nothing");
  }

  std::unique_ptr<Broker> broker_;
  std::string topic_;
};

TEST_F(KafkaTransactionTest, CommitsOutputsPositionsAndState) {
  const std::string partner = MakeTopic(2);
  const std::string name = application_ + "-q-0";
  Member member = Join(*broker_, name, topic_);
  ASSERT_TRUE(ServeUntil({&member}, [&] { return member.partitions.size() == 2; }));
  auto unit = NewUnit();
  ASSERT_TRUE(Append(*unit, topic_, {"a", "b"}).ok());
  ASSERT_TRUE(Append(*unit, topic_, {"c"}, 1).ok());
  RecordBatchBuilder last = Records({"d"});
  ASSERT_TRUE(unit->AppendLast(topic_, 1, last).ok());
  ASSERT_TRUE(unit->AddOffset(*member.group, {topic_, 0, 5, "note"}).ok());
  ASSERT_TRUE(unit->AddOffset(*member.group, {partner, 1, 6, ""}).ok());
  unit->Put("key", "value");
  ASSERT_TRUE(unit->PutWrittenOffset("written", topic_, 1).ok());
  EXPECT_EQ(Values(topic_), Texts{});
  EXPECT_EQ(Get("key"), "nothing");

  const Status committed = unit->Commit();
  ASSERT_TRUE(committed.ok()) << committed.ToString();
  EXPECT_EQ(Values(topic_), (Texts{"a", "b", "c", "d"}));
  EXPECT_EQ(Get("key"), "value");
  EXPECT_EQ(Get("written"), std::string("\2\0\0\0\0\0\0\0", 8));
  const auto offsets = member.group->Committed(topic_, {0});
  ASSERT_TRUE(offsets.ok() && (*offsets)[0].has_value());
  EXPECT_EQ((*offsets)[0]->next, 5);
  EXPECT_EQ((*offsets)[0]->metadata, "note");
  EXPECT_EQ((*broker_->CommittedOffsets(name, partner, 2))[1]->next, 6);

  // The unit goes on, as does the next one with the same producer.
  ASSERT_TRUE(Append(*unit, topic_, {"e"}).ok());
  ASSERT_TRUE(unit->Commit().ok());
  ASSERT_TRUE(unit->Commit().ok());  // Nothing to do.
  unit = NewUnit();
  ASSERT_TRUE(Append(*unit, topic_, {"f"}).ok());
  ASSERT_TRUE(unit->Commit().ok());
  EXPECT_EQ(Values(topic_), (Texts{"a", "b", "e", "f", "c", "d"}));
  EXPECT_EQ(broker_->TransactionCountsOf("q").committed, 3);
  EXPECT_EQ(broker_->TransactionCountsOf("q").aborted, 0);
}

TEST_F(KafkaTransactionTest, AUnitThatIsLetGoLeavesNoTrace) {
  auto unit = NewUnit();
  ASSERT_TRUE(Append(*unit, topic_, {"lost"}).ok());
  unit->Put("key", "value");
  auto next = NewUnit();  // Made before the old one is gone, as an assignment does.
  unit.reset();
  ASSERT_TRUE(Append(*next, topic_, {"kept"}).ok());
  const Status committed = next->Commit();
  ASSERT_TRUE(committed.ok()) << committed.ToString();
  EXPECT_EQ(Values(topic_), Texts{"kept"});
  EXPECT_EQ(Get("key"), "nothing");
  EXPECT_EQ(broker_->TransactionCountsOf("q").committed, 1);
  EXPECT_EQ(broker_->TransactionCountsOf("q").aborted, 1);
}

TEST_F(KafkaTransactionTest, ASecondProducerWithTheIdFencesTheFirst) {
  auto unit = NewUnit();
  ASSERT_TRUE(Append(*unit, topic_, {"a"}).ok());
  ASSERT_TRUE(unit->Commit().ok());
  ASSERT_TRUE(Append(*unit, topic_, {"lost"}).ok());
  unit->Put("key", "value");

  // The same copy opened from a copy of its store, as after a crash that was none.
  const auto stolen = state_dir_ / "stolen";
  const auto original = state_dir_ / application_ / "0";
  std::filesystem::create_directories(stolen / application_);
  std::filesystem::copy(original, stolen / application_ / "0",
                        std::filesystem::copy_options::recursive);
  BrokerOptions options;
  options.brokers = kafka_->address();
  options.application_id = application_;
  options.state_dir = stolen.string();
  auto second = OpenKafkaBroker(options);
  ASSERT_TRUE(second.ok()) << second.status().ToString();
  auto theirs = (*second)->NewCommitUnit("q", Guarantee::kExactlyOnce);
  ASSERT_TRUE(Append(*theirs, topic_, {"b"}).ok());
  ASSERT_TRUE(theirs->Commit().ok());

  const Status fenced = unit->Commit();
  EXPECT_EQ(fenced.code(), ErrorCode::kFenced) << fenced.ToString();
  EXPECT_EQ(Get("key"), "nothing");
  EXPECT_EQ(Values(topic_), (Texts{"a", "b"}));
  // The next unit has a producer of its own, and the id back.
  unit = NewUnit();
  ASSERT_TRUE(Append(*unit, topic_, {"c"}).ok());
  const Status committed = unit->Commit();
  EXPECT_TRUE(committed.ok()) << committed.ToString();
  EXPECT_EQ(Values(topic_), (Texts{"a", "b", "c"}));
}

TEST_F(KafkaTransactionTest, TellsTheEndPastOpenTransactions) {
  auto unit = NewUnit();
  ASSERT_TRUE(Append(*unit, topic_, {"a", "b"}).ok());
  const auto deadline = Clock::now() + std::chrono::minutes(1);
  testing::WaitUntil(std::chrono::minutes(1), [&] { return *broker_->WriteEnd(topic_, 0) >= 2; });
  EXPECT_EQ(*broker_->WriteEnd(topic_, 0), 2);
  EXPECT_EQ((*broker_->EndOffsets(topic_))[0], 0);
  EXPECT_EQ(*broker_->WriteEnd(topic_, 1), 0);
  auto session = broker_->OpenReadSession("r");
  auto reader = (*session)->Open(topic_, 0, {});
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  ASSERT_TRUE(unit->Commit().ok());
  RecordBatch batch;
  int32_t rows = 0;
  // Two records and the mark behind them.
  while ((*reader)->position() < 3 && Clock::now() < deadline) {
    ASSERT_TRUE((*reader)->Fetch(100, 1 << 20, batch).ok());
    rows += batch.size();
  }
  EXPECT_EQ(rows, 2);
  EXPECT_EQ(*broker_->WriteEnd(topic_, 0), 3);
}

TEST_F(KafkaTransactionTest, ARecordThatIsTooLargeIsAnErrorAtOnce) {
  const std::string small = kafka_->NewName("small");
  ASSERT_TRUE(kafka_->CreateTopic(small, 1, {{"max.message.bytes", "2000"}}).ok());
  // Bytes that do not compress, though no codec is on.
  const std::string huge(2'000'000, 'x');
  const std::string large(5'000, 'x');
  for (const Guarantee guarantee : {Guarantee::kAtLeastOnce, Guarantee::kExactlyOnce}) {
    auto unit = broker_->NewCommitUnit("q", guarantee);
    unit->Put("key", "value");
    EXPECT_EQ(Append(*unit, topic_, {huge}).code(), ErrorCode::kRecordTooLarge);
    EXPECT_EQ(unit->Commit().code(), ErrorCode::kRecordTooLarge);
    unit = broker_->NewCommitUnit("q", guarantee);
    unit->Put("key", "value");
    ASSERT_TRUE(Append(*unit, small, {"fits"}).ok());
    ASSERT_TRUE(Append(*unit, small, {large}).ok());
    const Status refused = unit->Commit();
    EXPECT_EQ(refused.code(), ErrorCode::kRecordTooLarge) << refused.ToString();
    EXPECT_EQ(Get("key"), "nothing");
    unit = broker_->NewCommitUnit("q", guarantee);
    ASSERT_TRUE(Append(*unit, topic_, {"fits"}).ok());
    const Status fits = unit->Commit();
    EXPECT_TRUE(fits.ok()) << fits.ToString();
  }
  EXPECT_EQ(Values(topic_), (Texts{"fits", "fits"}));
}

TEST_F(KafkaTransactionTest, DeletesRecordsAndWritesStateInBulk) {
  RecordBatchBuilder records = Records({"a", "b", "c"});
  ASSERT_TRUE(broker_->AppendDurably(topic_, 1, records).ok());
  const Status deleted = broker_->DeleteRecordsBefore(topic_, {{1, 2}});
  ASSERT_TRUE(deleted.ok()) << deleted.ToString();
  EXPECT_EQ(Values(topic_), Texts{"c"});

  auto unit = broker_->NewStateUnit();
  ASSERT_TRUE(unit.ok());
  (*unit)->Put("bulk", "value");
  ASSERT_TRUE((*unit)->Commit().ok());
  EXPECT_EQ(Get("bulk"), "value");
}

// Few entries go through the log, many come as a table file; the later of both counts.
TEST_F(KafkaTransactionTest, LoadsSortedState) {
  std::vector<std::string> keys;
  for (int i = 10'000; i < 60'000; ++i) keys.push_back("load" + std::to_string(i));
  const std::string value(100, 'v');
  std::vector<StateEntry> many;
  for (const std::string& key : keys) many.push_back({key, value});
  Status loaded = broker_->LoadState({{keys[0], "old"}, {keys[1], "old"}});
  ASSERT_TRUE(loaded.ok()) << loaded.ToString();
  EXPECT_EQ(Get(keys[1]), "old");
  many[1].value.reset();
  loaded = broker_->LoadState(many);
  ASSERT_TRUE(loaded.ok()) << loaded.ToString();
  EXPECT_EQ(Get(keys[0]), value);
  EXPECT_EQ(Get(keys[1]), "nothing");
  EXPECT_EQ(Get(keys.back()), value);
  loaded = broker_->LoadState({{keys[0], "new"}, {keys[2], std::nullopt}});
  ASSERT_TRUE(loaded.ok()) << loaded.ToString();
  EXPECT_EQ(Get(keys[0]), "new");
  EXPECT_EQ(Get(keys[2]), "nothing");
  int64_t left = 0;
  ASSERT_TRUE(broker_->state()
                  .Scan("load", "loae",
                        [&](std::string_view, std::string_view) {
                          ++left;
                          return true;
                        })
                  .ok());
  EXPECT_EQ(left, static_cast<int64_t>(keys.size()) - 2);
}

TEST_F(KafkaTransactionTest, TellsWhenATopicTookARecord) {
  const std::string stamped = kafka_->NewName("stamped");
  ASSERT_TRUE(kafka_->CreateTopic(stamped, 1, {{"message.timestamp.type", "LogAppendTime"}}).ok());
  for (const std::string& name : {topic_, stamped}) {
    RecordBatchBuilder records = Records({"a", "b"});
    ASSERT_TRUE(broker_->AppendDurably(name, 0, records).ok());
    auto session = broker_->OpenReadSession("r");
    auto reader = (*session)->Open(name, 0, {});
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    RecordBatch batch;
    const auto deadline = Clock::now() + std::chrono::minutes(1);
    while (batch.size() == 0 && Clock::now() < deadline) {
      ASSERT_TRUE((*reader)->Fetch(100, 1 << 20, batch).ok());
    }
    if (name == topic_) {
      EXPECT_TRUE(batch.append_times.empty());
      EXPECT_EQ(batch.timestamps[0], 5);
    } else {
      EXPECT_EQ(batch.append_times, batch.timestamps);
      EXPECT_GT(batch.append_times[0], 1'000'000'000'000);
    }
  }
}

TEST_F(KafkaTransactionTest, CopiesMakeATopicAtOnce) {
  const std::string name = application_ + "-q-changelog";
  std::vector<std::thread> copies;
  std::atomic<int> made{0};
  std::atomic<int> found{0};
  for (int i = 0; i < 4; ++i) {
    copies.emplace_back([&] {
      auto broker = Open();
      const Status status =
          broker->CreateTopic({.name = name, .partitions = 3, .compacted = true, .internal = true});
      if (status.ok()) ++made;
      if (status.code() == ErrorCode::kAlreadyExists) ++found;
      EXPECT_EQ(broker->DescribeTopic(name)->partitions, 3);
    });
  }
  for (std::thread& copy : copies) copy.join();
  EXPECT_EQ(made, 1);
  EXPECT_EQ(found, 3);
  EXPECT_TRUE(broker_->DescribeTopic(name)->compacted);
}

}  // namespace
}  // namespace weir
