#pragma once

// Calls of functions for tests: each with its arguments once as constants and once as columns,
// since constants go through a function's prepare step.

#include <string>
#include <vector>

#include "tests/unit/exec_expr/expr_builder.h"

namespace weir::testing {

inline BoundExprPtr Arr(DataType element, Value::Items items) {
  return Lit(DataType::Array(std::move(element)), Value(std::move(items)));
}
inline BoundExprPtr Ints(std::initializer_list<int32_t> items) {
  Value::Items values;
  for (const int32_t item : items) values.emplace_back(item);
  return Arr(DataType::Int(), std::move(values));
}
inline BoundExprPtr Texts(std::initializer_list<const char*> items) {
  Value::Items values;
  for (const char* item : items) {
    values.push_back(item == nullptr ? Value() : Value(std::string(item)));
  }
  return Arr(DataType::String(), std::move(values));
}
inline BoundExprPtr Bytes(std::string bytes) {
  return Lit(DataType::Bytes(), Value(std::move(bytes)));
}
inline BoundExprPtr Date(int32_t days) { return Lit(DataType::Date(), Value(days)); }
inline BoundExprPtr Time(int32_t ms) { return Lit(DataType::Time(), Value(ms)); }
inline BoundExprPtr Stamp(int64_t ms) { return Lit(DataType::Timestamp(), Value(ms)); }
inline BoundExprPtr NoText() { return NullOf(DataType::String()); }
inline BoundExprPtr NoInt() { return NullOf(DataType::Int()); }

/// The result as text, "!" behind it where the row failed. Both ways of calling must agree.
inline std::string Eval(const std::string& name, std::vector<BoundExprPtr> args) {
  const std::string constant = ValuesOf(Call(name, args));
  Chunk chunk;
  std::vector<BoundExprPtr> columns;
  std::vector<ColumnPtr> values;
  for (const BoundExprPtr& arg : args) {
    if (arg->kind != BoundKind::kLiteral) {
      columns.push_back(arg);
      continue;
    }
    columns.push_back(Col(static_cast<int>(values.size()), arg->type));
    values.push_back(MakeConstantColumn(arg->type, arg->value, 1));
  }
  if (!values.empty()) {
    const std::string column = ValuesOf(Call(name, columns), MakeChunk(values));
    EXPECT_EQ(constant, column) << name;
  }
  return constant;
}

}  // namespace weir::testing
