// Journals of tasks that copies share: what a copy writes, another one restores, whoever else has
// written meanwhile.

#include <map>

#include <gtest/gtest.h>

#include "base/status_macros.h"
#include "exec/runtime/internal_topics.h"
#include "exec/runtime/task/task_context.h"
#include "exec/runtime/task/task_journal.h"

namespace weir {
namespace {

using Offsets = std::map<std::pair<std::string, int32_t>, GroupOffset>;

class FakeGroup final : public PartitionGroup {
 public:
  explicit FakeGroup(Offsets& offsets) : offsets_(offsets) {}
  Result<std::optional<Change>> Poll() override { return std::optional<Change>(); }
  Status Accept(const Change&) override { return OkStatus(); }
  Result<std::vector<std::optional<GroupOffset>>> Committed(
      std::string_view topic, const std::vector<int32_t>& partitions) override {
    std::vector<std::optional<GroupOffset>> found;
    for (int32_t partition : partitions) {
      auto it = offsets_.find({std::string(topic), partition});
      found.push_back(it == offsets_.end() ? std::nullopt : std::optional(it->second));
    }
    return found;
  }
  std::string_view name() const override { return "app-Q-0"; }
  Offsets& offsets_;
};

// The topics of all copies, and one copy's own state.
class FakeCopy final : public Broker {
 public:
  FakeCopy(Broker& topics, Offsets& offsets)
      : topics_(topics), offsets_(offsets), own_(std::move(*OpenMemoryBroker())) {}

  class Unit final : public CommitUnit {
   public:
    explicit Unit(FakeCopy& copy)
        : copy_(copy),
          outputs_(copy.topics_.NewCommitUnit("q")),
          last_(copy.topics_.NewCommitUnit("q")),
          state_(copy.own_->NewCommitUnit("q")) {}
    Status Append(std::string_view topic, int32_t partition, RecordBatchBuilder& records) override {
      return outputs_->Append(topic, partition, records);
    }
    Status AppendLast(std::string_view topic, int32_t partition,
                      RecordBatchBuilder& records) override {
      return last_->Append(topic, partition, records);
    }
    Status AddOffset(PartitionGroup&, GroupOffset offset) override {
      const auto place = std::make_pair(offset.topic, offset.partition);
      offsets_[place] = std::move(offset);
      return OkStatus();
    }
    Status PutWrittenOffset(std::string_view key, std::string_view topic,
                            int32_t partition) override {
      written_.push_back({std::string(key), std::string(topic), partition});
      return OkStatus();
    }
    void Put(std::string_view key, std::string_view value) override { state_->Put(key, value); }
    void Delete(std::string_view key) override { state_->Delete(key); }
    void DeleteRange(std::string_view from, std::string_view to) override {
      state_->DeleteRange(from, to);
    }
    void PutLast(std::string_view key, std::string_view value) override {
      state_->PutLast(key, value);
    }
    size_t byte_size() const override { return 0; }
    std::shared_ptr<const StateReader> Over(const StateReader& below) const override {
      return state_->Over(below);
    }
    Status Commit() override {
      EXPECT_TRUE(outputs_->Commit().ok());
      if (copy_.dies_before_marker) return Status(ErrorCode::kCancelled, "died");
      EXPECT_TRUE(last_->Commit().ok());
      for (const auto& [place, offset] : offsets_) copy_.offsets_[place] = offset;
      for (const auto& [key, topic, partition] : written_) {
        const int64_t end = (*copy_.topics_.EndOffsets(topic))[partition];
        state_->Put(key, std::string_view(reinterpret_cast<const char*>(&end), sizeof(end)));
      }
      written_.clear();
      return state_->Commit();
    }

   private:
    struct Written {
      std::string key, topic;
      int32_t partition;
    };
    FakeCopy& copy_;
    std::unique_ptr<CommitUnit> outputs_, last_, state_;
    Offsets offsets_;
    std::vector<Written> written_;
  };

