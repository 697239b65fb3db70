#include "exec/runtime/stage_plan.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/batch_text.h"

namespace weir {
namespace {

using physical::NodePtr;

std::shared_ptr<physical::TopicSource> Source(const std::string& topic,
                                              const std::vector<std::string>& read) {
  auto node = std::make_shared<physical::TopicSource>();
  node->source_name = node->topic = topic;
  auto schema = std::make_shared<Schema>();
  for (const char* name : {"K", "A", "B", "C"}) {
    physical::TopicSource::SourceColumn column;
    column.name = name;
    column.type = DataType::Bigint();
    for (const std::string& wanted : read) {
      if (wanted != name) continue;
      column.output_index = schema->size();
      schema->columns.push_back({name, column.type, false});
    }
    node->columns.push_back(std::move(column));
  }
  node->schema = schema;
  return node;
}

template <typename NodeType>
NodePtr Over(std::vector<NodePtr> inputs) {
  auto node = std::make_shared<NodeType>();
  node->schema = inputs[0]->schema;
  node->inputs = std::move(inputs);
  return node;
}

NodePtr ExchangeOver(NodePtr input, int32_t partitions = 0) {
  auto node = std::make_shared<physical::Exchange>();
  node->schema = input->schema;
  node->inputs = {std::move(input)};
  node->key_columns = 1;
  node->partitions = partitions;
  return node;
}

Result<QueryStages> Cut(const std::vector<NodePtr>& roots,
                        std::map<std::string, int32_t> partitions) {
  return CutIntoStages(roots, [partitions](const physical::TopicSource& node) -> Result<int32_t> {
    auto found = partitions.find(node.topic);
    if (found == partitions.end()) return Status(ErrorCode::kUnknownTopic, "no topic");
    return found->second;
  });
}

TEST(StagePlan, AQueryWithoutExchangeIsOneStage) {
  const NodePtr source = Source("a", {"K", "B"});
  auto stages = Cut({Over<physical::TopicSink>({Over<physical::Filter>({source})})}, {{"a", 3}});
  ASSERT_TRUE(stages.ok()) << stages.status().ToString();
  ASSERT_EQ(stages->stages.size(), 1u);
  EXPECT_EQ(stages->stages[0].partitions, 3);
  EXPECT_EQ(stages->stages[0].sources, std::vector<int>{0});
  EXPECT_EQ(stages->stages[0].roots.size(), 1u);
  EXPECT_TRUE(stages->exchanges.empty());
  EXPECT_EQ(stages->SourceOf(source.get()), 0);
  EXPECT_EQ(stages->ExchangeOf(source.get()), -1);
}

TEST(StagePlan, ExchangesCutUpstreamFirst) {
  const NodePtr first = ExchangeOver(Source("a", {"K"}));
  const NodePtr second = ExchangeOver(Over<physical::StreamAggregate>({first}), 5);
  auto stages = Cut({Over<physical::TopicSink>({second})}, {{"a", 2}});
  ASSERT_TRUE(stages.ok());
  ASSERT_EQ(stages->stages.size(), 3u);
  EXPECT_EQ(stages->stages[0].partitions, 2);
  EXPECT_EQ(stages->stages[1].partitions, 2) << "as many as upstream";
  EXPECT_EQ(stages->stages[2].partitions, 5) << "as many as asked for";
  const int one = stages->ExchangeOf(first.get());
  const int two = stages->ExchangeOf(second.get());
  EXPECT_EQ(stages->exchanges[one].from_stage, 0);
  EXPECT_EQ(stages->exchanges[one].to_stage, 1);
  EXPECT_EQ(stages->exchanges[two].to_stage, 2);
  EXPECT_EQ(stages->exchanges[two].partitions, 5);
}

TEST(StagePlan, AJoinPutsBothSidesIntoOneStage) {
  const NodePtr left = ExchangeOver(Source("a", {"K"}));
  const NodePtr join = Over<physical::StreamTableJoin>({left, Source("b", {"K", "A"})});
  auto stages = Cut({Over<physical::TopicSink>({join})}, {{"a", 2}, {"b", 4}});
  ASSERT_TRUE(stages.ok());
  ASSERT_EQ(stages->stages.size(), 2u);
  EXPECT_EQ(stages->stages[1].partitions, 4) << "as many as the table that does not move";
  EXPECT_EQ(stages->exchanges[0].partitions, 4);
}

TEST(StagePlan, SidesWithDifferentPartitionsCannotBeReadTogether) {
  const NodePtr join = Over<physical::StreamStreamJoin>({Source("a", {"K"}), Source("b", {"K"})});
  auto stages = Cut({Over<physical::TopicSink>({join})}, {{"a", 2}, {"b", 4}});
  ASSERT_FALSE(stages.ok());
  EXPECT_EQ(stages.status().code(), ErrorCode::kNotCoPartitioned);
  EXPECT_EQ(Cut({join}, {{"a", 2}}).status().code(), ErrorCode::kUnknownTopic);
}

TEST(StagePlan, RootsThatReadTheSameTopicShareOneSource) {
  auto one = Source("a", {"B", "K"});
  auto two = Source("a", {"K", "C"});
  two->needs_headers = true;
  auto stages =
      Cut({Over<physical::TopicSink>({one}), Over<physical::TopicSink>({two})}, {{"a", 2}});
  ASSERT_TRUE(stages.ok());
  ASSERT_EQ(stages->sources.size(), 1u);
  ASSERT_EQ(stages->stages.size(), 1u);
  EXPECT_EQ(stages->stages[0].roots.size(), 2u);
  EXPECT_EQ(stages->stages[0].roots[1].query_root, 1);
  const SourcePlan& merged = stages->sources[0];
  EXPECT_EQ(merged.node->schema->size(), 3);
  EXPECT_TRUE(merged.node->needs_headers);
  ASSERT_EQ(merged.consumers.size(), 2u);
  for (const SourcePlan::Consumer& consumer : merged.consumers) {
    for (size_t i = 0; i < consumer.columns.size(); ++i) {
      EXPECT_EQ(merged.node->schema->columns[consumer.columns[i]].name,
                consumer.node->schema->columns[i].name);
    }
  }
}

TEST(StagePlan, AnotherStartIsAnotherSource) {
  auto one = Source("a", {"K"});
  auto two = Source("a", {"K"});
  two->start = physical::TopicSource::Start::kLatest;
  auto stages =
      Cut({Over<physical::TopicSink>({one}), Over<physical::TopicSink>({two})}, {{"a", 2}});
  ASSERT_TRUE(stages.ok());
  EXPECT_EQ(stages->sources.size(), 2u);
  EXPECT_EQ(stages->stages.size(), 2u);
}

// Stage 0 reads the topic, stage 1 what it hands on, stage 2 what that hands on.
Result<QueryStages> ThreeStages(int32_t partitions) {
  return Cut({Over<physical::TopicSink>({ExchangeOver(ExchangeOver(Source("a", {"K"})))})},
             {{"a", partitions}});
}

TEST(StagePlan, StagesBehindExchangesKeepTheirPartitions) {
  auto stages = ThreeStages(5);
  ASSERT_TRUE(stages.ok()) << stages.status().ToString();
  const auto none = [](const StagePlan&) { return false; };
  ASSERT_TRUE(KeepPartitions(*stages, {3, 3, 0}, none).ok());
  EXPECT_EQ(stages->stages[0].partitions, 5);
  EXPECT_EQ(stages->stages[1].partitions, 3);
  EXPECT_EQ(stages->exchanges[0].partitions, 3);
  EXPECT_EQ(stages->stages[2].partitions, 3);  // As many as feed it, where nothing else is known.
  EXPECT_EQ(stages->exchanges[1].partitions, 3);
  ASSERT_TRUE(CountPartitions(*stages, [](const auto&) -> Result<int32_t> { return 6; }).ok());
  EXPECT_EQ(stages->stages[0].partitions, 6);
  EXPECT_EQ(stages->stages[2].partitions, 6);
}

TEST(StagePlan, StateByThePartitionsOfASourceIsNotGivenToOthers) {
  auto stages = ThreeStages(5);
  ASSERT_TRUE(stages.ok()) << stages.status().ToString();
  const auto all = [](const StagePlan&) { return true; };
  EXPECT_TRUE(KeepPartitions(*stages, {5, 2, 2}, all).ok());
  EXPECT_TRUE(KeepPartitions(*stages, {}, all).ok());  // Nothing is known.
  const Status refused = KeepPartitions(*stages, {3, 3, 3}, all);
  EXPECT_EQ(refused.code(), ErrorCode::kPartitionsChanged);
  EXPECT_NE(refused.message().find("topic a has 5 partitions now, and what the query keeps of it "
                                   "is for 3"),
            std::string::npos)
      << refused.message();
}

}  // namespace
}  // namespace weir
