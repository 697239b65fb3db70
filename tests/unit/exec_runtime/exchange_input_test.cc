#include "exec/runtime/exchange/exchange_input.h"

#include <gtest/gtest.h>

#include "exec/column/builder.h"
#include "planner/physical/stores.h"
#include "tests/support/operator_harness.h"

namespace weir {
namespace {

// An exchange between two upstream tasks and one downstream task, fed by hand.
class ExchangeInputTest : public testing::Test {
 protected:
  void Start(bool ordered) {
    auto node = std::make_shared<physical::Exchange>();
    node->schema = test::SchemaFromText("K BIGINT");
    node->ordered = ordered;
    node->id = 7;
    DeclareStores(*node);
    plan_.node = node;
    plan_.partitions = 1;
    Restart();
  }
  void Restart() {
    buffer_ = std::make_unique<ExchangeBuffer>(plan_, 2);
    input_ = std::make_unique<ExchangeInput>(*buffer_, 0, 0, entries_);
    ASSERT_TRUE(input_->Open(context_).ok());
  }

  // Rows at these times from one upstream task; the column holds the same numbers.
  void Send(int upstream, const std::vector<int64_t>& times) {
    Chunk chunk;
    chunk.rows = static_cast<int32_t>(times.size());
    chunk.columns = {MakeInt64Column(DataType::Bigint(), times)};
    std::vector<int64_t> stream_times;
    ExchangeBuffer::Upstream& from = buffer_->upstreams()[upstream];
    for (int64_t time : times) {
      from.stream_time = std::max(from.stream_time, time);
      stream_times.push_back(from.stream_time);
    }
    chunk.sys(SystemColumn::kRowTime) = MakeInt64Column(DataType::Bigint(), times);
    chunk.sys(SystemColumn::kStreamTime) = MakeInt64Column(DataType::Bigint(), stream_times);
    from.slots[0].push_back(std::move(chunk));
  }
  void Drained(int upstream, int64_t since) {
    buffer_->upstreams()[upstream].drained_since_ms = since;
  }
  TaskInput::Round ThisRound() const { return {.now_ms = now_, .max_idle_ms = 10}; }
  void BeginRound() {
    bool any = false;
    EXPECT_TRUE(input_->BeginRound(ThisRound(), &any).ok());
  }
  std::vector<int64_t> Taken(int64_t until = INT64_MAX) {
    BeginRound();
    std::vector<int64_t> taken;
    while (input_->has_rows() && input_->run().time(0) <= until) {
      const TaskInput::Run run = input_->run();
      int32_t count = 1;
      while (count < run.length && run.time(count) <= until) ++count;
      const Chunk chunk = Flatten(input_->Take(count));
      for (int64_t value : chunk.columns[0]->values<int64_t>()) taken.push_back(value);
    }
    return taken;
  }

  int64_t now_ = 0;
  ExchangePlan plan_;
  test::FakeContext context_;
  std::vector<EntryPoint> entries_;
  std::unique_ptr<ExchangeBuffer> buffer_;
  std::unique_ptr<ExchangeInput> input_;
};

using Numbers = std::vector<int64_t>;

TEST_F(ExchangeInputTest, WithoutOrderRowsPassAsTheyCome) {
  Start(false);
  Send(1, {5, 1});
  Send(0, {3});
  EXPECT_EQ(Taken(), (Numbers{3, 5, 1}));
}

TEST_F(ExchangeInputTest, OrderedRowsWaitForTheSlowestUpstream) {
  Start(true);
  Send(0, {1, 4, 9});
  EXPECT_EQ(Taken(), Numbers{}) << "upstream 1 may still send anything";
  EXPECT_FALSE(input_->caught_up());
  Send(1, {2, 5});
  EXPECT_EQ(Taken(), (Numbers{1, 2, 4, 5}));
  Drained(0, 0);
  Drained(1, 0);
  EXPECT_EQ(Taken(), Numbers{9}) << "nobody has unread records";
  EXPECT_TRUE(input_->caught_up());
}

TEST_F(ExchangeInputTest, AnIdleUpstreamHoldsBackOnlySoLong) {
  Start(true);
  Drained(1, 0);
  Send(0, {1, 2});
  now_ = 9;
  EXPECT_EQ(Taken(), Numbers{});
  now_ = 10;
  EXPECT_EQ(Taken(), (Numbers{1, 2}));
}

TEST_F(ExchangeInputTest, StreamTimeIsNotAheadOfHeldRows) {
  Start(true);
  Send(0, {1, 9});
  Send(1, {4});
  EXPECT_EQ(Taken(), (Numbers{1, 4}));
  EXPECT_EQ(input_->StreamTime(ThisRound()), 4);
  EXPECT_TRUE(input_->Advances(4));
  EXPECT_FALSE(input_->Advances(4)) << "it has not moved";
}

TEST_F(ExchangeInputTest, OrderedRowsOfSeveralUpstreamsLieTogether) {
  Start(true);
  Send(0, {1, 3, 5});
  Send(1, {2, 4, 6});
  BeginRound();
  ASSERT_EQ(input_->run().length, 5);
  EXPECT_EQ(input_->run().time(3), 4);
  const Chunk first = Flatten(input_->Take(2));
  EXPECT_EQ(first.columns[0]->values<int64_t>()[1], 2);
  EXPECT_EQ(input_->run().time(0), 3);
  EXPECT_EQ(Taken(), (Numbers{3, 4, 5}));
}

TEST_F(ExchangeInputTest, HeldRowsOutliveARestartAtACommit) {
  Start(true);
  Send(0, {1, 4, 9});
  Send(1, {2, 5});
  EXPECT_EQ(Taken(2), (Numbers{1, 2})) << "4 and 5 could go on but wait for another input";
  ASSERT_TRUE(input_->OnBarrier().ok());
  Restart();
  EXPECT_EQ(Taken(), (Numbers{4, 5}));
  Send(1, {12});
  Send(0, {11});
  EXPECT_EQ(Taken(), (Numbers{9, 11}));
  ASSERT_TRUE(input_->OnBarrier().ok());
  Restart();
  Send(0, {13});
  Send(1, {14});
  EXPECT_EQ(Taken(), (Numbers{12, 13}));
}

TEST_F(ExchangeInputTest, NothingIsLeftInTheStoreOnceAllIsTaken) {
  Start(true);
  Send(0, {1});
  BeginRound();
  ASSERT_TRUE(input_->OnBarrier().ok());
  EXPECT_FALSE(context_.stores_["exchange-7-held"].entries().empty());
  Send(1, {1});
  EXPECT_EQ(Taken(), (Numbers{1, 1}));
  ASSERT_TRUE(input_->OnBarrier().ok());
  EXPECT_TRUE(context_.stores_["exchange-7-held"].entries().empty());
}

TEST_F(ExchangeInputTest, HeldRowsThatDoNotDecodeAreACorruptStore) {
  Start(true);
  context_.Store("exchange-7-held").Put(std::string("\0\1\0\0\0\1", 6), "short");
  buffer_ = std::make_unique<ExchangeBuffer>(plan_, 2);
  input_ = std::make_unique<ExchangeInput>(*buffer_, 0, 0, entries_);
  EXPECT_EQ(input_->Open(context_).code(), ErrorCode::kStoreCorrupt);
}

}  // namespace
}  // namespace weir
