// Aggregating a batch in front of the exchange and merging behind it gives what the aggregate alone
// gives, late rows included.

#include <algorithm>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/operator_harness.h"

namespace weir {
namespace {

using physical::ChangeMode;
using physical::WindowKind;
using test::Aggregate;
using test::FinalRows;
using test::Harness;
using test::InputNode;
using test::Lines;
using test::SchemaFromText;

/// The aggregate alone, and the same in two parts.
struct Plans {
  physical::StreamAggregate direct, merge;
  physical::PartialAggregate partial;
};

Plans MakePlans(WindowKind kind, int64_t size = 0, int64_t advance = 0, int64_t grace = 0) {
  Plans plans;
  const DataType number = DataType::Bigint();
  auto& direct = plans.direct;
  direct.inputs = {InputNode("K INT KEY, V BIGINT, T STRING")};
  direct.schema = SchemaFromText(
      "K INT KEY, N BIGINT, NV BIGINT, S BIGINT, LOW BIGINT, "
      "HIGH BIGINT, A DOUBLE, D BIGINT");
  direct.key_columns = 1;
  direct.calls = {Aggregate("COUNT", {}, {}),
                  Aggregate("COUNT", {number}, {1}),
                  Aggregate("SUM", {number}, {1}),
                  Aggregate("MIN", {number}, {1}),
                  Aggregate("MAX", {number}, {1}),
                  Aggregate("AVG", {number}, {1}),
                  Aggregate("COUNT_DISTINCT", {DataType::String()}, {2})};
  direct.window = {kind, size, advance, grace, size + grace};
  direct.windowed_key = kind;
  // Windows come out when they are closed; without them, every batch shows old and new results.
  direct.emit_final = kind != WindowKind::kNone;
  direct.mode = direct.emit_final ? ChangeMode::kUpsert : ChangeMode::kRetract;

  auto& partial = plans.partial;
  partial.inputs = direct.inputs;
  partial.schema = SchemaFromText(
      "K INT KEY, N BIGINT, NV BIGINT, S BIGINT, LOW BIGINT, "
      "HIGH BIGINT, AS BIGINT, AN BIGINT, D BYTES");
  partial.key_columns = 1;
  partial.calls = direct.calls;
  partial.window = direct.window;
  partial.windowed_key = kind;

  plans.merge = direct;
  plans.merge.inputs = {InputNode("K INT KEY")};
  plans.merge.merges_partials = true;
  int next = 1;
  for (physical::AggregateCall& call : plans.merge.calls) {
    call.args.resize(call.function->partial_types.size());
    for (int& arg : call.args) arg = next++;
  }
  return plans;
}

std::unique_ptr<Operator> Open(const physical::Node& node, TaskContext& context, Operator& next) {
  Result<std::unique_ptr<Operator>> made = MakeOperator(test::WithStores(node));
  EXPECT_TRUE(made.ok()) << made.status().message();
  (*made)->set_output(Emitter(&next, 0));
  EXPECT_TRUE((*made)->Open(context).ok());
  return std::move(*made);
}

/// What comes out at the end, and what was dropped on the way.
struct Outcome {
  std::map<std::string, std::string> rows;
  int64_t late = 0, after_idle = 0;
  bool operator==(const Outcome&) const = default;
};

class Feed {
 public:
  Feed(std::mt19937& random, int partitions, int rows, int keys) : partitions_(partitions) {
    for (int partition = 0; partition < partitions; ++partition) {
      std::string text;
      int64_t time = 0;
      for (int row = 0; row < rows; ++row) {
        time += static_cast<int64_t>(random() % 6);
        const int64_t at = std::max<int64_t>(0, time - static_cast<int64_t>(random() % 90));
        const bool has_value = random() % 8 != 0, has_key = random() % 50 != 0;
        const auto number = [&](uint32_t below) { return std::to_string(random() % below); };
        text += std::to_string(at) + " | " + (has_key ? number(keys) : "null") + ", " +
                (has_value ? number(100) : "null") + ", " + (has_value ? "t" + number(9) : "null") +
                "\n";
      }
      parts_.push_back(test::ChunkFromText(*SchemaFromText("K INT KEY, V BIGINT, T STRING"), text));
    }
  }

  /// Gives each batch of `cut` rows of each partition in turn, then the stream time of them all.
  void Run(int32_t cut, const std::function<void(int partition, Chunk)>& push,
           const std::function<void(int64_t)>& advance) const {
    std::vector<int64_t> highest(partitions_, INT64_MIN);
    for (int32_t from = 0; from < parts_[0].rows; from += cut) {
      for (int partition = 0; partition < partitions_; ++partition) {
        const Chunk& all = parts_[partition];
        std::vector<int32_t> rows;
        std::vector<int64_t> clock;
        for (int32_t row = from; row < std::min(from + cut, all.rows); ++row) {
          if (!all.columns[0]->IsNull(row)) {
            highest[partition] =
                std::max(highest[partition], all.row_time()->values<int64_t>()[row]);
          }
          rows.push_back(row);
          clock.push_back(highest[partition]);
        }
        Chunk batch = GatherChunk(all, rows);
        batch.source = 0;
        batch.source_partition = partition;
        batch.sys(SystemColumn::kStreamTime) = MakeInt64Column(DataType::Bigint(), clock);
        push(partition, std::move(batch));
      }
      advance(*std::min_element(highest.begin(), highest.end()));
    }
  }

