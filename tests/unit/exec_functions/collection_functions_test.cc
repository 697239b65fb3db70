#include <gtest/gtest.h>

#include "exec/functions/builtin_functions.h"
#include "tests/unit/exec_functions/function_calls.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the words of these tests.

const DataType kInts = DataType::Array(DataType::Int());

TEST(CollectionFunctions, Sets) {
  EXPECT_EQ(Eval("ARRAY_DISTINCT", {Texts({"foo", nullptr, "foo", nullptr})}), R"(["foo",null])");
  EXPECT_EQ(Eval("ARRAY_EXCEPT", {Ints({0, 0, 1, 0, -1}), Ints({1, -2})}), "[0,-1]");
  EXPECT_EQ(Eval("ARRAY_INTERSECT", {Ints({0, 0, 1, 0, -1}), Ints({1, -2, 0})}), "[0,1]");
  EXPECT_EQ(Eval("ARRAY_UNION", {Ints({0, 0, 1, 0, -1}), Ints({1, -2, 0})}), "[0,1,-1,-2]");
  EXPECT_EQ(Eval("ARRAY_UNION", {Ints({0}), NullOf(kInts)}), "null");
  EXPECT_EQ(Eval("ARRAY_CONCAT", {Ints({0}), NullOf(kInts)}), "[0]");
  EXPECT_EQ(Eval("ARRAY_CONCAT", {NullOf(kInts), NullOf(kInts)}), "null");
  Value::Items many;
  for (int32_t i = 0; i < 5000; ++i) many.emplace_back(i % 100);
  EXPECT_EQ(Eval("ARRAY_LENGTH", {Call("ARRAY_DISTINCT", {Arr(DataType::Int(), many)})}), "100");
}

TEST(CollectionFunctions, Elements) {
  EXPECT_EQ(Eval("ARRAY_MAX", {Texts({"foo", "fo", "Food", nullptr, "F", "food"})}), "food");
  EXPECT_EQ(Eval("ARRAY_MIN", {Texts({"foo", "fo", "Food", nullptr, "F", "food"})}), "F");
  EXPECT_EQ(Eval("ARRAY_MAX", {Ints({})}), "null");
  EXPECT_EQ(Eval("ARRAY_SORT", {Texts({"b", nullptr, "a"}), Lit("desc")}), R"(["b","a",null])");
  EXPECT_EQ(Eval("ARRAY_SORT", {Texts({"b", nullptr, "a"})}), R"(["a","b",null])");
  EXPECT_EQ(Eval("ARRAY_REMOVE", {Texts({"a", nullptr, "b"}), NoText()}), R"(["a","b"])");
  EXPECT_EQ(Eval("ARRAY_CONTAINS", {Ints({1, 2}), Lit(2)}), "true");
  EXPECT_EQ(Eval("ARRAY_CONTAINS", {NullOf(kInts), Lit(2)}), "false");
  EXPECT_EQ(Eval("ARRAY_JOIN", {Texts({"a", nullptr, "b"}), Lit("|")}), "a|null|b");
  EXPECT_EQ(Eval("ARRAY_JOIN", {Ints({1, 23}), NoText()}), "123");
  EXPECT_EQ(Eval("SLICE", {Ints({1, 2, 3, 4}), Lit(2), Lit(3)}), "[2,3]");
  EXPECT_EQ(Eval("SLICE", {Ints({1, 2, 3, 4}), NoInt(), Lit(2)}), "[1,2]");
  EXPECT_EQ(Eval("SLICE", {Ints({1, 2, 3, 4}), Lit(2), Lit(5)}), "null");
  EXPECT_EQ(Eval("GENERATE_SERIES", {Lit(-2), Lit(1)}), "[-2,-1,0,1]");
  EXPECT_EQ(Eval("GENERATE_SERIES", {Lit(4), Lit(0)}), "[4,3,2,1,0]");
  EXPECT_EQ(Eval("GENERATE_SERIES", {Lit(0), Lit(5), Lit(2)}), "[0,2,4]");
  EXPECT_EQ(Eval("GENERATE_SERIES", {Lit(0), Lit(5), Lit(-2)}), "null!");
  EXPECT_EQ(Eval("GENERATE_SERIES", {Lit(int64_t{0}), Lit(INT64_MAX)}), "null!");
  EXPECT_EQ(Eval("ELT", {Lit(2), Lit("a"), Lit("b")}), "b");
  EXPECT_EQ(Eval("ELT", {Lit(3), Lit("a"), Lit("b")}), "null");
  EXPECT_EQ(Eval("FIELD", {Lit("hello"), NoText(), Lit("hello")}), "2");
  EXPECT_EQ(Eval("FIELD", {Lit("hello"), NoText()}), "0");
}

BoundExprPtr Map(std::vector<std::pair<const char*, int32_t>> entries) {
  Value::Entries values;
  for (const auto& [key, value] : entries) {
    values.emplace_back(Value(std::string(key)), Value(value));
  }
  return Lit(DataType::Map(DataType::String(), DataType::Int()), Value(std::move(values)));
}

