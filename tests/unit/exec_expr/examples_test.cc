// Every example in the tables of scalar functions is true.

#include <gtest/gtest.h>

#include "exec/expr/expr_program.h"
#include "exec/functions/builtin_functions.h"
#include "parser/parser.h"
#include "planner/binder/expr_binder.h"

namespace weir {
namespace {

std::string Evaluated(std::string_view text) {
  const Result<ast::ExprPtr> parsed = ParseExpression(text);
  if (!parsed.ok()) return parsed.status().ToString();
  const Scope scope;
  const Catalog catalog;
  ExprBinder binder(scope, catalog, BuiltinFunctions(), "SELECT");
  const Result<BoundExprPtr> bound = binder.Bind(**parsed);
  if (!bound.ok()) return bound.status().ToString();
  const Result<Value> value = EvaluateConstant(**bound);
  if (!value.ok()) return value.status().ToString();
  if (value->is_null()) return "null";
  const bool* truth = std::get_if<bool>(&value->data);
  return truth == nullptr ? "not a BOOLEAN" : *truth ? "true" : "false";
}

TEST(Functions, EveryExampleHolds) {
  int count = 0;
  for (const auto table :
       {OperatorFunctions(), ConditionalFunctions(), StringFunctions(), MaskFunctions(),
        RegexpFunctions(), MathFunctions(), CollectionFunctions(), LambdaFunctions(),
        JsonFunctions(), BytesFunctions(), DateTimeFunctions(), UrlFunctions()}) {
    for (const FunctionRow& row : table) {
      if (row.example.empty()) continue;
      ++count;
      EXPECT_EQ(Evaluated(row.example), "true") << row.example;
    }
  }
  EXPECT_GT(count, 100);
}

}  // namespace
}  // namespace weir
