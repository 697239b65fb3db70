// The catalog, and every row of its tables called with nulls, with nothing, and with constants.

#include <gtest/gtest.h>

#include "exec/functions/builtin_functions.h"
#include "exec/functions/signature.h"
#include "tests/unit/exec_expr/expr_builder.h"

namespace weir {
namespace {

const LambdaBinder kNoLambda = [](int, std::span<const DataType>) -> Result<DataType> {
  return Status(ErrorCode::kInternal, "no lambda here");
};

std::vector<ArgumentType> Types(std::initializer_list<DataType> types) {
  std::vector<ArgumentType> arguments;
  for (const DataType& type : types) arguments.push_back({.type = type});
  return arguments;
}

TEST(Catalog, ResolvesExactTypesFirstThenTheCheapest) {
  const FunctionCatalog& catalog = BuiltinFunctions();
  const auto resolve = [&](std::string_view name, std::initializer_list<DataType> types) {
    const auto overload = catalog.ResolveScalar(name, Types(types), kNoLambda);
    return overload.ok() ? (*overload)->return_type.ToString() : overload.status().message();
  };
  EXPECT_EQ(resolve("+", {DataType::Int(), DataType::Int()}), "INTEGER");
  EXPECT_EQ(resolve("+", {DataType::Int(), DataType::Bigint()}), "BIGINT");
  EXPECT_EQ(resolve("+", {DataType::Bigint(), DataType::Decimal(4, 2)}), "DECIMAL(22, 2)");
  EXPECT_EQ(resolve("+", {DataType::Double(), DataType::Decimal(4, 2)}), "DOUBLE");
  EXPECT_EQ(resolve("+", {DataType::Boolean(), DataType::Double()}),
            "+ does not take these arguments: (BOOLEAN, DOUBLE)");
}

TEST(Catalog, OverloadsAreInterned) {
  const FunctionCatalog& catalog = BuiltinFunctions();
  const auto one = catalog.ResolveScalar("=", Types({DataType::Int(), DataType::Int()}), kNoLambda);
  const auto two = catalog.ResolveScalar("=", Types({DataType::Int(), DataType::Int()}), kNoLambda);
  const auto other =
      catalog.ResolveScalar("=", Types({DataType::Int(), DataType::Bigint()}), kNoLambda);
  EXPECT_EQ(*one, *two);
  EXPECT_NE(*one, *other);
}

TEST(Catalog, UnknownNamesGetAHint) {
  const auto result = BuiltinFunctions().ResolveScalar("COALESE", {}, kNoLambda);
  EXPECT_EQ(result.status().code(), ErrorCode::kUnknownFunction);
  EXPECT_NE(result.status().hint().find("COALESCE"), std::string::npos);
}

TEST(Catalog, NamesAndDescriptions) {
  const FunctionCatalog& catalog = BuiltinFunctions();
  const std::vector<std::string> names = catalog.Names();
  EXPECT_FALSE(names.empty());
  for (const std::string& name : names) {
    const Result<FunctionDescription> description = catalog.Describe(name);
    ASSERT_TRUE(description.ok()) << name;
    EXPECT_FALSE(description->signatures.empty()) << name;
    EXPECT_FALSE(description->text.empty()) << name;
  }
  EXPECT_EQ(std::count(names.begin(), names.end(), "LIKE"), 0);
}

/// A type that fits a pattern; variables stand for STRING.
DataType Sample(const TypePattern& pattern) {
  switch (pattern.kind) {
    case TypePattern::Kind::kExact: return pattern.exact;
    case TypePattern::Kind::kAnyDecimal: return DataType::Decimal(6, 2);
    case TypePattern::Kind::kAnyStruct: return DataType::Struct({{"A", DataType::String()}});
    case TypePattern::Kind::kVariable:
    case TypePattern::Kind::kUnit: return DataType::String();
    case TypePattern::Kind::kArray: return DataType::Array(Sample(pattern.children[0]));
    case TypePattern::Kind::kMap:
      return DataType::Map(Sample(pattern.children[0]), Sample(pattern.children[1]));
    case TypePattern::Kind::kStruct: {
      std::vector<DataType::Field> fields;
      for (size_t i = 0; i < pattern.children.size(); ++i) {
        fields.push_back({pattern.field_names[i], Sample(pattern.children[i])});
      }
      return DataType::Struct(std::move(fields));
    }
    case TypePattern::Kind::kLambda: break;
  }
  return DataType();
}

Value SampleValue(const DataType& type, int seed) {
  switch (type.kind()) {
    case TypeKind::kBoolean: return Value(seed % 2 == 0);
    case TypeKind::kInt:
    case TypeKind::kDate:
    case TypeKind::kTime: return Value(int32_t{seed});
    case TypeKind::kBigint:
    case TypeKind::kTimestamp: return Value(int64_t{seed});
    case TypeKind::kDouble: return Value(seed / 2.0);
    case TypeKind::kDecimal: return Value(Int128{seed * 50});
    case TypeKind::kString:
    case TypeKind::kBytes: return Value(std::string(seed % 2 == 0 ? "ab" : "\xC3\xA4 1"));
    case TypeKind::kArray:
      return Value(Value::Items{SampleValue(type.element(), seed), Value(),
                                SampleValue(type.element(), seed + 1)});
    case TypeKind::kMap:
      return Value(Value::Entries{{SampleValue(type.key(), seed), SampleValue(type.element(), 3)},
                                  {SampleValue(type.key(), seed + 1), Value()}});
    case TypeKind::kStruct: {
      Value::Items items;
      for (const DataType::Field& field : type.fields()) {
        items.push_back(SampleValue(field.type, seed));
      }
      return Value(std::move(items));
    }
    case TypeKind::kNull: break;
  }
  return Value();
}

/// Arguments of a row as sample types; two for the variadic one. Lambdas give their first parameter
/// or whatever type the signature wants.
struct SampleCall {
  std::vector<ArgumentType> arguments;
  const ScalarOverload* overload = nullptr;
  std::vector<BoundExprPtr> lambdas;  // By argument, null where it is none.
};

bool MakeSampleCall(const FunctionRow& row, SampleCall& call) {
  const Result<Signature> signature = ParseSignature(row.signature);
  if (!signature.ok()) {
    ADD_FAILURE() << row.signature;
    return false;
  }
  std::vector<TypePattern> patterns = signature->parameters;
  if (signature->is_variadic) patterns.push_back(patterns.back());
  for (const TypePattern& pattern : patterns) {
    ArgumentType argument;
    if (pattern.kind == TypePattern::Kind::kLambda) {
      argument.is_lambda = true;
      argument.lambda_parameters = static_cast<int>(pattern.children.size()) - 1;
    } else {
      argument.type = Sample(pattern);
      argument.is_interval_unit = pattern.kind == TypePattern::Kind::kUnit;
    }
    call.arguments.push_back(argument);
  }
  call.lambdas.resize(patterns.size());
  const auto bind = [&](int i, std::span<const DataType> parameters) -> Result<DataType> {
    const size_t at = static_cast<size_t>(i);
    const TypePattern& result = patterns[at].children.back();
    const DataType type = result.kind == TypePattern::Kind::kExact ? result.exact : parameters[0];
    BoundExprPtr body =
        type == parameters[0] ? testing::Param(0, type) : testing::Lit(type, SampleValue(type, 2));
    call.lambdas[at] = testing::Lambda(0, static_cast<int>(parameters.size()), body);
    return type;
  };
  const auto overload = BuiltinFunctions().ResolveScalar(row.name, call.arguments, bind);
  if (!overload.ok()) {
    ADD_FAILURE() << row.name << row.signature << ": " << overload.status().ToString();
    return false;
  }
  call.overload = *overload;
  return true;
}

/// Runs the call over the columns (one an argument), or over constants where a column is null.
void RunCall(const FunctionRow& row, const SampleCall& call, std::vector<ColumnPtr> columns,
             int32_t rows, bool constants) {
  std::vector<BoundExprPtr> args;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    if (call.lambdas[i] != nullptr) {
      args.push_back(call.lambdas[i]);
    } else if (call.arguments[i].is_interval_unit) {
      args.push_back(testing::Lit("DAYS"));
    } else if (constants) {
      const DataType& type = call.overload->parameter_types[i];
      args.push_back(testing::Lit(type, SampleValue(type, 2)));
    } else {
      args.push_back(testing::Col(static_cast<int>(i), columns[i]->type()));
    }
  }
  auto expr = testing::Make(BoundKind::kCall, call.overload->return_type, std::move(args));
  expr->function = call.overload;
  const BoundExprPtr shared = expr;
  Result<std::unique_ptr<ExprProgram>> program = CompileExprs({&shared, 1});
  // A constant may be refused when the query is made: a pattern or zone that does not exist.
  if (!program.ok()) return;
  Chunk chunk;
  chunk.rows = rows;
  chunk.columns = std::move(columns);
  EvalContext context;
  std::vector<ColumnPtr> results;
  ASSERT_TRUE((*program)->Evaluate(chunk, context, results).ok()) << row.name << row.signature;
  ASSERT_EQ(results[0]->length(), rows) << row.name << row.signature;
  ASSERT_EQ(results[0]->type(), call.overload->return_type) << row.name << row.signature;
  for (int32_t i = 0; i < rows; ++i) (void)results[0]->ToText(i);
}

void RunRow(const FunctionRow& row) {
  SampleCall call;
  if (!MakeSampleCall(row, call)) return;
  for (const int kind : {0, 1, 2, 3}) {
    const int32_t rows = kind == 0 ? 0 : 70;
    std::vector<ColumnPtr> columns;
    for (size_t i = 0; i < call.arguments.size(); ++i) {
      const DataType type =
          call.lambdas[i] == nullptr ? call.overload->parameter_types[i] : DataType::Int();
      std::vector<Value> values;
      for (int32_t r = 0; r < rows; ++r) {
        const bool is_null = kind == 1 || (kind == 2 && (r + static_cast<int32_t>(i)) % 3 == 0);
        values.push_back(is_null ? Value() : SampleValue(type, r % 5));
      }
      columns.push_back(testing::MakeColumn(type, values));
    }
    RunCall(row, call, std::move(columns), rows, kind == 3);
  }
}

TEST(Functions, EveryRowTakesNullsNothingAndConstants) {
  for (const auto table :
       {OperatorFunctions(), ConditionalFunctions(), StringFunctions(), MaskFunctions(),
        RegexpFunctions(), MathFunctions(), CollectionFunctions(), LambdaFunctions(),
        JsonFunctions(), BytesFunctions(), DateTimeFunctions(), UrlFunctions()}) {
    for (const FunctionRow& row : table) {
      SCOPED_TRACE(std::string(row.name) + " " + std::string(row.signature));
      RunRow(row);
    }
  }
}

}  // namespace
}  // namespace weir
