// Commits beside rounds: what a query reads, writes and keeps while one of its commits is under
// way, and what is left when that fails. The test does the rounds itself, and holds the commits.

#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "exec/runtime/query/query_runtime.h"
#include "tests/unit/planner/planner_fixture.h"

namespace weir {
namespace {

// Where commits wait, one at a time.
class Gate {
 public:
  void Close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  /// Lets what waits go on, with this outcome, and all others.
  void Open(Status outcome = OkStatus()) {
    std::lock_guard lock(mutex_);
    closed_ = false;
    outcome_ = std::move(outcome);
    changed_.notify_all();
  }
  void AwaitWaiting() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_; });
  }
  /// What Open gives, to one that had to wait.
  Status Pass() {
    std::unique_lock lock(mutex_);
    EXPECT_FALSE(waiting_) << "two commits at once";
    if (!closed_) return OkStatus();
    waiting_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !closed_; });
    waiting_ = false;
    return std::exchange(outcome_, OkStatus());
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  bool waiting_ = false;
  Status outcome_;
};

class HeldUnit final : public CommitUnit {
 public:
  HeldUnit(std::unique_ptr<CommitUnit> inner, Gate& gate) : inner_(std::move(inner)), gate_(gate) {}
  Status Append(std::string_view topic, int32_t partition, RecordBatchBuilder& records) override {
    return inner_->Append(topic, partition, records);
  }
  void Put(std::string_view key, std::string_view value) override { inner_->Put(key, value); }
  void Delete(std::string_view key) override { inner_->Delete(key); }
  void DeleteRange(std::string_view from, std::string_view to) override {
    inner_->DeleteRange(from, to);
  }
  void PutLast(std::string_view key, std::string_view value) override {
    inner_->PutLast(key, value);
  }
  size_t byte_size() const override { return inner_->byte_size(); }
  std::shared_ptr<const StateReader> Over(const StateReader& below) const override {
    return inner_->Over(below);
  }
  Status Commit() override {
    const Status passed = gate_.Pass();
    return passed.ok() ? inner_->Commit() : passed;
  }

 private:
  const std::unique_ptr<CommitUnit> inner_;
  Gate& gate_;
};

// In memory, but for its commits.
class HeldBroker final : public Broker {
 public:
  explicit HeldBroker(Gate& gate) : inner_(std::move(*OpenMemoryBroker())), gate_(gate) {}
  Status CreateTopic(const TopicInfo& info) override { return inner_->CreateTopic(info); }
  Status DeleteTopic(std::string_view name) override { return inner_->DeleteTopic(name); }
  Result<TopicInfo> DescribeTopic(std::string_view name) override {
    return inner_->DescribeTopic(name);
  }
  Result<std::vector<TopicInfo>> ListTopics() override { return inner_->ListTopics(); }
  Result<std::vector<int64_t>> EndOffsets(std::string_view topic) override {
    return inner_->EndOffsets(topic);
  }
  Result<std::unique_ptr<ReadSession>> OpenReadSession(std::string_view name) override {
    return inner_->OpenReadSession(name);
  }
  std::unique_ptr<CommitUnit> NewCommitUnit(std::string_view id, Guarantee guarantee) override {
    return std::make_unique<HeldUnit>(inner_->NewCommitUnit(id, guarantee), gate_);
  }
  StateBackend& state() override { return inner_->state(); }
  Status AppendDurably(std::string_view topic, int32_t partition,
                       RecordBatchBuilder& records) override {
    return inner_->AppendDurably(topic, partition, records);
  }
  std::string_view kind() const override { return "held"; }
  Status Close() override { return inner_->Close(); }

 private:
  const std::unique_ptr<Broker> inner_;
  Gate& gate_;
};

struct StandingClock final : Clock {
  int64_t NowMs() const override { return 1000; }
};

class QueryCommitTest : public testing::Test {
 protected:
  void SetUp() override {
    broker_ = std::make_shared<HeldBroker>(gate_);
    for (const char* topic : {"s", "T", "U"}) {
      ASSERT_TRUE(broker_->CreateTopic({.name = topic, .partitions = 1}).ok());
    }
    scheduler_ = std::make_unique<Scheduler>(1);
    planning_.partitions = 1;
    planning_.MustRun(
        "CREATE STREAM s (k VARCHAR KEY, x INT) WITH (kafka_topic='s', value_format='JSON', "
        "partitions=1);");
  }
  void TearDown() override {
    gate_.Open();
    if (query_ != nullptr) query_->Stop();
    query_.reset();
    scheduler_.reset();
  }