TEST(CollectionFunctions, Maps) {
  EXPECT_EQ(Eval("MAP_UNION", {Map({{"a", 1}, {"b", 2}}), Map({{"a", 3}})}), R"({"a":3,"b":2})");
  EXPECT_EQ(Eval("MAP_KEYS", {Map({{"a", 1}, {"b", 2}})}), R"(["a","b"])");
  EXPECT_EQ(Eval("MAP_VALUES", {Map({{"a", 1}, {"b", 2}})}), "[1,2]");
  EXPECT_EQ(Eval("AS_MAP", {Texts({"a", "b", "a"}), Ints({1, 2, 3})}), R"({"a":3,"b":2})");
  EXPECT_EQ(Eval("ENTRIES", {Map({{"b", 1}, {"a", 2}}), Lit(true)}),
            R"([{"K":"a","V":2},{"K":"b","V":1}])");
}

TEST(LambdaFunctions, OverArrays) {
  const DataType integer = DataType::Int();
  const BoundExprPtr x = Param(0, integer);
  const auto above = Lambda(0, 1, Call(">", {x, Lit(5)}));
  EXPECT_EQ(Eval("FILTER", {Ints({3, 6, 2, 10}), above}), "[6,10]");
  EXPECT_EQ(Eval("FILTER", {NullOf(kInts), above}), "null");
  const auto plus = Lambda(0, 1, Call("+", {x, Lit(5)}));
  EXPECT_EQ(Eval("TRANSFORM", {Ints({3, 6}), plus}), "[8,11]");
  const auto sum = Lambda(0, 2, Call("+", {x, Param(1, integer)}));
  EXPECT_EQ(Eval("REDUCE", {Ints({3, 6}), Lit(2), sum}), "11");
  EXPECT_EQ(Eval("REDUCE", {NullOf(kInts), Lit(2), sum}), "2");
  EXPECT_EQ(Eval("REDUCE", {Ints({1, 2}), NoInt(), sum}), "null");
  EXPECT_EQ(Eval("REDUCE", {Ints({}), Lit(2), sum}), "2");
}

TEST(LambdaFunctions, ManyRowsOfDifferentLengths) {
  std::vector<Value> lists;
  std::string sums;
  for (int32_t row = 0; row < 50; ++row) {
    Value::Items items;
    int32_t sum = 100;
    for (int32_t i = 0; i < row % 7; ++i) {
      items.emplace_back(row + i);
      sum += row + i;
    }
    lists.push_back(row % 11 == 10 ? Value() : Value(std::move(items)));
    if (row % 11 == 10) sum = 100;
    sums += (row == 0 ? "" : " ") + std::to_string(sum);
  }
  const Chunk chunk = MakeChunk({MakeColumn(kInts, lists)});
  const auto body = Lambda(0, 2, Call("+", {Param(0, DataType::Int()), Param(1, DataType::Int())}));
  EXPECT_EQ(ValuesOf(Call("REDUCE", {Col(0, kInts), Lit(100), body}), chunk), sums);
}

TEST(LambdaFunctions, OverMaps) {
  const BoundExprPtr key = Param(0, DataType::String());
  const BoundExprPtr value = Param(1, DataType::Int());
  EXPECT_EQ(Eval("FILTER", {Map({{"a", 1}, {"b", 2}}), Lambda(0, 2, Call(">", {value, Lit(1)}))}),
            R"({"b":2})");
  const auto upper = Lambda(0, 2, Call("UCASE", {key}));
  const auto doubled = Lambda(0, 2, Call("+", {value, value}));
  EXPECT_EQ(Eval("TRANSFORM", {Map({{"a", 1}, {"b", 2}}), upper, doubled}), R"({"A":2,"B":4})");
  EXPECT_EQ(Eval("TRANSFORM", {Map({{"a", 1}, {"A", 2}}), upper, doubled}), "null!");
}

std::string Explode(std::string_view name, const ColumnPtr& lists, const DataType& result) {
  for (const TableFunctionRow& row : TableFunctions()) {
    if (row.name != name) continue;
    EvalContext context;
    const std::vector<uint8_t> active(static_cast<size_t>(lists->length()) / 8 + 1, 0xFF);
    KernelCall call{.rows = lists->length(),
                    .args = {&lists, 1},
                    .active = active.data(),
                    .return_type = &result,
                    .context = &context};
    std::vector<int32_t> counts;
    ColumnBuilder out(result);
    row.kernel(call, counts, out);
    const ColumnPtr values = out.Finish();
    std::string text;
    for (const int32_t count : counts) text += std::to_string(count) + " ";
    for (int32_t i = 0; i < values->length(); ++i) text += values->ToText(i) + ";";
    return text;
  }
  return "no such function";
}

TEST(TableFunctions, Explode) {
  const ColumnPtr lists = MakeColumn(kInts, {Value(Value::Items{Value(1), Value()}), Value(),
                                             Value(Value::Items{}), Value(Value::Items{Value(3)})});
  EXPECT_EQ(Explode("EXPLODE", lists, DataType::Int()), "2 0 0 1 1;null;3;");
  EXPECT_EQ(Explode("CUBE_EXPLODE", lists, kInts), "2 0 1 2 [null,null];[1,null];[];[null];[3];");
  const ColumnPtr pair = MakeColumn(kInts, {Value(Value::Items{Value(1), Value(2)})});
  EXPECT_EQ(Explode("CUBE_EXPLODE", pair, kInts), "4 [null,null];[null,2];[1,null];[1,2];");
}

}  // namespace
}  // namespace weir
