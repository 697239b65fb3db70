#include "exec/functions/signature.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

/// The match's types as text: "INTEGER, BIGINT -> STRING (cost)".
std::string Match(const char* text, const std::vector<ArgumentType>& arguments,
                  const LambdaBinder& bind = {}) {
  const Result<Signature> signature = ParseSignature(text);
  if (!signature.ok()) return signature.status().message();
  const auto match = MatchSignature(*signature, arguments, bind);
  if (!match.ok()) return match.status().message();
  if (!*match) return "none";
  std::string out;
  for (const DataType& type : (*match)->parameters) out += type.ToString() + " ";
  for (const DataType& type : (*match)->constants) out += ";" + type.ToString() + " ";
  return out + "-> " + (*match)->result.ToString() + " " + std::to_string((*match)->cost);
}

ArgumentType Of(DataType type) { return {.type = std::move(type)}; }
ArgumentType LambdaOf(int parameters) {
  return {.is_lambda = true, .lambda_parameters = parameters};
}
const ArgumentType kNull = Of(DataType::Null());
const ArgumentType kInt = Of(DataType::Int());
const ArgumentType kBigint = Of(DataType::Bigint());
const ArgumentType kString = Of(DataType::String());
const ArgumentType kInts = Of(DataType::Array(DataType::Int()));

TEST(Signature, PlainTypes) {
  EXPECT_EQ(Match("(STRING, n INT) -> STRING", {kString, kInt}), "STRING INTEGER -> STRING 0");
  EXPECT_EQ(Match("(DOUBLE) -> DOUBLE", {kInt}), "DOUBLE -> DOUBLE 3");
  EXPECT_EQ(Match("(INT) -> INT", {kBigint}), "none");
  EXPECT_EQ(Match("(INT) -> INT", {kNull}), "INTEGER -> INTEGER 0");
  EXPECT_EQ(Match("() -> DOUBLE", {}), "-> DOUBLE 0");
  EXPECT_EQ(Match("(INT) -> INT", {}), "none");
}

TEST(Signature, Variadic) {
  EXPECT_EQ(Match("(INT, STRING...) -> STRING", {kInt, kString, kString}),
            "INTEGER STRING STRING -> STRING 0");
  EXPECT_EQ(Match("(STRING...) -> STRING", {}), "-> STRING 0");
  EXPECT_EQ(Match("(STRING...) -> STRING", {kString, kInt}), "none");
}

TEST(Signature, Variables) {
  EXPECT_EQ(Match("(ARRAY<T>, T) -> BOOLEAN", {kInts, kBigint}),
            "ARRAY<BIGINT> BIGINT -> BOOLEAN 1");
  EXPECT_EQ(Match("(ARRAY<T>, T) -> T", {kInts, kString}), "none");
  EXPECT_EQ(Match("(T, T...) -> T", {kNull, kString, kNull}), "STRING STRING STRING -> STRING 0");
  EXPECT_EQ(Match("(MAP<K, V>) -> ARRAY<STRUCT<K K, V V>>",
                  {Of(DataType::Map(DataType::String(), DataType::Int()))}),
            "MAP<STRING, INTEGER> -> ARRAY<STRUCT<`K` STRING, `V` INTEGER>> 0");
}

TEST(Signature, Decimals) {
  EXPECT_EQ(Match("(DECIMAL, INT) -> DECIMAL", {Of(DataType::Decimal(5, 2)), kInt}),
            "DECIMAL(5, 2) INTEGER -> DECIMAL(5, 2) 0");
  EXPECT_EQ(Match("(DECIMAL) -> DECIMAL", {kBigint}), "DECIMAL(19, 0) -> DECIMAL(19, 0) 1");
  EXPECT_EQ(Match("(ARRAY<DECIMAL>) -> BOOLEAN", {Of(DataType::Array(DataType::Decimal(5, 2)))}),
            "ARRAY<DECIMAL(5, 2)> -> BOOLEAN 0");
  EXPECT_EQ(Match("(DECIMAL(6, 1)) -> INT", {Of(DataType::Decimal(5, 1))}),
            "DECIMAL(6, 1) -> INTEGER 1");
}

TEST(Signature, Lambdas) {
  const LambdaBinder to_string = [](int, std::span<const DataType> parameters) -> Result<DataType> {
    EXPECT_EQ(parameters[0], DataType::Int());
    return DataType::String();
  };
  EXPECT_EQ(Match("(ARRAY<T>, (T) => R) -> ARRAY<R>", {kInts, LambdaOf(1)}, to_string),
            "ARRAY<INTEGER> STRING -> ARRAY<STRING> 0");
  EXPECT_EQ(Match("(ARRAY<T>, (T) => R) -> ARRAY<R>", {kInts, LambdaOf(2)}, to_string), "none");
  EXPECT_EQ(Match("(ARRAY<T>, (T) => BOOLEAN) -> ARRAY<T>", {kInts, LambdaOf(1)}, to_string),
            "none");
  EXPECT_EQ(Match("(ARRAY<T>, T) -> ARRAY<T>", {kInts, LambdaOf(1)}, to_string), "none");
}

TEST(Signature, AWiderLambdaWidensTheState) {
  int calls = 0;
  const LambdaBinder sum = [&](int, std::span<const DataType> parameters) -> Result<DataType> {
    ++calls;
    EXPECT_EQ(parameters.size(), 2u);
    return DataType::Bigint();
  };
  EXPECT_EQ(Match("(ARRAY<T>, S, (S, T) => S) -> S", {kInts, kInt, LambdaOf(2)}, sum),
            "ARRAY<INTEGER> BIGINT BIGINT -> BIGINT 1");
  EXPECT_EQ(calls, 2);
}

TEST(Signature, AggregateConstantsAndUnits) {
  EXPECT_EQ(Match("(T; INT) -> ARRAY<T>", {kString, kInt}), "STRING ;INTEGER -> ARRAY<STRING> 0");
  ArgumentType unit;
  unit.is_interval_unit = true;
  EXPECT_EQ(Match("(UNIT, INT, DATE) -> DATE", {unit, kInt, Of(DataType::Date())}),
            "STRING INTEGER DATE -> DATE 0");
  EXPECT_EQ(Match("(UNIT, INT) -> DATE", {kString, kInt}), "none");
}

TEST(Signature, MalformedTextsAreFound) {
  EXPECT_FALSE(ParseSignature("(INT -> INT").ok());
  EXPECT_FALSE(ParseSignature("(INT) INT").ok());
  EXPECT_FALSE(ParseSignature("(NUMBER) -> INT").ok());
  EXPECT_FALSE(ParseSignature("(ARRAY<INT) -> INT").ok());
}

}  // namespace
}  // namespace weir