  // Starts the query of a statement, which nobody but the test runs.
  void Start(std::string_view sql, QuerySettings settings = {}) {
    auto statement = ParseStatement(sql);
    ASSERT_TRUE(statement.ok()) << statement.status().ToString();
    auto plan = PlanPersistentQuery(*statement, planning_.context);
    ASSERT_TRUE(plan.ok()) << plan.status().ToString();
    QueryRuntimeOptions options;
    options.id = plan->query_id;
    options.roots = {plan->root};
    options.root_ids = {plan->query_id};
    options.settings = std::move(settings);
    options.broker = broker_;
    options.clock = &clock_;
    options.scheduler = scheduler_.get();
    options.memory_used = &memory_used_;
    auto made = QueryRuntime::Make(std::move(options));
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    query_ = std::move(*made);
    const Status opened = query_->Open();
    ASSERT_TRUE(opened.ok()) << opened.ToString();
  }
  void Put(const std::vector<std::string>& keys) {
    RecordBatchBuilder records;
    const std::string_view value = R"({"X":1})";
    for (const std::string& key : keys) {
      const std::string_view bytes = key;
      records.AddCopy(&bytes, &value, {}, 1);
    }
    put_ += static_cast<int64_t>(keys.size());
    ASSERT_TRUE(broker_->AppendDurably("s", 0, records).ok());
  }
  /// Rounds until there is nothing to do.
  void Run() {
    while (query_->Run() == 0) {
    }
  }
  /// Rounds until all is committed.
  void RunToEnd() {
    for (Run(); !Committed(put_); Run()) query_->AwaitCommit();
  }
  int64_t RecordsRead() const {
    std::vector<QueryMetrics> metrics;
    query_->FillMetrics(metrics);
    return metrics[0].records_in;
  }
  bool Committed(int64_t end) const { return *query_->CommittedPast(0, {end}); }
  int64_t End(const std::string& topic) const { return (*broker_->EndOffsets(topic))[0]; }
  /// Keys and values of a topic.
  std::vector<std::string> Records(const std::string& topic) {
    auto session = broker_->OpenReadSession("test");
    auto reader = (*session)->Open(topic, 0, {});
    EXPECT_TRUE(reader.ok());
    std::vector<std::string> texts;
    RecordBatch batch;
    while ((*reader)->Fetch(1000, 1 << 20, batch).ok() && batch.size() > 0) {
      for (int32_t i = 0; i < batch.size(); ++i) {
        texts.push_back(std::string(batch.View(batch.keys[i])) + " " +
                        std::string(batch.View(batch.values[i])));
      }
    }
    return texts;
  }

  static constexpr const char* kCounts =
      "CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;";

  Gate gate_;
  StandingClock clock_;
  std::atomic<int64_t> memory_used_{0};
  PlanningSession planning_;
  std::shared_ptr<HeldBroker> broker_;
  std::unique_ptr<Scheduler> scheduler_;
  std::shared_ptr<QueryRuntime> query_;
  int64_t put_ = 0;
};

using Texts = std::vector<std::string>;

TEST_F(QueryCommitTest, ReadsOnWhileACommitIsMade) {
  ASSERT_NO_FATAL_FAILURE(Start(kCounts));
  gate_.Close();
  Put({"a", "b"});
  Run();
  gate_.AwaitWaiting();
  Put({"a", "c"});
  Run();
  EXPECT_EQ(RecordsRead(), 4);
  EXPECT_FALSE(Committed(2));
  EXPECT_FALSE(query_->drained_since_commit());
  EXPECT_EQ(End("T"), 0) << "what is not committed is seen";

  gate_.Open();
  query_->AwaitCommit();
  EXPECT_EQ(Records("T"), (Texts{R"(a {"N":1})", R"(b {"N":1})"}));
  RunToEnd();
  EXPECT_TRUE(query_->drained_since_commit());
  EXPECT_EQ(Records("T"), (Texts{R"(a {"N":1})", R"(b {"N":1})", R"(a {"N":2})", R"(c {"N":1})"}));
}

TEST_F(QueryCommitTest, StateThatLeftMemoryIsReadBackFromTheCommitUnderWay) {
  QuerySettings settings;
  settings.state_spills = true;
  ASSERT_NO_FATAL_FAILURE(Start(kCounts, settings));
  Put({"a", "b"});
  RunToEnd();
  gate_.Close();
  Put({"a", "c"});
  Run();
  gate_.AwaitWaiting();
  EXPECT_EQ(End("T"), 2);
  Put({"a", "b", "c", "d"});
  Run();
  gate_.Open();
  RunToEnd();
  EXPECT_EQ(Records("T"), (Texts{R"(a {"N":1})", R"(b {"N":1})", R"(a {"N":2})", R"(c {"N":1})",
                                 R"(a {"N":3})", R"(b {"N":2})", R"(c {"N":2})", R"(d {"N":1})"}));
}

