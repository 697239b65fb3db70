// A copy that stands still between computing its results and writing them, for so long that another
// copy takes its work over, does not write them behind newer ones when it goes on. At least once;
// exactly once the broker itself refuses them.

#include <fmt/format.h>

#include "tests/broker/copies_application.h"
#include "tests/broker/support/engine_copies.h"
#include "tests/support/record_text.h"

namespace weir::testing {
namespace {

class StallTest : public EngineCopiesTest {
 protected:
  std::string Sql() const {
    return SourceSql() + TableSql("SELECT k, COUNT(*) AS n FROM s GROUP BY k");
  }
  /// The counts that the table's topic holds, in order.
  std::vector<int64_t> Counts() {
    std::vector<int64_t> counts;
    const auto records = kafka_->ReadAll(application_ + ".t");
    EXPECT_TRUE(records.ok()) << records.status().ToString();
    if (!records.ok()) return counts;
    for (const KafkaRecord& record : *records) {
      counts.push_back(JsonInteger(record.value.value_or(""), "N"));
    }
    return counts;
  }
  bool WaitForCount(int64_t count) {
    return WaitFor([&] {
      const std::vector<int64_t> counts = Counts();
      return !counts.empty() && counts.back() == count;
    });
  }
};

TEST_F(StallTest, WhatWasComputedBeforeIsNotWrittenAfterwards) {
  MakeInput(1);
  CopiesApplication stalled({.brokers = kafka_->address(),
                             .application_id = application_,
                             .sql = Sql(),
                             .more = {"-X", "session.timeout.ms=6000", "-X",
                                      "heartbeat.interval.ms=1000", "--log-level", "info"}});
  CopyProcess& copy = stalled.Start("before_output:2:stop");
  ASSERT_TRUE(WaitFor([&] { return *kafka_->PartitionCount(application_ + ".t") > 0; }))
      << copy.LogTail();
  Produce(0, 1);
  ASSERT_TRUE(WaitForCount(1)) << copy.LogTail();
  // Computed, and never written by that copy: it stops itself. The other one's group waits for it.
  Produce(0, 1);
  EngineOptions options = Options();
  options.state_dir = stalled.directory() + "/state";
  options.kafka["session.timeout.ms"] = "6000";
  auto other = Engine::Open(std::move(options));
  ASSERT_TRUE(other.ok()) << other.status().ToString();
  Execute(**other, Sql());
  ASSERT_TRUE(WaitForCount(2)) << copy.LogTail();
  Produce(0, 1);
  ASSERT_TRUE(WaitForCount(3));
  ASSERT_TRUE(stalled.LogLines(", lost 1").empty());
  copy.Resume();
  ASSERT_TRUE(WaitFor([&] { return !stalled.LogLines(", lost 1").empty(); })) << copy.LogTail();
  Produce(0, 1);
  ASSERT_TRUE(WaitForCount(4));
  EXPECT_EQ(Counts(), (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_TRUE(copy.running());
}

}  // namespace
}  // namespace weir::testing
