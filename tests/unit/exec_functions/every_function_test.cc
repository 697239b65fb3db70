// Every row of every scalar table is called with nulls, with no rows, with many rows, with
// constants and with the ends of its types: nothing may crash, results have the type and length
// promised, and null arguments give null where the row says so.

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "exec/column/chunk_parts.h"
#include "exec/functions/builtin_functions.h"
#include "exec/functions/signature.h"
#include "tests/unit/exec_functions/function_calls.h"

namespace weir {
namespace {

using namespace testing;  // NOLINT: the words of these tests.

DataType Concrete(const TypePattern& pattern) {
  switch (pattern.kind) {
    case TypePattern::Kind::kExact: return pattern.exact;
    case TypePattern::Kind::kAnyDecimal: return DataType::Decimal(10, 2);
    case TypePattern::Kind::kArray: return DataType::Array(Concrete(pattern.children[0]));
    case TypePattern::Kind::kMap:
      return DataType::Map(Concrete(pattern.children[0]), Concrete(pattern.children[1]));
    default: return DataType::String();
  }
}

Value Sample(const DataType& type, int32_t n) {
  switch (type.kind()) {
    case TypeKind::kBoolean: return Value(n % 2 == 0);
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return Value(n % 7 - 2);
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return Value(int64_t{n % 7 - 2});
    case TypeKind::kDouble: return Value(n * 0.25 - 2);
    case TypeKind::kDecimal: return Value(Int128{n * 10 - 25});
    case TypeKind::kArray:
      return Value(Value::Items{Sample(type.element(), n), Value(), Sample(type.element(), n + 1)});
    case TypeKind::kMap:
      return Value(Value::Entries{{Sample(type.key(), n), Sample(type.element(), n)}});
    default: {
      constexpr const char* kTexts[] = {"",    "abc", "Zürich 😀",         "[1, 2]",   "{\"a\": 1}",
                                        "hex", "-3",  "http://a.io/?b=c", "\xFF\xC0", "DAYS"};
      return Value(std::string(kTexts[n % 10]));
    }
  }
}

std::vector<const FunctionRow*> EveryRow() {
  std::vector<const FunctionRow*> rows;
  for (const auto table :
       {&ConditionalFunctions, &StringFunctions, &MaskFunctions, &RegexpFunctions, &MathFunctions,
        &CollectionFunctions, &JsonFunctions, &BytesFunctions, &DateTimeFunctions, &UrlFunctions}) {
    for (const FunctionRow& row : table()) rows.push_back(&row);
  }
  return rows;
}

/// A call with the arguments as columns 0, 1, …; unit words stay constants.
struct RowCall {
  std::vector<DataType> types;
  BoundExprPtr expr;
};

RowCall MakeCall(const FunctionRow& row, bool constants) {
  const Signature signature = *ParseSignature(row.signature);
  RowCall call;
  std::vector<ArgumentType> arguments;
  std::vector<BoundExprPtr> children;
  for (const TypePattern& parameter : signature.parameters) {
    const bool unit = parameter.kind == TypePattern::Kind::kUnit;
    const DataType type = Concrete(parameter);
    arguments.push_back({.type = type, .is_literal = unit || constants, .is_interval_unit = unit});
    if (unit) {
      children.push_back(Lit("DAYS"));
    } else if (constants) {
      children.push_back(Lit(type, Sample(type, 1)));
    } else {
      children.push_back(Col(static_cast<int>(call.types.size()), type));
      call.types.push_back(type);
    }
  }
  const auto overload = BuiltinFunctions().ResolveScalar(row.name, arguments, {});
  if (!overload.ok()) {
    ADD_FAILURE() << row.name << row.signature << ": " << overload.status().ToString();
    return call;
  }
  EXPECT_EQ((*overload)->kernel_row, &row) << row.name << row.signature;
  auto expr = Make(BoundKind::kCall, (*overload)->return_type, std::move(children));
  expr->function = *overload;
  call.expr = expr;
  return call;
}

ColumnPtr Evaluate(const BoundExprPtr& expr, const Chunk& chunk) {
  Result<std::unique_ptr<ExprProgram>> program = CompileExprs({&expr, 1});
  EXPECT_TRUE(program.ok()) << program.status().ToString();
  EvalContext context;
  std::vector<ColumnPtr> results;
  EXPECT_TRUE((*program)->Evaluate(chunk, context, results).ok());
  EXPECT_EQ(results[0]->length(), chunk.rows);
  EXPECT_EQ(results[0]->type(), expr->type);
  return results[0];
}

Chunk Rows(const std::vector<DataType>& types, int32_t count, bool nulls) {
  Chunk chunk;
  chunk.rows = count;
  for (size_t i = 0; i < types.size(); ++i) {
    std::vector<Value> values;
    for (int32_t row = 0; row < count; ++row) {
      values.push_back(nulls ? Value() : Sample(types[i], row * 3 + static_cast<int32_t>(i)));
    }
    chunk.columns.push_back(MakeColumn(types[i], values));
  }
  return chunk;
}

TEST(EveryFunction, TakesNoRowsNullsAndManyRows) {
  for (const FunctionRow* row : EveryRow()) {
    SCOPED_TRACE(std::string(row->name) + std::string(row->signature));
    const RowCall call = MakeCall(*row, false);
    if (call.expr == nullptr) continue;
    Evaluate(call.expr, Rows(call.types, 0, false));
    Evaluate(call.expr, Rows(call.types, 500, false));
    const ColumnPtr result = Evaluate(call.expr, Rows(call.types, 3, true));
    if (row->nulls == Nulls::kPropagate && !call.types.empty()) {
      EXPECT_TRUE(result->IsNull(0) && result->IsNull(2));
    }
  }
}

/// Where counts, lengths, places and shifts go wrong.
std::vector<Value> Extremes(const DataType& type) {
  using Int = std::numeric_limits<int32_t>;
  using Bigint = std::numeric_limits<int64_t>;
  using Double = std::numeric_limits<double>;
  switch (type.kind()) {
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime:
      return {
          Value(),  Value(Int::min()), Value(Int::min() + 1), Value(-38),       Value(-1), Value(0),
          Value(1), Value(39),         Value(Int::max() - 1), Value(Int::max())};
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
      return {Value(),
              Value(Bigint::min()),
              Value(int64_t{Int::min()}),
              Value(int64_t{-1}),
              Value(int64_t{0}),
              Value(int64_t{1}),
              Value(int64_t{Int::max()} + 1),
              Value(Bigint::max() - 1),
              Value(Bigint::max())};
    case TypeKind::kDouble:
      return {Value(),
              Value(-Double::infinity()),
              Value(Double::quiet_NaN()),
              Value(0.0),
              Value(-0.0),
              Value(Double::denorm_min()),
              Value(-1.5),
              Value(Double::max()),
              Value(Double::infinity())};
    case TypeKind::kDecimal:
      return {Value(), Value(Int128{-9'999'999'999}), Value(Int128{0}), Value(Int128{150}),
              Value(Int128{9'999'999'999})};
    case TypeKind::kArray: return {Value(), Value(Value::Items{}), Value(Extremes(type.element()))};
    case TypeKind::kMap: return {Value(), Value(Value::Entries{}), Sample(type, 1)};
    case TypeKind::kBoolean: return {Value(), Value(true), Value(false)};
    default:
      return {Value(), Value(std::string()), Value(std::string("a")), Value(std::string("é😀-12"))};
  }
}

/// All combinations of the arguments' extremes, or `rows_max` of them from all over.
Chunk ExtremeRows(const std::vector<DataType>& types, size_t rows_max) {
  size_t combinations = 1;
  for (const DataType& type : types) combinations *= Extremes(type).size();
  Chunk chunk;
  chunk.rows = static_cast<int32_t>(std::min(combinations, rows_max));
  size_t stride = 1;
  for (const DataType& type : types) {
    const std::vector<Value> extremes = Extremes(type);
    std::vector<Value> values;
    for (int32_t row = 0; row < chunk.rows; ++row) {
      const size_t number = static_cast<size_t>(row) * combinations / chunk.rows;
      values.push_back(extremes[number / stride % extremes.size()]);
    }
    stride *= extremes.size();
    chunk.columns.push_back(MakeColumn(type, values));
  }
  return chunk;
}

/// As operators do: in parts where a whole would be too large.
Status EvaluateInParts(const BoundExprPtr& expr, ExprProgram& program, Chunk chunk) {
  EvalContext context;
  std::vector<ColumnPtr> results;
  Status status = program.Evaluate(chunk, context, results);
  if (IsTooLarge(status) && HasParts(chunk)) {
    return ForBothParts(std::move(chunk), [&](Chunk part) {
      return EvaluateInParts(expr, program, std::move(part));
    });
  }
  if (!status.ok()) return status;
  EXPECT_EQ(results[0]->length(), chunk.rows);
  EXPECT_EQ(results[0]->type(), expr->type);
  EXPECT_LE(ByteSize(*results[0]), 4 * limits::kMadeValueBytesMax);
  return status;
}

TEST(EveryFunction, TakesTheEndsOfItsTypes) {
  for (const FunctionRow* row : EveryRow()) {
    SCOPED_TRACE(std::string(row->name) + std::string(row->signature));
    const RowCall call = MakeCall(*row, false);
    if (call.expr == nullptr || call.types.empty()) continue;
    Result<std::unique_ptr<ExprProgram>> program = CompileExprs({&call.expr, 1});
    ASSERT_TRUE(program.ok()) << program.status().ToString();
    const Status status = EvaluateInParts(call.expr, **program, ExtremeRows(call.types, 2000));
    EXPECT_TRUE(status.ok()) << status.ToString();
  }
}

TEST(EveryFunction, TakesConstants) {
  for (const FunctionRow* row : EveryRow()) {
    SCOPED_TRACE(std::string(row->name) + std::string(row->signature));
    const RowCall call = MakeCall(*row, true);
    if (call.expr == nullptr) continue;
    Chunk one;
    one.rows = 1;
    Result<std::unique_ptr<ExprProgram>> program = CompileExprs({&call.expr, 1});
    if (!program.ok()) continue;  // A constant that the function refuses.
    EvalContext context;
    std::vector<ColumnPtr> results;
    EXPECT_TRUE((*program)->Evaluate(one, context, results).ok());
  }
}

TEST(EveryFunction, IsDescribed) {
  for (const FunctionRow* row : EveryRow()) {
    EXPECT_FALSE(row->category.empty() || row->text.empty() || row->example.empty()) << row->name;
    EXPECT_TRUE(row->text.ends_with('.')) << row->name;
    EXPECT_NE(row->kernel, nullptr) << row->name;
  }
}

}  // namespace
}  // namespace weir