  Status CreateTopic(const TopicInfo& info) override { return topics_.CreateTopic(info); }
  Status DeleteTopic(std::string_view name) override { return topics_.DeleteTopic(name); }
  Result<TopicInfo> DescribeTopic(std::string_view name) override {
    return topics_.DescribeTopic(name);
  }
  Result<std::vector<TopicInfo>> ListTopics() override { return topics_.ListTopics(); }
  Result<std::vector<int64_t>> EndOffsets(std::string_view topic) override {
    return topics_.EndOffsets(topic);
  }
  Result<std::unique_ptr<ReadSession>> OpenReadSession(std::string_view name) override {
    return topics_.OpenReadSession(name);
  }
  std::unique_ptr<CommitUnit> NewCommitUnit(std::string_view, Guarantee) override {
    return std::make_unique<Unit>(*this);
  }
  StateBackend& state() override { return own_->state(); }
  Status AppendDurably(std::string_view topic, int32_t partition,
                       RecordBatchBuilder& records) override {
    return topics_.AppendDurably(topic, partition, records);
  }
  std::string_view kind() const override { return "kafka"; }
  bool shares_work() const override { return true; }
  std::string_view application_id() const override { return "app"; }
  Result<std::unique_ptr<CommitUnit>> NewStateUnit() override {
    return own_->NewCommitUnit("state");
  }
  Status LoadState(const std::vector<StateEntry>& sorted) override {
    const auto unit = own_->NewCommitUnit("state");
    for (size_t i = 0; i < sorted.size(); ++i) {
      EXPECT_TRUE(i == 0 || sorted[i - 1].key < sorted[i].key);
      if (sorted[i].value) {
        unit->Put(sorted[i].key, *sorted[i].value);
      } else {
        unit->Delete(sorted[i].key);
      }
    }
    return unit->Commit();
  }
  Result<int64_t> WriteEnd(std::string_view topic, int32_t partition) override {
    return (*topics_.EndOffsets(topic))[partition];
  }
  Status Close() override { return OkStatus(); }

  bool dies_before_marker = false;

 private:
  Broker& topics_;
  Offsets& offsets_;
  std::unique_ptr<Broker> own_;
};

struct SteadyTime final : Clock {
  int64_t NowMs() const override { return 1000; }
};

// A copy with the journal of one task.
class Copy {
 public:
  Copy(Broker& topics, Offsets& offsets, bool stateful, Guarantee guarantee)
      : broker_(topics, offsets), group_(offsets) {
    env_.id = "Q";
    env_.state_prefix = "q/Q/";
    env_.broker = {std::shared_ptr<Broker>(), &broker_};  // Not owned.
    env_.clock = &clock_;
    env_.settings.guarantee = guarantee;
    env_.root_ids = {"Q"};
    env_.fingerprint = 42;
    env_.shared = true;
    env_.groups = {&group_};
    env_.generations.resize(1);
    auto source = std::make_shared<physical::TopicSource>();
    source->source_name = "S";
    source->topic = "s";
    auto sink = std::make_shared<physical::TopicSink>();
    sink->is_table = stateful;
    sink->inputs = {source};
    env_.stages.sources.push_back({source, {}, 1, "S"});
    StagePlan stage;
    stage.partitions = 1;
    stage.sources = {0};
    stage.roots = {{sink, 0}};
    env_.stages.stages.push_back(std::move(stage));
  }