 private:
  int partitions_;
  std::vector<Chunk> parts_;
};

Outcome OutcomeOf(test::Sink& sink, test::FakeContext& context) {
  return {FinalRows(sink.lines, 1), context.dropped["late"], context.dropped["late_after_idle"]};
}

Outcome RunDirect(const Plans& plans, const Feed& feed, int32_t cut) {
  test::FakeContext context;
  context.every_change = false;
  test::Sink sink;
  std::unique_ptr<Operator> aggregate = Open(plans.direct, context, sink);
  feed.Run(
      cut, [&](int, Chunk batch) { EXPECT_TRUE(aggregate->OnBatch(0, std::move(batch)).ok()); },
      [&](int64_t time) { EXPECT_TRUE(aggregate->OnStreamTime(0, time).ok()); });
  EXPECT_TRUE(aggregate->CloseWindows().ok());
  return OutcomeOf(sink, context);
}

/// One task a source partition in front, one behind. With `restart` all start anew at each step.
Outcome RunInParts(const Plans& plans, const Feed& feed, int partitions, int32_t cut,
                   bool restart) {
  std::vector<test::FakeContext> contexts(partitions + 1);
  test::FakeContext& context = contexts.back();
  for (test::FakeContext& each : contexts) each.every_change = false;
  test::Sink sink;
  std::unique_ptr<Operator> merge = Open(plans.merge, context, sink);
  std::vector<std::unique_ptr<Operator>> parts(partitions);
  for (int i = 0; i < partitions; ++i) parts[i] = Open(plans.partial, contexts[i], *merge);
  feed.Run(
      cut,
      [&](int partition, Chunk batch) {
        batch.sys(SystemColumn::kStreamTime) = nullptr;
        EXPECT_TRUE(parts[partition]->OnBatch(0, std::move(batch)).ok());
      },
      [&](int64_t time) {
        EXPECT_TRUE(merge->OnStreamTime(0, time).ok());
        if (!restart) return;
        EXPECT_TRUE(merge->OnBarrier().ok());
        merge = Open(plans.merge, context, sink);
        for (int i = 0; i < partitions; ++i) {
          EXPECT_TRUE(parts[i]->OnBarrier().ok());
          parts[i] = Open(plans.partial, contexts[i], *merge);
        }
      });
  EXPECT_TRUE(merge->CloseWindows().ok());
  Outcome outcome = OutcomeOf(sink, context);
  for (int i = 0; i < partitions; ++i) outcome.late += contexts[i].dropped["late"];
  return outcome;
}

TEST(PartialAggregate, PartsAndMergeAreTheAggregate) {
  std::mt19937 random(7);
  const Plans kinds[] = {MakePlans(WindowKind::kNone), MakePlans(WindowKind::kTumbling, 60, 60, 15),
                         MakePlans(WindowKind::kHopping, 60, 20, 10)};
  for (int round = 0; round < 6; ++round) {
    for (const Plans& plans : kinds) {
      const int partitions = 1 + round % 3;
      const Feed feed(random, partitions, 300, round == 5 ? 100000 : 6);
      const Outcome wanted = RunDirect(plans, feed, 1);
      if (plans.direct.emit_final) {
        EXPECT_GT(wanted.late, 0);
      }
      for (int32_t cut : {1, 7, 1000}) {
        EXPECT_EQ(RunInParts(plans, feed, partitions, cut, false), wanted) << cut;
      }
      EXPECT_EQ(RunInParts(plans, feed, partitions, 50, true), wanted);
    }
  }
}

TEST(PartialAggregate, GoesOnWhereGroupsAreAsManyAsRows) {
  std::mt19937 random(11);
  const Plans plans = MakePlans(WindowKind::kHopping, 60, 20, 10);
  const Feed feed(random, 1, 12000, 1000000);
  EXPECT_EQ(RunInParts(plans, feed, 1, 4096, false), RunDirect(plans, feed, 4096));
}

TEST(PartialAggregate, GivesOneRowAGroup) {
  Plans plans = MakePlans(WindowKind::kTumbling, 10, 10, 0);
  plans.partial.calls = {Aggregate("COUNT", {}, {}), Aggregate("SUM", {DataType::Bigint()}, {1})};
  Harness run(plans.partial);
  run.Push(0, R"(
    1 | 1, 5, a
    12 | 1, 7, a
    2 | 1, 1, a
    3 | 2, 1, a
    15 | 1, 2, a
    11 | 2, 4, null)");
  EXPECT_EQ(run.Take(), Lines("+ 1 @0-10 | 1, 1, 5\n+ 15 @10-20 | 1, 2, 9\n+ 11 @10-20 | 2, 1, 4"));
  EXPECT_EQ(run.context().dropped["late"], 2);
  run.Restart();
  run.Push(0, "9 | 1, 1, a\n10 | 1, null, a");
  EXPECT_EQ(run.Take(), Lines("+ 10 @10-20 | 1, 1, 0"));
  EXPECT_EQ(run.context().dropped["late"], 3);
}

TEST(PartialAggregate, PartialsOfAClosedWindowStayOut) {
  Plans plans = MakePlans(WindowKind::kTumbling, 10, 10, 0);
  test::FakeContext context;
  test::Sink sink;
  std::unique_ptr<Operator> merge = Open(plans.merge, context, sink);
  std::unique_ptr<Operator> part = Open(plans.partial, context, *merge);
  ASSERT_TRUE(merge->OnStreamTime(0, 10).ok());
  ASSERT_TRUE(part->OnBatch(0, test::ChunkFromText(*plans.partial.inputs[0]->schema,
                                                   "9 | 1, 1, a\n10 | 1, 1, a"))
                  .ok());
  ASSERT_TRUE(merge->CloseWindows().ok());
  EXPECT_EQ(sink.lines, Lines("+ 10 @10-20 | 1, 1, 1, 1, 1, 1, 1.0, 1"));
  EXPECT_EQ(context.dropped["late_after_idle"], 1);
  EXPECT_EQ(context.dropped["late"], 0);
}

}  // namespace
}  // namespace weir