// With it goes all that came behind it; nothing of either is there, and all of it is done again.
TEST_F(QueryCommitTest, AFailedCommitTakesTheNextOneWithIt) {
  ASSERT_NO_FATAL_FAILURE(Start(kCounts));
  Put({"a"});
  RunToEnd();
  gate_.Close();
  Put({"a", "b"});
  Run();
  gate_.AwaitWaiting();
  Put({"a", "c"});
  Run();
  gate_.Open(Status(ErrorCode::kStoreIo, "the disk is full"));
  query_->AwaitCommit();
  query_->Run();
  EXPECT_EQ(query_->state(), QueryRuntime::State::kRestarting);
  EXPECT_EQ(query_->error().code(), ErrorCode::kStoreIo);
  EXPECT_EQ(Records("T"), Texts{R"(a {"N":1})"});
  RunToEnd();
  EXPECT_EQ(query_->state(), QueryRuntime::State::kRunning);
  EXPECT_EQ(Records("T"), (Texts{R"(a {"N":1})", R"(a {"N":3})", R"(b {"N":1})", R"(c {"N":1})"}));
}

// A round that fails leaves the commit before it be: the query goes on from that.
TEST_F(QueryCommitTest, ARoundThatFailsLetsTheCommitBeforeItEnd) {
  planning_.MustRun(
      "CREATE STREAM f (k VARCHAR KEY, x INT) WITH (kafka_topic='s', value_format='JSON', "
      "on_error='FAIL', partitions=1);");
  ASSERT_NO_FATAL_FAILURE(Start("CREATE STREAM u AS SELECT k, x FROM f;"));
  gate_.Close();
  Put({"a"});
  Run();
  gate_.AwaitWaiting();
  RecordBatchBuilder bad;
  const std::string_view key = "b", value = R"({"X":"no number"})";
  bad.AddCopy(&key, &value, {}, 1);
  ASSERT_TRUE(broker_->AppendDurably("s", 0, bad).ok());
  query_->Run();
  EXPECT_EQ(query_->state(), QueryRuntime::State::kRestarting);
  EXPECT_EQ(query_->Run(), -1) << "it begins anew before it is known from where";
  gate_.Open();
  query_->AwaitCommit();
  Run();
  EXPECT_EQ(query_->state(), QueryRuntime::State::kError);
  EXPECT_EQ(Records("U"), Texts{R"(a {"X":1})"});
}

TEST_F(QueryCommitTest, WaitsWithAsMuchAsMayWaitForACommit) {
  QuerySettings settings;
  settings.commit_bytes_max = 4000;
  ASSERT_NO_FATAL_FAILURE(Start("CREATE STREAM u AS SELECT k, x FROM s;", settings));
  gate_.Close();
  Put({"a"});
  Run();
  gate_.AwaitWaiting();
  const std::vector<std::string> many(1000, "a");
  for (int i = 0; i < 40; ++i) Put(many);
  Run();
  EXPECT_GT(RecordsRead(), 100);
  EXPECT_LT(RecordsRead(), 20'000);
  EXPECT_EQ(End("U"), 0);
  gate_.Open();
  RunToEnd();
  EXPECT_EQ(End("U"), put_);
}

TEST_F(QueryCommitTest, ClosingCommitsWhatIsUnderWayAndWhatCameSince) {
  ASSERT_NO_FATAL_FAILURE(Start(kCounts));
  gate_.Close();
  Put({"a"});
  Run();
  gate_.AwaitWaiting();
  Put({"a"});
  Run();
  std::thread opener([&] { gate_.Open(); });
  const Status committed = query_->Commit();
  opener.join();
  ASSERT_TRUE(committed.ok()) << committed.ToString();
  query_->Stop();
  EXPECT_EQ(Records("T"), (Texts{R"(a {"N":1})", R"(a {"N":2})"}));
}

TEST_F(QueryCommitTest, PausingCommitsWhatIsUnderWayAndWhatCameSince) {
  ASSERT_NO_FATAL_FAILURE(Start(kCounts));
  gate_.Close();
  Put({"a"});
  Run();
  gate_.AwaitWaiting();
  Put({"a"});
  Run();
  std::thread opener([&] { gate_.Open(); });
  query_->Pause();
  opener.join();
  EXPECT_TRUE(Committed(2));
  Put({"a"});
  Run();
  EXPECT_EQ(End("T"), 2);
  query_->Resume();
  RunToEnd();
  EXPECT_EQ(Records("T"), (Texts{R"(a {"N":1})", R"(a {"N":2})", R"(a {"N":3})"}));
}

TEST_F(QueryCommitTest, StoppingWaitsForTheCommitUnderWay) {
  ASSERT_NO_FATAL_FAILURE(Start(kCounts));
  gate_.Close();
  Put({"a"});
  Run();
  gate_.AwaitWaiting();
  std::thread opener([&] { gate_.Open(); });
  query_->Stop();
  EXPECT_EQ(End("T"), 1);
  opener.join();
}

}  // namespace
}  // namespace weir