  // Takes the task in, as of a generation of the group.
  Status Start(int32_t generation) {
    if (Status opened = Open(); !opened.ok()) return opened;
    return TakeIn(generation);
  }
  // Follows the task of another copy to what there is now.
  Status Follow() {
    bool worked = true;
    if (journal_ == nullptr) {
      if (Status opened = Open(); !opened.ok()) return opened;
    }
    while (worked) {
      worked = false;
      if (Status status = journal_->Follow(&worked); !status.ok()) return status;
    }
    return OkStatus();
  }
  // Behind Follow.
  Status TakeIn(int32_t generation) {
    env_.generations[0][0] = generation;
    for (int i = 0; i < 100; ++i) {
      bool worked = false, done = false;
      if (Status status = journal_->Restore(&worked, &done); !status.ok() || done) return status;
    }
    return Status(ErrorCode::kInternal, "the journal does not get ready");
  }
  Status Open() {
    env_.commit = broker_.NewCommitUnit("Q", env_.settings.guarantee);
    env_.ReadCommitted();
    session_ = std::move(*broker_.OpenReadSession("internal"));
    env_.internal_session = session_.get();
    if (Status made = MakeInternalTopics(env_); !made.ok()) return made;
    journal_ = MakeTaskJournal(env_, env_.stages.stages[0], 0);
    return OkStatus();
  }
  void Put(const std::string& key, const std::string& value) {
    journal_->Put(journal_->StorePrefix("Q", "store") + key, value);
  }
  void DeleteRange(const std::string& from, const std::string& to) {
    const std::string prefix = journal_->StorePrefix("Q", "store");
    journal_->DeleteRange(prefix + from, prefix + to);
  }
  Status Commit(int64_t next) {
    InputPosition position;
    position.next = next;
    journal_->SetPosition("S", "s", position);
    if (Status status = journal_->Barrier(); !status.ok()) return status;
    return env_.commit->Commit();
  }
  std::string State() {
    std::string text;
    const std::string prefix = journal_->StorePrefix("Q", "store");
    EXPECT_TRUE(broker_.state()
                    .Scan(prefix, prefix + "\xff",
                          [&](std::string_view key, std::string_view value) {
                            text += std::string(key.substr(prefix.size())) + "=" +
                                    std::string(value) + " ";
                            return true;
                          })
                    .ok());
    const InputPosition* position = journal_->Find("S");
    return text + "@" + (position == nullptr ? "-" : std::to_string(position->next));
  }
  // Opens a store of the task, as an operator does.
  void Open(std::string_view store) {
    env_.counters = {std::make_shared<QueryCounterSet>()};
    env_.state_ids = env_.root_ids;
    RootContext(env_, 0, 0, journal_.get()).Store(store);
  }
  FakeCopy& broker() { return broker_; }
  QueryEnvironment& environment() { return env_; }
  int64_t restored() const { return journal_->progress().restored; }

 private:
  FakeCopy broker_;
  FakeGroup group_;
  SteadyTime clock_;
  QueryEnvironment env_;
  std::unique_ptr<ReadSession> session_;
  std::unique_ptr<TaskJournal> journal_;
};

class TaskJournalTest : public testing::TestWithParam<Guarantee> {
 protected:
  std::unique_ptr<Copy> MakeCopy(bool stateful = true) {
    return std::make_unique<Copy>(*topics_, offsets_, stateful, GetParam());
  }
  std::unique_ptr<Broker> topics_ = std::move(*OpenMemoryBroker());
  Offsets offsets_;
};

#ifdef NDEBUG  // Else a failed check ends the program.
TEST_P(TaskJournalTest, NoStoreIsOpenedThatThePlanDoesNotDeclare) {
  auto copy = MakeCopy();
  ASSERT_TRUE(copy->Start(1).ok());
  copy->environment().declared_stores = {{"view"}};
  EXPECT_NO_THROW(copy->Open("view"));
  EXPECT_THROW(copy->Open("view-2"), CheckFailure);
}
#endif

TEST_P(TaskJournalTest, AnotherCopyRestoresWhatWasCommitted) {
  auto first = MakeCopy();
  ASSERT_TRUE(first->Start(1).ok());
  EXPECT_EQ(first->State(), "@-");
  first->Put("a", "1");
  first->Put("b", "1");
  ASSERT_TRUE(first->Commit(10).ok());
  first->Put("b", "2");
  first->Put("c", "2");
  first->DeleteRange("a", "b");
  ASSERT_TRUE(first->Commit(20).ok());
  EXPECT_EQ(first->State(), "b=2 c=2 @20");
  auto second = MakeCopy();
  ASSERT_TRUE(second->Start(2).ok());
  EXPECT_EQ(second->State(), "b=2 c=2 @20");
}

TEST_P(TaskJournalTest, ARangeTakesWhatTheSameCommitPut) {
  auto first = MakeCopy();
  ASSERT_TRUE(first->Start(1).ok());
  first->Put("a1", "1");
  first->Put("b1", "1");
  first->DeleteRange("a", "b");
  first->Put("a2", "1");
  ASSERT_TRUE(first->Commit(1).ok());
  auto second = MakeCopy();
  ASSERT_TRUE(second->Start(2).ok());
  EXPECT_EQ(second->State(), "a2=1 b1=1 @1");
}

TEST_P(TaskJournalTest, ACopyThatComesBackReadsOnlyTheTail) {
  auto first = MakeCopy();
  ASSERT_TRUE(first->Start(1).ok());
  for (int i = 0; i < 100; ++i) first->Put("k" + std::to_string(i), "1");
  ASSERT_TRUE(first->Commit(100).ok());
  auto second = MakeCopy();
  ASSERT_TRUE(second->Start(2).ok());
  EXPECT_GE(second->restored(), 100);
  second->Put("k0", "2");
  ASSERT_TRUE(second->Commit(101).ok());
  ASSERT_TRUE(first->Start(3).ok());
  EXPECT_LT(first->restored(), 10);
  EXPECT_EQ(first->State(), second->State());
}

TEST_P(TaskJournalTest, ACopyThatFollowedRestoresOnlyTheRest) {
  auto first = MakeCopy();
  ASSERT_TRUE(first->Start(1).ok());
  auto second = MakeCopy();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) first->Put("k" + std::to_string(i), std::to_string(round));
    ASSERT_TRUE(first->Commit(100 * (round + 1)).ok());
    const Status followed = round < 2 ? second->Follow() : OkStatus();
    ASSERT_TRUE(followed.ok()) << followed.ToString();
  }
  ASSERT_TRUE(second->TakeIn(2).ok());
  EXPECT_GE(second->restored(), 100);
  EXPECT_LT(second->restored(), 200);
  EXPECT_EQ(first->State(), second->State());
  second->Put("k0", "mine");
  ASSERT_TRUE(second->Commit(400).ok());
  auto third = MakeCopy();
  ASSERT_TRUE(third->Start(3).ok());
  EXPECT_EQ(third->State(), second->State());
}

