// Handlers of Execute run with no lock of the engine held.

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "weir/weir.h"

namespace weir {
namespace {

constexpr std::chrono::seconds kPatience{30};

std::unique_ptr<Engine> OpenInMemory() {
  EngineOptions options;
  Result<std::unique_ptr<Engine>> engine = Engine::Open(std::move(options));
  EXPECT_TRUE(engine.ok()) << engine.status().message();
  return engine.ok() ? std::move(*engine) : nullptr;
}

constexpr std::string_view kRides =
    "CREATE STREAM rides (vendor INT, fare DOUBLE) "
    "WITH (KAFKA_TOPIC='rides', VALUE_FORMAT='JSON', PARTITIONS=1);";

// What could not be: while a follower reads its push query, the engine would wait for it.
TEST(Handlers, AFollowerHoldsUpNobody) {
  const std::unique_ptr<Engine> engine = OpenInMemory();
  ASSERT_TRUE(engine->Execute(kRides).ok());
  std::promise<void> follows;
  std::promise<void> let_go;
  std::thread follower([&] {
    const Result<std::vector<StatementResult>> done =
        engine->Execute("SELECT * FROM rides EMIT CHANGES;", [&](std::string_view, Cursor& cursor) {
          follows.set_value();
          let_go.get_future().wait();
          cursor.Cancel();
          return Status();
        });
    EXPECT_TRUE(done.ok()) << done.status().message();
  });
  follows.get_future().wait();
  std::future<bool> other = std::async(std::launch::async, [&] {
    return engine->Execute("CREATE STREAM dear AS SELECT * FROM rides WHERE fare > 10;").ok();
  });
  EXPECT_EQ(other.wait_for(kPatience), std::future_status::ready);
  let_go.set_value();
  EXPECT_TRUE(other.get());
  follower.join();
}

TEST(Handlers, MayCallTheEngine) {
  const std::unique_ptr<Engine> engine = OpenInMemory();
  ASSERT_TRUE(engine->Execute(kRides).ok());
  ASSERT_TRUE(engine->Execute("INSERT INTO rides VALUES (1, 5.5);").ok());
  int results = 0;
  const Result<std::vector<StatementResult>> done = engine->Execute(
      "SELECT * FROM rides; SHOW STREAMS;",
      [&](std::string_view, Cursor&) {
        return engine->Execute("CREATE TYPE money AS DECIMAL(10, 2);").status();
      },
      [&](const StatementResult&) {
        ++results;
        EXPECT_TRUE(engine->Execute("SHOW TYPES;").ok());
      });
  ASSERT_TRUE(done.ok()) << done.status().message();
  EXPECT_EQ(done->size(), 2u);
  EXPECT_EQ(results, 1);
}

}  // namespace
}  // namespace weir
