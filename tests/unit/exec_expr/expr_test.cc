#include <gtest/gtest.h>

#include "tests/unit/exec_expr/expr_builder.h"

namespace weir {
namespace {

using testing::Call;
using testing::CastTo;
using testing::Col;
using testing::Lambda;
using testing::Lit;
using testing::Make;
using testing::MakeChunk;
using testing::MakeColumn;
using testing::NullOf;
using testing::Param;
using testing::ValuesOf;

const DataType kInt = DataType::Int();
const DataType kBoolean = DataType::Boolean();

Value I(int32_t value) { return Value(value); }
Value S(const char* text) { return Value(std::string(text)); }

TEST(Expr, ArithmeticWrapsAndWidens) {
  EXPECT_EQ(ValuesOf(Call("+", {Lit(2147483647), Lit(1)})), "-2147483648");
  EXPECT_EQ(ValuesOf(Call("+", {Lit(1), Lit(int64_t{2147483648})})), "2147483649");
  EXPECT_EQ(ValuesOf(Call("/", {Lit(7), Lit(-2)})), "-3");
  EXPECT_EQ(ValuesOf(Call("%", {Lit(-7), Lit(2)})), "-1");
  EXPECT_EQ(ValuesOf(Call("/", {Lit(INT32_MIN), Lit(-1)})), "-2147483648");
  EXPECT_EQ(ValuesOf(Call("/", {Lit(1), Lit(0)})), "null!");
  EXPECT_EQ(ValuesOf(Call("/", {Lit(1.0), Lit(0)})), "Infinity");
  EXPECT_EQ(ValuesOf(Call("-", {Lit(5)})), "-5");
  EXPECT_EQ(ValuesOf(Call("||", {Lit("a"), Lit("b")})), "ab");
  EXPECT_EQ(ValuesOf(Call("+", {Lit("a"), NullOf(DataType::String())})), "null");
}

TEST(Expr, DecimalArithmetic) {
  const BoundExprPtr a = testing::Decimal(1001, 4, 2), b = testing::Decimal(510, 4, 2);
  EXPECT_EQ(Call("+", {a, b})->type, DataType::Decimal(5, 2));
  EXPECT_EQ(Call("*", {a, b})->type, DataType::Decimal(9, 4));
  EXPECT_EQ(Call("/", {a, b})->type, DataType::Decimal(11, 7));
  EXPECT_EQ(Call("%", {a, b})->type, DataType::Decimal(4, 2));
  EXPECT_EQ(ValuesOf(Call("+", {a, b})), "15.11");
  EXPECT_EQ(ValuesOf(Call("-", {b, a})), "-4.91");
  EXPECT_EQ(ValuesOf(Call("*", {a, b})), "51.0510");
  EXPECT_EQ(ValuesOf(Call("/", {a, b})), "1.9627451");
  EXPECT_EQ(ValuesOf(Call("%", {testing::Decimal(1010, 4, 2), testing::Decimal(-200, 4, 2)})),
            "0.10");
  EXPECT_EQ(ValuesOf(Call("/", {a, testing::Decimal(0, 4, 2)})), "null!");
  EXPECT_EQ(ValuesOf(Call("+", {a, Lit(5.1)})), "15.11");
  EXPECT_EQ(Call("+", {a, Lit(1)})->type, DataType::Decimal(13, 2));
}

TEST(Expr, ComparisonsWithNullAreFalse) {
  const Chunk chunk = MakeChunk(
      {MakeColumn(kInt, {I(1), I(2), Value()}), MakeColumn(kInt, {I(1), Value(), Value()})});
  const BoundExprPtr a = Col(0, kInt), b = Col(1, kInt);
  EXPECT_EQ(ValuesOf(Call("=", {a, b}), chunk), "true false false");
  EXPECT_EQ(ValuesOf(Call("<>", {a, b}), chunk), "false false false");
  EXPECT_EQ(ValuesOf(Call("IS DISTINCT FROM", {a, b}), chunk), "false true false");
  EXPECT_EQ(ValuesOf(Call("IS NOT DISTINCT FROM", {a, b}), chunk), "true false true");
  EXPECT_EQ(ValuesOf(Call(">", {a, Lit(1)}), chunk), "false true false");
  EXPECT_EQ(ValuesOf(Call("<", {a, Lit(1.5)}), chunk), "true false false");
}

TEST(Expr, ComparesEveryType) {
  EXPECT_EQ(ValuesOf(Call("<", {testing::Decimal(1001, 4, 2), testing::Decimal(10012, 5, 3)})),
            "true");
  EXPECT_EQ(ValuesOf(Call("=", {testing::Decimal(1001, 4, 2), Lit(10.01)})), "true");
  EXPECT_EQ(ValuesOf(Call("<", {Lit("a"), Lit("b")})), "true");
  EXPECT_EQ(ValuesOf(Call(">", {Lit(DataType::Date(), I(10)),
                                Lit(DataType::Timestamp(), Value(int64_t{863999999}))})),
            "true");
  EXPECT_EQ(ValuesOf(Call(">=", {Lit(DataType::Timestamp(), Value(int64_t{864000000})),
                                 Lit(DataType::Date(), I(10))})),
            "true");
  const DataType ints = DataType::Array(kInt), longs = DataType::Array(DataType::Bigint());
  EXPECT_EQ(ValuesOf(Call("=", {Lit(ints, Value(Value::Items{I(1), Value()})),
                                Lit(longs, Value(Value::Items{Value(int64_t{1}), Value()}))})),
            "true");
  EXPECT_EQ(ValuesOf(Call("=", {Lit(true), Lit(true)})), "true");
}

TEST(Expr, LogicIsThreeValued) {
  std::vector<Value> a, b;
  for (const int x : {0, 1, 2}) {
    for (const int y : {0, 1, 2}) {
      a.push_back(x == 2 ? Value() : Value(x == 1));
      b.push_back(y == 2 ? Value() : Value(y == 1));
    }
  }
  const Chunk chunk = MakeChunk({MakeColumn(kBoolean, a), MakeColumn(kBoolean, b)});
  const std::vector<BoundExprPtr> both = {Col(0, kBoolean), Col(1, kBoolean)};
  EXPECT_EQ(ValuesOf(Make(BoundKind::kAnd, kBoolean, both), chunk),
            "false false false false true null false null null");
  EXPECT_EQ(ValuesOf(Make(BoundKind::kOr, kBoolean, both), chunk),
            "false true null true true true null true null");
  EXPECT_EQ(ValuesOf(Make(BoundKind::kNot, kBoolean, {both[0]}), chunk),
            "true true true false false false null null null");
  EXPECT_EQ(ValuesOf(Make(BoundKind::kIsNull, kBoolean, {both[1]}), chunk),
            "false false true false false true false false true");
}

TEST(Expr, BranchesNotTakenRaiseNoErrors) {
  const Chunk chunk = MakeChunk({MakeColumn(kInt, {I(0), I(2), Value(), I(0)})});
  const BoundExprPtr column = Col(0, kInt);
  const BoundExprPtr quotient = Call("/", {Lit(10), column});
  const BoundExprPtr nonzero = Call("<>", {column, Lit(0)});
  EXPECT_EQ(ValuesOf(quotient, chunk), "null 5 null null!!");
  EXPECT_EQ(ValuesOf(Make(BoundKind::kCase, kInt, {nonzero, quotient, Lit(-1)}), chunk),
            "-1 5 -1 -1");
  const BoundExprPtr large = Call(">", {quotient, Lit(1)});
  EXPECT_EQ(ValuesOf(Make(BoundKind::kAnd, kBoolean, {nonzero, large}), chunk),
            "false true false false");
  EXPECT_EQ(ValuesOf(Make(BoundKind::kOr, kBoolean, {Call("=", {column, Lit(0)}), large}), chunk),
            "true true false true");
  EXPECT_EQ(ValuesOf(Call("COALESCE", {column, quotient}), chunk), "0 2 null 0");
  // Asked for first with some rows, then with more: each row fails once.
  const BoundExprPtr pair = Make(BoundKind::kStruct, DataType::Struct({{"A", kInt}, {"B", kInt}}),
                                 {Make(BoundKind::kCase, kInt, {nonzero, quotient}), quotient});
  EXPECT_EQ(ValuesOf(pair, chunk),
            R"({"A":null,"B":null} {"A":5,"B":5} {"A":null,"B":null} {"A":null,"B":null}!!)");
}

TEST(Expr, OnlySelectedRowsCount) {
  Chunk chunk = MakeChunk({MakeColumn(kInt, {I(0), I(2), I(0), I(5)})});
  chunk.selection = std::make_shared<Selection>(Selection{1, 3});
  EXPECT_EQ(ValuesOf(Call("/", {Lit(10), Col(0, kInt)}), chunk), "null 5 null 2");
  const BoundExprPtr predicate = Call(">", {Col(0, kInt), Lit(2)});
  Result<std::unique_ptr<ExprProgram>> program = CompileExprs({&predicate, 1});
  ASSERT_TRUE(program.ok());
  EvalContext context;
  Selection selected;
  ASSERT_TRUE(EvaluatePredicate(**program, chunk, context, selected).ok());
  EXPECT_EQ(selected, Selection{3});
  chunk.rows = 0;
  chunk.selection = nullptr;
  chunk.columns = {MakeColumn(kInt, {})};
  ASSERT_TRUE(EvaluatePredicate(**program, chunk, context, selected).ok());
  EXPECT_TRUE(selected.empty());
}

TEST(Expr, InWithConstantsAndColumns) {
  const Chunk chunk = MakeChunk(
      {MakeColumn(kInt, {I(1), I(2), Value(), I(4)}), MakeColumn(kInt, {I(9), I(2), Value(), I(9)}),
       MakeColumn(DataType::String(), {S("a"), S("b"), S("c"), Value()})});
  EXPECT_EQ(ValuesOf(Make(BoundKind::kIn, kBoolean, {Col(0, kInt), Lit(1), Lit(4)}), chunk),
            "true false false true");
  EXPECT_EQ(ValuesOf(Make(BoundKind::kIn, kBoolean, {Col(0, kInt), Lit(1), Col(1, kInt)}), chunk),
            "true true false false");
  EXPECT_EQ(
      ValuesOf(Make(BoundKind::kIn, kBoolean, {Col(2, DataType::String()), Lit("c"), Lit("b")}),
               chunk),
      "false true true false");
  EXPECT_EQ(ValuesOf(Make(BoundKind::kIn, kBoolean, {Lit(2.0), Lit(1.0), Lit(2.0)})), "true");
}

TEST(Expr, Like) {
  const auto like = [](const char* text, const char* pattern) {
    return ValuesOf(Call("LIKE", {Lit(text), Lit(pattern)}));
  };
  EXPECT_EQ(like("foo", "foo"), "true");
  EXPECT_EQ(like("foo", "f_o"), "true");
  EXPECT_EQ(like("foobar", "%oba%"), "true");
  EXPECT_EQ(like("foobar", "foo%"), "true");
  EXPECT_EQ(like("foobar", "%bar"), "true");
  EXPECT_EQ(like("foobar", "f%b_r"), "true");
  EXPECT_EQ(like("foobar", "f%b_"), "false");
  EXPECT_EQ(like("", "%"), "true");
  EXPECT_EQ(like("aaab", "%a%ab"), "true");
  EXPECT_EQ(like("\xC3\xA4x", "_x"), "true");
  EXPECT_EQ(like("", ""), "true");
  EXPECT_EQ(ValuesOf(Call("LIKE", {Lit("%"), Lit("!%"), Lit("!")})), "true");
  EXPECT_EQ(ValuesOf(Call("LIKE", {Lit("x"), Lit("!%"), Lit("!")})), "false");
  const Chunk chunk = MakeChunk({MakeColumn(DataType::String(), {S("ab"), S("b"), Value()}),
                                 MakeColumn(DataType::String(), {S("a%"), S("a%"), S("x")})});
  EXPECT_EQ(ValuesOf(Call("LIKE", {Col(0, DataType::String()), Col(1, DataType::String())}), chunk),
            "true false null");
}

TEST(Expr, Collections) {
  const DataType strings = DataType::Array(DataType::String());
  const Chunk chunk = MakeChunk(
      {MakeColumn(strings, {Value(Value::Items{S("a"), S("b")}), Value(Value::Items{}), Value()})});
  const auto at = [&](int32_t index) {
    return ValuesOf(Make(BoundKind::kSubscript, DataType::String(), {Col(0, strings), Lit(index)}),
                    chunk);
  };
  EXPECT_EQ(at(1), "a null null");
  EXPECT_EQ(at(-1), "b null null");
  EXPECT_EQ(at(0), "null null null");
  EXPECT_EQ(at(3), "null null null");
  const DataType map = DataType::Map(DataType::String(), kInt);
  const BoundExprPtr made =
      Make(BoundKind::kMap, map,
           {Lit("k"), Lit(1), NullOf(DataType::String()), Lit(2), Lit("k"), Lit(3)});
  EXPECT_EQ(ValuesOf(made), R"({"null":2,"k":3})");
  EXPECT_EQ(ValuesOf(Make(BoundKind::kSubscript, kInt, {made, Lit("k")})), "3");
  EXPECT_EQ(ValuesOf(Make(BoundKind::kSubscript, kInt, {made, Lit("x")})), "null");
  const DataType ints = DataType::Array(kInt);
  const Chunk numbers = MakeChunk({MakeColumn(kInt, {I(1), Value()})});
  EXPECT_EQ(
      ValuesOf(Make(BoundKind::kArray, ints, {Col(0, kInt), NullOf(DataType::Null()), Lit(3)}),
               numbers),
      "[1,null,3] [null,null,3]");
}

TEST(Expr, FieldOfNullStructIsNull) {
  const DataType record = DataType::Struct({{"A", kInt}, {"B", kInt}});
  const Chunk chunk =
      MakeChunk({MakeColumn(record, {Value(Value::Items{I(1), Value()}), Value()})});
  auto field = Make(BoundKind::kField, kInt, {Col(0, record)});
  EXPECT_EQ(ValuesOf(field, chunk), "1 null");
  auto second = Make(BoundKind::kField, kInt, {Col(0, record)});
  second->index = 1;
  EXPECT_EQ(ValuesOf(second, chunk), "null null");
}

TEST(Expr, ConstantsFoldAndLongBatchesGetThem) {
  const BoundExprPtr sum = Call("+", {Lit(1), Lit(2)});
  std::vector<Value> values(9000, I(1));
  const Chunk chunk = MakeChunk({MakeColumn(kInt, values)});
  const BoundExprPtr both = Call("+", {Col(0, kInt), sum});
  const std::string text = ValuesOf(both, chunk);
  EXPECT_EQ(text.substr(text.size() - 4), " 4 4");
  EXPECT_EQ(EvaluateConstant(*sum)->as<int32_t>(), 3);
  EXPECT_EQ(EvaluateConstant(*Call("/", {Lit(1), Lit(0)})).status().message(), "division by zero");
}

TEST(Expr, EvaluatesTwiceWithOtherRows) {
  const BoundExprPtr expr = Call("||", {Col(0, DataType::String()), Lit("!")});
  Result<std::unique_ptr<ExprProgram>> program = CompileExprs({&expr, 1});
  ASSERT_TRUE(program.ok());
  std::vector<ColumnPtr> kept;
  for (const char* text : {"a", "bb", "ccc"}) {
    EvalContext context;
    std::vector<ColumnPtr> results;
    ASSERT_TRUE((*program)
                    ->Evaluate(MakeChunk({MakeColumn(DataType::String(), {S(text), Value()})}),
                               context, results)
                    .ok());
    kept.push_back(results[0]);
  }
  EXPECT_EQ(kept[0]->ToText(0), "a!");
  EXPECT_EQ(kept[2]->ToText(0), "ccc!");
}

}  // namespace
}  // namespace weir