TEST_P(TaskJournalTest, AnotherPlansStateIsRefused) {
  auto first = MakeCopy();
  ASSERT_TRUE(first->Start(1).ok());
  ASSERT_TRUE(first->Commit(1).ok());
  auto second = MakeCopy();
  second->environment().fingerprint = 43;
  EXPECT_EQ(second->Start(2).code(), ErrorCode::kPlanChanged);
}

TEST_P(TaskJournalTest, StateThatIsGoneIsNotTakenForNew) {
  auto first = MakeCopy();
  ASSERT_TRUE(first->Start(1).ok());
  first->Put("a", "1");
  ASSERT_TRUE(first->Commit(10).ok());
  ASSERT_TRUE(topics_->DeleteTopic("app-Q-0-changelog").ok());
  auto second = MakeCopy();
  EXPECT_EQ(second->Start(2).code(), ErrorCode::kStateLost);
}

TEST_P(TaskJournalTest, AFewBytesTravelWithTheOffset) {
  auto first = MakeCopy(false);
  ASSERT_TRUE(first->Start(1).ok());
  first->Put("clock", "7");
  ASSERT_TRUE(first->Commit(10).ok());
  EXPECT_EQ(topics_->DescribeTopic("app-Q-0-changelog").status().code(), ErrorCode::kUnknownTopic);
  auto second = MakeCopy(false);
  ASSERT_TRUE(second->Start(2).ok());
  EXPECT_EQ(second->State(), "clock=7 @10");
  // Offsets that somebody else has set count where nothing else is kept.
  offsets_[{"s", 0}].metadata.clear();
  offsets_[{"s", 0}].next = 3;
  auto third = MakeCopy(false);
  ASSERT_TRUE(third->Start(3).ok());
  EXPECT_EQ(third->State(), "@3");
}

INSTANTIATE_TEST_SUITE_P(Guarantees, TaskJournalTest,
                         testing::Values(Guarantee::kAtLeastOnce, Guarantee::kExactlyOnce),
                         [](const auto& info) {
                           return std::string(info.param == Guarantee::kAtLeastOnce
                                                  ? "AtLeastOnce"
                                                  : "ExactlyOnce");
                         });

// Without transactions the log itself says what counts.
class OwnedJournalTest : public testing::Test {
 protected:
  std::unique_ptr<Copy> MakeCopy() {
    return std::make_unique<Copy>(*topics_, offsets_, true, Guarantee::kAtLeastOnce);
  }
  std::unique_ptr<Broker> topics_ = std::move(*OpenMemoryBroker());
  Offsets offsets_;
};

