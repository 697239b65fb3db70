#include <gtest/gtest.h>

#include "exec/functions/builtin_functions.h"
#include "tests/unit/exec_functions/aggregate_calls.h"

namespace weir {
namespace {

using testing::AggregateCall;

Value I(int32_t value) { return Value(value); }
Value L(int64_t value) { return Value(value); }
Value D(double value) { return Value(value); }
Value S(const char* text) { return Value(std::string(text)); }
const Value kNull;

TEST(Aggregates, Count) {
  AggregateCall count("COUNT", {DataType::Int()});
  EXPECT_EQ(count.AddEach({I(5), kNull, I(5)}), "1 1 2");
  count.Undo(0, {{I(5)}, {kNull}});
  EXPECT_EQ(count.Result(), "1");
  AggregateCall all("COUNT", {});
  EXPECT_EQ(all.AddEach(3, {{}, {}}), "1 2");
}

TEST(Aggregates, WhatIsResetGivesItsMemoryBack) {
  AggregateCall last("LATEST_BY_OFFSET", {DataType::String()});
  const std::string text(1000, 'x');
  const size_t empty = last.states().ByteSize();
  last.AddEach({Value(text)});
  const size_t held = last.states().ByteSize();
  EXPECT_GE(held, empty + text.size());
  for (int i = 0; i < 3; ++i) {
    last.states().Reset(0);
    EXPECT_EQ(last.states().ByteSize(), empty);
    last.AddEach({Value(text)});
    EXPECT_EQ(last.states().ByteSize(), held);
  }
}

TEST(Aggregates, SumsKeepTheirType) {
  AggregateCall sum("SUM", {DataType::Int()});
  EXPECT_EQ(sum.Result(), "0");
  EXPECT_EQ(sum.AddEach({I(5), kNull, I(INT32_MAX)}), "5 5 -2147483644");
  AggregateCall longs("SUM", {DataType::Bigint()});
  EXPECT_EQ(longs.AddEach({L(2147483648), L(100)}), "2147483648 2147483748");
  AggregateCall doubles("SUM", {DataType::Double()});
  EXPECT_EQ(doubles.AddEach({D(10), D(0.5)}), "10.0 10.5");
}

TEST(Aggregates, DecimalSumsThatOverflowAreReported) {
  AggregateCall sum("SUM", {DataType::Decimal(4, 1)});
  RowErrors errors;
  sum.states().set_errors(&errors);
  EXPECT_EQ(sum.AddEach({Value(Int128{5009}), Value(Int128{3008}), Value(Int128{4008})}),
            "500.9 801.7 801.7");
  EXPECT_EQ(errors.count(), 1);
}

TEST(Aggregates, Average) {
  AggregateCall average("AVG", {DataType::Bigint()});
  EXPECT_EQ(average.Result(), "0.0");
  EXPECT_EQ(average.AddEach({L(-1), L(INT64_MAX), L(1), kNull}),
            "-1.0 4.611686018427388E18 3.0744573456182584E18 3.0744573456182584E18");
  AggregateCall ints("AVG", {DataType::Int()});
  EXPECT_EQ(ints.AddEach({I(1), I(2)}), "1.0 1.5");
  ints.Undo(0, {{I(1)}});
  EXPECT_EQ(ints.Result(), "2.0");
}

TEST(Aggregates, MinAndMax) {
  AggregateCall min("MIN", {DataType::Int()});
  EXPECT_EQ(min.AddEach({kNull, I(5), I(-7), I(6)}), "null 5 -7 -7");
  AggregateCall max("MAX", {DataType::String()});
  EXPECT_EQ(max.AddEach({kNull, S("b"), S("a"), S("\xEF\xBF\xBD"), S("😀")}),
            "null b b \xEF\xBF\xBD \xEF\xBF\xBD");  // UTF-16 puts surrogates first.
  AggregateCall bytes("MAX", {DataType::Bytes()});
  EXPECT_EQ(bytes.AddEach({S("a"), S("\xF0")}), "YQ== 8A==");
}

TEST(Aggregates, LatestAndEarliest) {
  AggregateCall latest("LATEST_BY_OFFSET", {DataType::Int()});
  EXPECT_EQ(latest.AddEach({kNull, I(12), kNull, I(13)}), "null 12 12 13");
  AggregateCall with_nulls("LATEST_BY_OFFSET", {DataType::String()}, {Value(false)});
  EXPECT_EQ(with_nulls.AddEach({S("a"), kNull, S("b")}), "a null b");
  AggregateCall two("LATEST_BY_OFFSET", {DataType::Int()}, {Value(2), Value(false)});
  EXPECT_EQ(two.AddEach({I(12), kNull, I(13)}), "[12] [12,null] [null,13]");
  AggregateCall earliest("EARLIEST_BY_OFFSET", {DataType::Int()}, {Value(false)});
  EXPECT_EQ(earliest.AddEach({kNull, I(13)}), "null null");
  AggregateCall first_two("EARLIEST_BY_OFFSET", {DataType::Int()}, {Value(2)});
  EXPECT_EQ(first_two.AddEach({kNull, I(1), I(2), I(3)}), "[] [1] [1,2] [1,2]");
}

TEST(Aggregates, MergedSessionsKeepTheOrderOfArrival) {
  AggregateCall latest("LATEST_BY_OFFSET", {DataType::Int()});
  latest.AddEach(1, {{I(1)}});
  latest.AddEach(2, {{I(2)}});
  latest.states().Merge(0, 2);
  latest.states().Merge(0, 1);
  EXPECT_EQ(latest.Result(), "2");
  AggregateCall some("EARLIEST_BY_OFFSET", {DataType::Int()}, {Value(2), Value(false)});
  some.AddEach(1, {{kNull}});
  some.AddEach(2, {{I(1)}});
  some.states().Merge(0, 2);
  some.states().Merge(0, 1);
  EXPECT_EQ(some.Result(), "[null,1]");
}

TEST(Aggregates, Collections) {
  AggregateCall list("COLLECT_LIST", {DataType::Int()});
  EXPECT_EQ(list.AddEach({I(1), kNull, I(1)}), "[1] [1,null] [1,null,1]");
  list.Undo(0, {{I(1)}});  // The last one.
  EXPECT_EQ(list.Result(), "[1,null]");
  AggregateCall set("COLLECT_SET", {DataType::String()});
  EXPECT_EQ(set.AddEach({S("foo"), S("bar"), S("foo"), kNull, kNull}),
            R"(["foo"] ["foo","bar"] ["foo","bar"] ["foo","bar",null] ["foo","bar",null])");
  const DataType maps = DataType::Map(DataType::String(), DataType::Int());
  AggregateCall set_of_maps("COLLECT_SET", {maps});
  set_of_maps.AddEach({Value(Value::Entries{{S("a"), I(1)}, {S("b"), I(2)}}),
                       Value(Value::Entries{{S("b"), I(2)}, {S("a"), I(1)}})});
  EXPECT_EQ(set_of_maps.Result(), R"([{"a":1,"b":2}])");
  AggregateCall histogram("HISTOGRAM", {DataType::String()});
  histogram.AddEach({S("a"), S("b"), S("a"), kNull});
  EXPECT_EQ(histogram.Result(), R"({"a":2,"b":1})");
  histogram.Undo(0, {{S("b")}});
  EXPECT_EQ(histogram.Result(), R"({"a":2})");
}

TEST(Aggregates, CollectionsStopAtTheirLimit) {
  AggregateCall set("COLLECT_SET", {DataType::Int()});
  std::vector<Value> values;
  for (int32_t i = 0; i < 3000; ++i) values.push_back(I(i % 1500));
  set.AddEach(values);
  const ColumnPtr column = [&] {
    ColumnBuilder out(set.overload().return_type);
    const uint32_t group = 0;
    set.states().Results({&group, 1}, out);
    return out.Finish();
  }();
  EXPECT_EQ(column->child(0)->length(), 1000);
  // The planner adds the setting's value as a further constant.
  const Value one(1);
  const auto states =
      RowOf(set.overload())
          .make(set.overload().parameter_types, {&one, 1}, set.overload().return_type);
  states->Resize(1);
  const auto columns = set.Columns({{I(7)}, {I(8)}});
  states->Add(columns, std::vector<int32_t>{0, 1}, std::vector<uint32_t>{0, 0});
  EXPECT_EQ(set.ResultOf(*states, 0), "[7]");
}

TEST(Aggregates, Attr) {
  AggregateCall attr("ATTR", {DataType::String()});
  EXPECT_EQ(attr.AddEach({S("1"), S("1"), kNull, S("1")}), "1 1 null null");
  attr.Undo(0, {{kNull}});
  EXPECT_EQ(attr.Result(), "1");
}

TEST(Aggregates, Topk) {
  AggregateCall topk("TOPK", {DataType::Int()}, {Value(3)});
  EXPECT_EQ(topk.AddEach({I(0), I(100), I(99), I(7), kNull, I(100)}),
            "[0] [100,0] [100,99,0] [100,99,7] [100,99,7] [100,100,99]");
  AggregateCall distinct("TOPKDISTINCT", {DataType::String()}, {Value(3)});
  EXPECT_EQ(distinct.AddEach({S("a"), S("b"), S("b"), S("d"), S("c")}),
            R"(["a"] ["b","a"] ["b","a"] ["d","b","a"] ["d","c","b"])");
  AggregateCall structs("TOPK", {DataType::Int(), DataType::String()}, {Value(2)});
  EXPECT_EQ(structs.AddEach(0, {{I(0), S("zero")}, {I(100), S("one")}, {I(100), kNull}}),
            R"([{"sort_col":0,"col0":"zero"}] )"
            R"([{"sort_col":100,"col0":"one"},{"sort_col":0,"col0":"zero"}] )"
            R"([{"sort_col":100,"col0":"one"},{"sort_col":100,"col0":null}])");
}

TEST(Aggregates, Statistics) {
  AggregateCall variance("STDDEV_SAMP", {DataType::Int()});
  EXPECT_EQ(variance.AddEach({I(0), I(10), I(7), kNull, I(6)}),
            "0.0 50.0 26.333333333333332 26.333333333333332 17.583333333333332");
  AggregateCall deviation("STDDEV_SAMPLE", {DataType::Int()});
  EXPECT_EQ(deviation.AddEach({I(0), I(10)}), "0.0 7.0710678118654755");
  AggregateCall correlation("CORRELATION", {DataType::Int(), DataType::Int()});
  EXPECT_EQ(correlation.AddEach(0, {{I(1), I(8)}, {I(-1), I(-2)}, {I(-4), I(-1)}, {kNull, I(-6)}})
                .substr(0, 12),
            "NaN 1.0 0.74");
  AggregateCall list("SUM_LIST", {DataType::Array(DataType::Int())});
  EXPECT_EQ(list.AddEach({Value(Value::Items{I(1), I(1)}), kNull,
                          Value(Value::Items{I(100), I(100), kNull})}),
            "2 2 202");
}

TEST(Aggregates, CountDistinctIsExactThenClose) {
  AggregateCall count("COUNT_DISTINCT", {DataType::Int()});
  EXPECT_EQ(count.AddEach({I(1), I(2), I(1), kNull}), "1 2 2 2");
  std::vector<std::vector<Value>> rows;
  for (int32_t i = 0; i < 100'000; ++i) rows.push_back({I(i % 20'000)});
  count.AddEach(1, rows);
  EXPECT_NEAR(std::stod(count.Result(1)), 20'000, 800);
  EXPECT_GT(count.states().ByteSize(), 4096u);
}

}  // namespace
}  // namespace weir
