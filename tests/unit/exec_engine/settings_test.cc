#include "exec/engine/settings/settings.h"

#include <gtest/gtest.h>

#include <set>

#include "base/memory_shares.h"

namespace weir {
namespace {

TEST(Settings, EveryDefaultIsAValueTheSettingTakes) {
  std::set<std::string_view> names;
  for (const SettingRow& row : SettingRows()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " stands there twice";
    EXPECT_FALSE(row.text.empty()) << row.name;
    EXPECT_EQ(row.kind == SettingKind::kChoice, !row.choices.empty()) << row.name;
    Settings settings;
    EXPECT_EQ(settings.Get(row.name), row.default_value);
    EXPECT_TRUE(settings.Set(row.name, row.default_value, true, nullptr).ok()) << row.name;
    EXPECT_TRUE(settings.IsSet(row.name));
  }
}

TEST(Settings, NamesOfKsqlMeanTheSame) {
  Settings settings;
  ASSERT_TRUE(settings.Set("ksql.streams.auto.offset.reset", "latest", false, nullptr).ok());
  EXPECT_EQ(settings.Get("auto.offset.reset"), "latest");
  EXPECT_TRUE(settings.ForQuery().start_latest);
  ASSERT_TRUE(settings.Set("auto.offset.reset", "earliest", false, nullptr).ok());
  EXPECT_FALSE(settings.ForQuery().start_latest) << "what was given later wins";
  EXPECT_EQ(settings.given().size(), 1u);
  ASSERT_TRUE(settings.Unset("weir.auto.offset.reset").ok());
  EXPECT_FALSE(settings.IsSet("auto.offset.reset"));
  EXPECT_TRUE(settings.given().empty());
}

TEST(Settings, BytesHaveUnits) {
  Settings settings;
  for (const auto& [text, bytes] : {std::pair<const char*, int64_t>{"512", 512},
                                    {"64k", 65536},
                                    {"64MB", 64 << 20},
                                    {"2GB", int64_t{2} << 30}}) {
    ASSERT_TRUE(settings.Set("memory.limit", text, true, nullptr).ok()) << text;
    EXPECT_EQ(settings.Number("memory.limit"), bytes);
    EXPECT_EQ(settings.ForQuery().memory_limit, bytes);
  }
}

TEST(Settings, StandbyCopiesAreCounted) {
  Settings settings;
  std::string notice;
  EXPECT_EQ(settings.ForQuery().standby_replicas, 0);
  EXPECT_TRUE(settings.Set("ksql.streams.num.standby.replicas", "2", true, &notice).ok());
  EXPECT_EQ(settings.ForQuery().standby_replicas, 2);
  EXPECT_EQ(settings.Set("num.standby.replicas", "-1", true, &notice).code(),
            ErrorCode::kInvalidOption);
  EXPECT_EQ(settings.Set("num.standby.replicas", "some", true, &notice).code(),
            ErrorCode::kInvalidOption);
  EXPECT_EQ(settings.ForQuery().standby_replicas, 2);
}

TEST(Settings, GuaranteesOfKafkaStreamsAreTaken) {
  Settings settings;
  for (const char* value : {"at_least_once", "exactly_once", "exactly_once_v2"}) {
    EXPECT_TRUE(settings.Set("processing.guarantee", value, false, nullptr).ok()) << value;
  }
  EXPECT_EQ(settings.Set("processing.guarantee", "at_most_once", false, nullptr).code(),
            ErrorCode::kInvalidOption);
}

TEST(Settings, ValuesThatDoNotFitAreRefusedAndChangeNothing) {
  Settings settings;
  for (const auto& [name, value] : {std::pair<const char*, const char*>{"memory.limit", "much"},
                                    {"memory.limit", "1TBX"},
                                    {"memory.limit", "99999999999GB"},
                                    {"memory.limit", "-1"},
                                    {"memory.limit", ""},
                                    {"commit.interval.ms", "1s"},
                                    {"commit.interval.ms", "-5"},
                                    {"sql.extensions", "yes"},
                                    {"auto.offset.reset", "earliest latest"},
                                    {"application.server", "host"},
                                    {"application.server", ":9"},
                                    {"application.server", "a:0"},
                                    {"application.server", "a:b"},
                                    {"auto.offset.reset", ""},
                                    {"auto.offset.reset", "EARLIEST"},
                                    {"collect_list.limit", "99999999999999999999"}}) {
    EXPECT_EQ(settings.Set(name, value, true, nullptr).code(), ErrorCode::kInvalidOption)
        << name << "=" << value;
    EXPECT_FALSE(settings.IsSet(name)) << name;
  }
}

TEST(Settings, UnknownNamesAreTold) {
  Settings settings;
  const Status status = settings.Set("memory.limt", "1", true, nullptr);
  EXPECT_EQ(status.code(), ErrorCode::kUnknownOption);
  EXPECT_NE(status.hint().find("memory.limit"), std::string::npos) << status.hint();
  std::string notice;
  EXPECT_TRUE(settings.Set("num.stream.threads", "4", false, &notice).ok());
  EXPECT_NE(notice.find("no effect"), std::string::npos);
}

TEST(Settings, SomeAreOnlyForOpen) {
  Settings settings;
  EXPECT_EQ(settings.Set("memory.limit", "1GB", false, nullptr).code(), ErrorCode::kInvalidOption);
  EXPECT_TRUE(settings.Set("memory.limit", "1GB", true, nullptr).ok());
}

TEST(Settings, QueriesKeepWhatIsInForce) {
  Settings settings;
  ASSERT_TRUE(settings.Set("cache.max.bytes.buffering", "0", false, nullptr).ok());
  ASSERT_TRUE(settings.Set("collect_list.limit", "-1", false, nullptr).ok());
  const QuerySettings query = settings.ForQuery();
  EXPECT_TRUE(query.emit_every_change);
  EXPECT_EQ(query.numbers.at("collect_list.limit"), -1);
  EXPECT_EQ(query.numbers.at("collect_set.limit"), 1000);
  EXPECT_GT(query.memory_limit, 0) << "without a limit: a part of the machine";
}

TEST(MemoryShares, StayBelowTheLimitTogether) {
  for (int64_t limit = 256 << 20; limit < int64_t{1} << 40; limit *= 2) {
    const MemoryShares parts = MemoryShares::Of(limit);
    EXPECT_LE(parts.state + parts.between_commits + parts.commit + parts.store_buffers +
                  parts.store_cache + parts.kafka_partition + parts.kafka_sending,
              limit);
  }
  const MemoryShares least = MemoryShares::Of(1);
  EXPECT_EQ(least.state, 1);
  EXPECT_GE(least.store_buffers, 8 << 20);
  EXPECT_EQ(MemoryShares::Of(0).commit, MemoryShares::Of(INT64_MAX).commit) << "0: no limit";
}

}  // namespace
}  // namespace weir