TEST_F(OwnedJournalTest, HalfACommitDoesNotCount) {
  auto first = MakeCopy();
  ASSERT_TRUE(first->Start(1).ok());
  first->Put("a", "1");
  first->Put("b", "1");
  ASSERT_TRUE(first->Commit(10).ok());
  first->Put("a", "9");
  first->Put("c", "9");
  first->broker().dies_before_marker = true;
  ASSERT_FALSE(first->Commit(20).ok());
  auto second = MakeCopy();
  ASSERT_TRUE(second->Start(2).ok());
  EXPECT_EQ(second->State(), "a=1 b=1 @10");
  // Nor later, when a commit follows it in the log; and the log says again what is true.
  second->Put("b", "2");
  ASSERT_TRUE(second->Commit(15).ok());
  auto third = MakeCopy();
  ASSERT_TRUE(third->Start(3).ok());
  EXPECT_EQ(third->State(), "a=1 b=2 @15");
}

TEST_F(OwnedJournalTest, WhatAnEarlierOwnerStillWritesDoesNotCount) {
  auto zombie = MakeCopy();
  ASSERT_TRUE(zombie->Start(1).ok());
  zombie->Put("a", "1");
  ASSERT_TRUE(zombie->Commit(10).ok());
  auto owner = MakeCopy();
  ASSERT_TRUE(owner->Start(2).ok());
  owner->Put("a", "2");
  ASSERT_TRUE(owner->Commit(20).ok());
  zombie->Put("a", "old");
  zombie->Put("z", "old");
  ASSERT_TRUE(zombie->Commit(11).ok());  // The fake broker does not fence it.
  owner->Put("b", "3");
  ASSERT_TRUE(owner->Commit(30).ok());
  auto next = MakeCopy();
  ASSERT_TRUE(next->Start(3).ok());
  EXPECT_EQ(next->State(), "a=2 b=3 @30");
}

TEST_F(OwnedJournalTest, AnEarlierOwnerCannotTakeTheTaskBack) {
  auto zombie = MakeCopy();
  ASSERT_TRUE(zombie->Start(1).ok());
  ASSERT_TRUE(zombie->Commit(10).ok());
  auto owner = MakeCopy();
  ASSERT_TRUE(owner->Start(2).ok());
  ASSERT_TRUE(owner->Commit(20).ok());
  EXPECT_EQ(zombie->Start(1).code(), ErrorCode::kTaskMigrated);
  owner->Put("a", "1");
  ASSERT_TRUE(owner->Commit(30).ok());
  auto next = MakeCopy();
  ASSERT_TRUE(next->Start(3).ok());
  EXPECT_EQ(next->State(), "a=1 @30");
}

TEST_F(OwnedJournalTest, AGroupThatExpiredCountsFromTheBeginning) {
  auto first = MakeCopy();
  ASSERT_TRUE(first->Start(7).ok());
  first->Put("a", "1");
  ASSERT_TRUE(first->Commit(10).ok());
  offsets_.clear();
  auto second = MakeCopy();
  ASSERT_TRUE(second->Start(1).ok());
  second->Put("a", "2");
  ASSERT_TRUE(second->Commit(20).ok());
  auto third = MakeCopy();
  ASSERT_TRUE(third->Start(2).ok());
  EXPECT_EQ(third->State(), "a=2 @20");
}

TEST(CheckpointTest, BytesThatAreNoneAreRefused) {
  Checkpoint checkpoint;
  checkpoint.fingerprint = 1;
  checkpoint.inputs["S"] = {5, 6, 7};
  checkpoint.state["k"] = "v";
  const std::string bytes = EncodeCheckpoint(checkpoint);
  const auto read = DecodeCheckpoint(bytes);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->inputs, checkpoint.inputs);
  EXPECT_EQ(read->state, checkpoint.state);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(DecodeCheckpoint(bytes.substr(0, size)).ok()) << size;
  }
  EXPECT_EQ(DecodeCheckpoint("\x7f" + bytes.substr(1)).status().code(), ErrorCode::kStoreVersion);
}

}  // namespace
}  // namespace weir
