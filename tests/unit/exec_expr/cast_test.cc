#include <gtest/gtest.h>

#include "base/type_rules.h"
#include "tests/unit/exec_expr/expr_builder.h"

namespace weir {
namespace {

using testing::CastTo;
using testing::Col;
using testing::Lit;
using testing::MakeChunk;
using testing::MakeColumn;
using testing::ValuesOf;

Value Text(const char* text) { return Value(std::string(text)); }

TEST(Cast, TextToNumbersFailsRowByRow) {
  const Chunk chunk =
      MakeChunk({MakeColumn(DataType::String(), {Text("12"), Text("x"), Value(), Text(" -7 ")})});
  EXPECT_EQ(ValuesOf(CastTo(Col(0, DataType::String()), DataType::Int()), chunk),
            "12 null null -7!");
  EXPECT_EQ(ValuesOf(CastTo(Col(0, DataType::String()), DataType::Decimal(4, 2)), chunk),
            "12.00 null null -7.00!");
  EXPECT_EQ(ValuesOf(CastTo(Col(0, DataType::String()), DataType::Double()), chunk),
            "12.0 null null -7.0!");
  EXPECT_EQ(ValuesOf(CastTo(Col(0, DataType::String()), DataType::Boolean()), chunk),
            "false false null false");
}

TEST(Cast, NumbersNarrowAsInJava) {
  EXPECT_EQ(ValuesOf(CastTo(Lit(int64_t{2147483648}), DataType::Int())), "-2147483648");
  EXPECT_EQ(ValuesOf(CastTo(Lit(1e20), DataType::Int())), "2147483647");
  EXPECT_EQ(ValuesOf(CastTo(Lit(-2.9), DataType::Bigint())), "-2");
  EXPECT_EQ(ValuesOf(CastTo(testing::Decimal(-299, 5, 2), DataType::Int())), "-2");
  EXPECT_EQ(ValuesOf(CastTo(testing::Decimal(1012, 4, 2), DataType::Decimal(5, 3))), "10.120");
  EXPECT_EQ(ValuesOf(CastTo(testing::Decimal(1012, 4, 2), DataType::Decimal(3, 2))), "null!");
  EXPECT_EQ(ValuesOf(CastTo(Lit(10.155), DataType::Decimal(5, 2))), "10.16");
  EXPECT_EQ(ValuesOf(CastTo(testing::Decimal(1, 38, 38), DataType::Double())), "1.0E-38");
}

TEST(Cast, ToText) {
  const DataType string = DataType::String();
  EXPECT_EQ(ValuesOf(CastTo(Lit(1e10), string)), "1.0E10");
  EXPECT_EQ(ValuesOf(CastTo(Lit(true), string)), "true");
  EXPECT_EQ(ValuesOf(CastTo(Lit(DataType::Date(), Value(int32_t{4})), string)), "1970-01-05");
  const DataType record = DataType::Struct({{"F0", DataType::Int()}, {"f1", DataType::Int()}});
  const Value items(Value::Items{Value(int32_t{1}), Value(int32_t{3})});
  EXPECT_EQ(ValuesOf(CastTo(Lit(record, items), string)), "Struct{F0=1,f1=3}");
  EXPECT_EQ(ValuesOf(CastTo(Lit(DataType::Array(DataType::Int()), items), string)), "[1, 3]");
  const DataType map = DataType::Map(DataType::String(), DataType::Int());
  EXPECT_EQ(
      ValuesOf(CastTo(Lit(map, Value(Value::Entries{{Text("this"), Value(int32_t{1})}})), string)),
      "{this=1}");
}

TEST(Cast, Times) {
  EXPECT_EQ(ValuesOf(CastTo(Lit("1970-01"), DataType::Date())), "1970-01-01");
  EXPECT_EQ(ValuesOf(CastTo(Lit("foo"), DataType::Date())), "null!");
  EXPECT_EQ(ValuesOf(CastTo(Lit("00:00:00.010"), DataType::Time())), "00:00:00.010");
  const BoundExprPtr timestamp = Lit(DataType::Timestamp(), Value(int64_t{-1}));
  EXPECT_EQ(ValuesOf(CastTo(timestamp, DataType::Date())), "1969-12-31");
  EXPECT_EQ(ValuesOf(CastTo(timestamp, DataType::Time())), "23:59:59.999");
  EXPECT_EQ(ValuesOf(CastTo(Lit(DataType::Date(), Value(int32_t{1})), DataType::Timestamp())),
            "1970-01-02T00:00:00.000");
}

TEST(Cast, NestedElementByElement) {
  const DataType from = DataType::Array(DataType::Array(DataType::String()));
  const DataType to = DataType::Array(DataType::Array(DataType::Int()));
  const Value inner(Value::Items{Text("1"), Text("x"), Value()});
  const Chunk chunk = MakeChunk({MakeColumn(
      from, {Value(Value::Items{inner, Value()}), Value(), Value(Value::Items{inner})})});
  EXPECT_EQ(ValuesOf(CastTo(Col(0, from), to), chunk),
            "[[1,null,null],null] null [[1,null,null]]!!");
  Chunk selected = chunk;
  selected.selection = std::make_shared<Selection>(Selection{0, 1});
  EXPECT_EQ(ValuesOf(CastTo(Col(0, from), to), selected).back(), '!');
  const std::string text = ValuesOf(CastTo(Col(0, from), to), selected);
  EXPECT_EQ(std::count(text.begin(), text.end(), '!'), 1);
}

TEST(Cast, StructsByFieldName) {
  const DataType from = DataType::Struct({{"F0", DataType::Bigint()}, {"F1", DataType::String()}});
  const DataType to = DataType::Struct({{"F0", DataType::String()}, {"F3", DataType::String()}});
  const Value items(Value::Items{Value(int64_t{1}), Text("3")});
  EXPECT_EQ(ValuesOf(CastTo(Lit(from, items), to)), R"({"F0":"1","F3":null})");
}

TEST(Cast, WhatDoesNotExistIsRefused) {
  const Result<Value> value = CastValue(Text("x"), DataType::String(), DataType::Bytes());
  ASSERT_FALSE(value.ok());
  EXPECT_EQ(value.status().code(), ErrorCode::kInvalidCast);
  EXPECT_EQ(CastValue(Text("x"), DataType::String(), DataType::Int()).status().code(),
            ErrorCode::kExpressionError);
  EXPECT_EQ(CastValue(Text("5"), DataType::String(), DataType::Int())->as<int32_t>(), 5);
  EXPECT_FALSE(CanCast(DataType::Boolean(), DataType::Int()));
}

TEST(TypeRules, CommonTypes) {
  EXPECT_EQ(CommonType(DataType::Int(), DataType::Bigint()), DataType::Bigint());
  EXPECT_EQ(CommonType(DataType::Int(), DataType::Decimal(4, 2)), DataType::Decimal(12, 2));
  EXPECT_EQ(CommonType(DataType::Decimal(4, 2), DataType::Double()), DataType::Double());
  EXPECT_EQ(CommonType(DataType::String(), DataType::Int()), std::nullopt);
  const DataType whole = DataType::Decimal(38, 0), fraction = DataType::Decimal(38, 10);
  EXPECT_EQ(CommonType(whole, fraction), DataType::Decimal(38, 6));
  EXPECT_EQ(CommonType(whole, fraction, DecimalExcess::kDropsWhole), DataType::Decimal(38, 10));
  const DataType xy = DataType::Struct({{"X", DataType::Int()}, {"Y", DataType::Bigint()}});
  const DataType yz = DataType::Struct({{"Y", DataType::Int()}, {"Z", DataType::Bigint()}});
  EXPECT_EQ(CommonType(xy, yz)->ToString(), "STRUCT<`X` INTEGER, `Y` BIGINT, `Z` BIGINT>");
  EXPECT_EQ(ImplicitCost(DataType::Bigint(), DataType::Int()), -1);
  EXPECT_GE(ImplicitCost(DataType::Int(), DataType::Double()), 1);
}

}  // namespace
}  // namespace weir
