#pragma once

// Makes bound expressions, columns and chunks in few words, for tests.

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "exec/column/builder.h"
#include "exec/expr/expr_program.h"
#include "planner/binder/bound_expr.h"

namespace weir::testing {

inline std::shared_ptr<BoundExpr> Make(BoundKind kind, DataType type,
                                       std::vector<BoundExprPtr> children = {}) {
  auto expr = std::make_shared<BoundExpr>();
  expr->kind = kind;
  expr->type = std::move(type);
  expr->children = std::move(children);
  return expr;
}

inline BoundExprPtr Col(int index, DataType type) {
  auto expr = Make(BoundKind::kColumn, std::move(type));
  expr->index = index;
  return expr;
}

inline BoundExprPtr Lit(DataType type, Value value) {
  auto expr = Make(BoundKind::kLiteral, std::move(type));
  expr->value = std::move(value);
  return expr;
}
inline BoundExprPtr Lit(int32_t value) { return Lit(DataType::Int(), Value(value)); }
inline BoundExprPtr Lit(int64_t value) { return Lit(DataType::Bigint(), Value(value)); }
inline BoundExprPtr Lit(double value) { return Lit(DataType::Double(), Value(value)); }
inline BoundExprPtr Lit(bool value) { return Lit(DataType::Boolean(), Value(value)); }
inline BoundExprPtr Lit(const char* value) {
  return Lit(DataType::String(), Value(std::string(value)));
}
inline BoundExprPtr NullOf(DataType type) { return Lit(std::move(type), Value()); }
inline BoundExprPtr Decimal(int64_t unscaled, int precision, int scale) {
  return Lit(DataType::Decimal(precision, scale), Value(Int128{unscaled}));
}

inline BoundExprPtr CastTo(BoundExprPtr child, DataType type) {
  return Make(BoundKind::kCast, std::move(type), {std::move(child)});
}

inline BoundExprPtr Param(int number, DataType type) {
  auto expr = Make(BoundKind::kLambdaParam, std::move(type));
  expr->index = number;
  return expr;
}

inline BoundExprPtr Lambda(int first, int count, BoundExprPtr body) {
  auto expr = Make(BoundKind::kLambda, body->type, {body});
  expr->index = first;
  expr->parameter_count = count;
  return expr;
}

/// A call of the overload that the catalog finds. Lambdas have their bodies bound already.
inline BoundExprPtr Call(const std::string& name, std::vector<BoundExprPtr> args) {
  std::vector<ArgumentType> types;
  for (const BoundExprPtr& arg : args) {
    ArgumentType type{.type = arg->type, .is_literal = arg->kind == BoundKind::kLiteral};
    if (arg->kind == BoundKind::kLambda) {
      type.is_lambda = true;
      type.lambda_parameters = arg->parameter_count;
    }
    types.push_back(type);
  }
  const Result<const ScalarOverload*> overload = BuiltinFunctions().ResolveScalar(
      name, types, [&](int argument, std::span<const DataType>) -> Result<DataType> {
        return args[static_cast<size_t>(argument)]->type;
      });
  if (!overload.ok()) {
    ADD_FAILURE() << overload.status().ToString();
    return nullptr;
  }
  auto expr = Make(BoundKind::kCall, (*overload)->return_type, std::move(args));
  expr->function = *overload;
  return expr;
}

inline ColumnPtr MakeColumn(const DataType& type, const std::vector<Value>& values) {
  ColumnBuilder builder(type);
  for (const Value& value : values) builder.AppendValue(value);
  return builder.Finish();
}

inline Chunk MakeChunk(std::vector<ColumnPtr> columns) {
  Chunk chunk;
  chunk.rows = columns.empty() ? 1 : columns[0]->length();
  chunk.columns = std::move(columns);
  return chunk;
}

/// The result's values as text, a blank between two; "!" behind the last for each row error.
inline std::string ValuesOf(const BoundExprPtr& expr, const Chunk& chunk) {
  Result<std::unique_ptr<ExprProgram>> program = CompileExprs({&expr, 1});
  if (!program.ok()) return program.status().ToString();
  EvalContext context;
  std::vector<ColumnPtr> results;
  const Status status = (*program)->Evaluate(chunk, context, results);
  if (!status.ok()) return status.ToString();
  EXPECT_EQ(results[0]->length(), chunk.rows);
  EXPECT_EQ(results[0]->type(), expr->type);
  std::string text;
  for (int32_t row = 0; row < chunk.rows; ++row) {
    if (!text.empty()) text += ' ';
    text += results[0]->ToText(row);
  }
  return text + std::string(static_cast<size_t>(context.errors.count()), '!');
}
inline std::string ValuesOf(const BoundExprPtr& expr) { return ValuesOf(expr, MakeChunk({})); }

}  // namespace weir::testing
