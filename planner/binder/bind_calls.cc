// Function calls: scalar functions with lambdas, aggregates, table functions.

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "base/status_macros.h"
#include "parser/ast/printer.h"
#include "planner/binder/coercion.h"
#include "planner/binder/constant_folder.h"
#include "planner/binder/expr_binder.h"
#include "planner/binder/make_call.h"
#include "planner/binder/make_expr.h"
#include "planner/catalog/near_names.h"

namespace weir {
namespace {

std::string_view UnitName(ast::TimeUnit unit) {
  switch (unit) {
    case ast::TimeUnit::kMillisecond: return "MILLISECONDS";
    case ast::TimeUnit::kSecond: return "SECONDS";
    case ast::TimeUnit::kMinute: return "MINUTES";
    case ast::TimeUnit::kHour: return "HOURS";
    case ast::TimeUnit::kDay: return "DAYS";
    case ast::TimeUnit::kWeek: return "WEEKS";
    case ast::TimeUnit::kMonth: return "MONTHS";
    case ast::TimeUnit::kYear: return "YEARS";
  }
  return {};
}

ArgumentType TypeOfArgument(const BoundExpr& arg) {
  return {.type = arg.type, .is_literal = arg.kind == BoundKind::kLiteral};
}

/// NULLs only, and several overloads: nothing says which.
bool IsAmbiguous(const std::string& name, const std::vector<ArgumentType>& types,
                 const FunctionCatalog& functions) {
  for (const ArgumentType& type : types) {
    if (!type.type.is(TypeKind::kNull) || type.is_lambda) return false;
  }
  if (types.empty()) return false;
  Result<FunctionDescription> description = functions.Describe(name);
  return description.ok() && description->signatures.size() > 1;
}

/// Text literals beside a DATE, TIME or TIMESTAMP argument read as that type; false if none was.
bool ReadTimeTexts(std::vector<BoundExprPtr>& args, std::vector<ArgumentType>& types) {
  const DataType* time = nullptr;
  for (const ArgumentType& type : types) {
    if (type.type.is(TypeKind::kDate) || type.type.is(TypeKind::kTime) ||
        type.type.is(TypeKind::kTimestamp)) {
      time = &type.type;
    }
  }
  if (time == nullptr) return false;
  const DataType wanted = *time;
  bool read = false;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] == nullptr || args[i]->kind != BoundKind::kLiteral ||
        !types[i].type.is(TypeKind::kString) || types[i].is_interval_unit) {
      continue;
    }
    BoundExprPtr converted = MakeCast(args[i], wanted);
    if (converted->kind != BoundKind::kLiteral) continue;
    args[i] = std::move(converted);
    types[i].type = wanted;
    read = true;
  }
  return read;
}

/// ksqlDB's STDDEV_SAMP is a variance; this is what SQL means by it.
const std::string kStandardDeviation = "STDDEV_SAMPLE";

bool HasUnits(const ast::FunctionCall& call) {
  for (const ast::ExprPtr& arg : call.args) {
    if (arg->kind == ast::ExprKind::kIntervalUnit) return true;
  }
  return false;
}

}  // namespace

Result<BoundExprPtr> ExprBinder::BindCall(const ast::FunctionCall& call) {
  const std::string& name = call.name.name;
  if (call.over != nullptr) {
    return Status(ErrorCode::kUnsupported, "OVER is not supported").At(call.over->position);
  }
  const bool is_aggregate = functions_.IsAggregate(name);
  const bool is_sql = aggregates_ != nullptr && aggregates_->is_sql;
  if (call.distinct && !(is_aggregate && is_sql)) {
    return Status(ErrorCode::kUnsupported, "DISTINCT in a function call is not supported: " + name)
        .WithHint("COUNT_DISTINCT(x) estimates the number of different values");
  }
  if (call.filter != nullptr && !(is_aggregate && is_sql)) {
    return Status(ErrorCode::kUnsupported, is_aggregate
                                               ? "FILTER (WHERE …) is not supported here: " + name
                                               : "FILTER (WHERE …) belongs to aggregates: " + name)
        .At(call.filter->position)
        .WithHint(is_aggregate ? "a CASE in the argument says the same: " + name +
                                     "(CASE WHEN condition THEN x END)"
                               : "");
  }
  if (is_aggregate) return BindAggregateCall(call);
  if (functions_.IsTableFunction(name)) return BindTableCall(call);
  if (!functions_.IsScalar(name)) {
    return Status(ErrorCode::kUnknownFunction, "unknown function: " + name)
        .At(call.name.position)
        .WithHint(DidYouMean(name, functions_.Names()));
  }
  if (call.star) {
    return Status(ErrorCode::kNoMatchingOverload, "only aggregates take *: " + name);
  }
  Result<BoundExprPtr> bound = BindScalarCall(call, false);
  if (bound.ok() || !HasUnits(call)) return bound;
  // DAY, HOUR and the like are no reserved words: they may be columns.
  Result<BoundExprPtr> with_columns = BindScalarCall(call, true);
  return with_columns.ok() ? std::move(with_columns) : std::move(bound);
}

Result<BoundExprPtr> ExprBinder::BindLambda(const ast::Lambda& lambda,
                                            std::span<const DataType> types) {
  if (types.size() != lambda.parameters.size()) {
    return Status(ErrorCode::kNoMatchingOverload,
                  "a lambda with " + std::to_string(lambda.parameters.size()) +
                      " parameters stands where one takes " + std::to_string(types.size()))
        .At(lambda.position);
  }
  const int first = static_cast<int>(lambda_parameters_.size());
  for (size_t i = 0; i < types.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (lambda.parameters[i].name != lambda.parameters[j].name) continue;
      return Status(ErrorCode::kDuplicateName,
                    "a lambda names a parameter twice: " + lambda.parameters[i].name)
          .At(lambda.parameters[i].position);
    }
    lambda_parameters_.push_back(
        {lambda.parameters[i].name, first + static_cast<int>(i), types[i]});
  }
  Result<BoundExprPtr> body = BindNode(*lambda.body);
  lambda_parameters_.resize(first);
  if (!body.ok()) return body;
  auto bound = NewExpr(BoundKind::kLambda, (*body)->type, {*body});
  bound->index = first;
  bound->parameter_count = static_cast<int>(types.size());
  bound->position = lambda.position;
  bound->text = ast::FormatExpr(lambda);
  return BoundExprPtr(bound);
}

Result<BoundExprPtr> ExprBinder::BindScalarCall(const ast::FunctionCall& call,
                                                bool units_as_columns) {
  const size_t count = call.args.size();
  std::vector<BoundExprPtr> args(count);
  std::vector<ArgumentType> types(count);
  for (size_t i = 0; i < count; ++i) {
    const ast::Expr& arg = *call.args[i];
    if (arg.kind == ast::ExprKind::kLambda) {
      types[i].is_lambda = true;
      types[i].lambda_parameters = static_cast<int>(arg.As<ast::Lambda>().parameters.size());
      continue;
    }
    if (arg.kind == ast::ExprKind::kIntervalUnit && !units_as_columns) {
      const std::string unit(UnitName(arg.As<ast::IntervalUnit>().unit));
      args[i] = MakeLiteral(Value(unit), DataType::String(), unit);
      types[i] = {.type = DataType::String(), .is_literal = true, .is_interval_unit = true};
      continue;
    }
    WEIR_ASSIGN_OR_RETURN(args[i], BindNode(arg));
    types[i] = TypeOfArgument(*args[i]);
  }
  Status lambda_error;
  const LambdaBinder bind_lambda = [&](int argument,
                                       std::span<const DataType> parameters) -> Result<DataType> {
    const auto& lambda = call.args[argument]->As<ast::Lambda>();
    Result<BoundExprPtr> bound = BindLambda(lambda, parameters);
    if (!bound.ok()) {
      lambda_error = bound.status();
      return std::move(bound).status();
    }
    args[argument] = *bound;
    return (*bound)->type;
  };
  if (IsAmbiguous(call.name.name, types, functions_)) {
    return Status(ErrorCode::kNoMatchingOverload,
                  "all arguments are NULL, so the types are unknown: " + call.name.name)
        .At(call.position)
        .WithHint("write CAST(NULL AS type) for one of them");
  }
  Result<const ScalarOverload*> resolved =
      functions_.ResolveScalar(call.name.name, types, bind_lambda);
  if (!resolved.ok() && ReadTimeTexts(args, types)) {
    Result<const ScalarOverload*> with_times =
        functions_.ResolveScalar(call.name.name, types, bind_lambda);
    if (with_times.ok()) resolved = std::move(with_times);
  }
  if (!resolved.ok()) {
    if (!lambda_error.ok()) return lambda_error;
    return std::move(resolved).status().At(call.position);
  }
  const ScalarOverload& overload = **resolved;
  for (size_t i = 0; i < count; ++i) {
    if (i >= overload.parameter_types.size() || types[i].is_interval_unit) continue;
    const DataType& type = overload.parameter_types[i];
    if (!types[i].is_lambda) {
      args[i] = MakeCast(std::move(args[i]), type);
      continue;
    }
    if (args[i] == nullptr || args[i]->type == type) continue;
    auto lambda = std::make_shared<BoundExpr>(*args[i]);
    lambda->children[0] = MakeCast(lambda->children[0], type);
    lambda->type = type;
    args[i] = std::move(lambda);
  }
  return MakeCall(&overload, std::move(args));
}

Result<BoundExprPtr> ExprBinder::BindAggregateCall(const ast::FunctionCall& call) {
  const std::string& name = call.name.name;
  if (inside_aggregate_) {
    return Status(ErrorCode::kInvalidAggregate,
                  "aggregate functions cannot be nested: " + ast::FormatExpr(call));
  }
  if (aggregates_ == nullptr || !lambda_parameters_.empty()) {
    return Status(ErrorCode::kInvalidAggregate,
                  clause_ + " does not take aggregate functions: " + name)
        .WithHint(clause_ == "WHERE" ? "HAVING, behind GROUP BY, takes conditions on groups" : "");
  }
  // Arguments see the aggregation's input only, not its window.
  ExprBinder inner(*aggregates_->argument_scope, catalog_, functions_, clause_);
  inner.inside_aggregate_ = true;
  inner.aggregates_ = aggregates_;
  std::vector<BoundExprPtr> args;
  std::vector<ArgumentType> types;
  for (const ast::ExprPtr& arg : call.args) {
    WEIR_ASSIGN_OR_RETURN(BoundExprPtr bound, inner.Bind(*arg));
    types.push_back(TypeOfArgument(*bound));
    args.push_back(std::move(bound));
  }
  if (args.empty() && name != "COUNT") {
    // As in ksqlDB an aggregate without argument works on ROWTIME.
    args.push_back(MakeSystem(SystemColumn::kRowTime));
    types.push_back(TypeOfArgument(*args[0]));
  }
  const bool is_sql = aggregates_->is_sql;
  if (call.filter != nullptr) {
    WEIR_RETURN_IF_ERROR(AddFilter(call, inner, args, types));
  }
  if (call.distinct && name == "COUNT") return CountDistinct(call, args);
  if (call.distinct && name != "MIN" && name != "MAX") {
    return Status(ErrorCode::kUnsupported, "DISTINCT is not supported in this aggregate: " + name)
        .WithHint("group a SELECT DISTINCT in FROM; COUNT, MIN and MAX take it");
  }
  if (is_sql && name == "SUM" && args[0]->type.is(TypeKind::kInt)) {
    args[0] = MakeCast(args[0], DataType::Bigint());
    types[0].type = DataType::Bigint();
  }
  const std::string& meant = is_sql && name == "STDDEV_SAMP" ? kStandardDeviation : name;
  Result<const AggregateOverload*> resolved = functions_.ResolveAggregate(meant, types);
  if (!resolved.ok()) return std::move(resolved).status().At(call.position);
  const AggregateOverload& overload = **resolved;
  CollectedAggregates::Call made{&overload, {}, {}, ast::FormatExpr(call)};
  const size_t columns = args.size() - std::min(args.size(), overload.constant_types.size());
  for (size_t i = 0; i < args.size(); ++i) {
    if (i < columns) {
      made.args.push_back(i < overload.parameter_types.size()
                              ? MakeCast(args[i], overload.parameter_types[i])
                              : args[i]);
      continue;
    }
    BoundExprPtr constant = MakeCast(args[i], overload.constant_types[i - columns]);
    if (!IsConstant(*constant)) {
      return Status(ErrorCode::kInvalidAggregate, "argument " + std::to_string(i + 1) + " of " +
                                                      name +
                                                      " has to be a literal: " + args[i]->text)
          .At(args[i]->position);
    }
    WEIR_ASSIGN_OR_RETURN(Value value, EvaluateConstantExpr(*constant));
    made.constants.push_back(std::move(value));
  }
  const int number = Collect(std::move(made));
  if (number >= static_cast<int>(limits::kColumnsMax)) {
    return Status(ErrorCode::kInvalidAggregate,
                  "there are more than " + std::to_string(limits::kColumnsMax) + " aggregates")
        .At(call.position);
  }
  BoundExprPtr result = MakeColumn(kCallColumnBase + number, overload.return_type, {});
  if (is_sql && (name == "SUM" || name == "AVG")) return NullBelow(1, args[0], std::move(result));
  if (is_sql && name.starts_with("STDDEV_SAMP")) return NullBelow(2, args[0], std::move(result));
  return result;
}

namespace {

/// Aggregates that do not see rows whose first argument is null.
bool SkipsNulls(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "COUNT",       "COUNT_DISTINCT", "SUM",         "AVG",  "MIN",         "MAX",
      "STDDEV_SAMP", "STDDEV_SAMPLE",  "CORRELATION", "TOPK", "TOPKDISTINCT"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

}  // namespace

/// FILTER (WHERE …): the first argument is null in rows for which the condition is not true.
Status ExprBinder::AddFilter(const ast::FunctionCall& call, ExprBinder& inner,
                             std::vector<BoundExprPtr>& args, std::vector<ArgumentType>& types) {
  if (!SkipsNulls(call.name.name)) {
    return Status(ErrorCode::kUnsupported,
                  "FILTER (WHERE …) is not supported with an aggregate that keeps nulls: " +
                      call.name.name)
        .At(call.filter->position)
        .WithHint("WHERE of a SELECT inside FROM says the same");
  }
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr condition, inner.BindPredicate(*call.filter));
  if (args.empty()) {
    args.push_back(MakeLiteral(Value(true), DataType::Boolean(), "TRUE"));
    types.push_back(TypeOfArgument(*args[0]));
  }
  const DataType type = args[0]->type;
  auto kept =
      NewExpr(BoundKind::kCase, type, {condition, args[0], MakeLiteral(Value(), type, "NULL")});
  kept->text = "CASE WHEN " + condition->text + " THEN " + args[0]->text + " END";
  args[0] = std::move(kept);
  types[0] = TypeOfArgument(*args[0]);
  return OkStatus();
}

/// COUNT(DISTINCT x): the size of the set of values, less one where null is among them.
Result<BoundExprPtr> ExprBinder::CountDistinct(const ast::FunctionCall& call,
                                               const std::vector<BoundExprPtr>& args) {
  if (args.size() != 1) {
    return Status(ErrorCode::kUnsupported,
                  "COUNT(DISTINCT …) takes one expression, not " + std::to_string(args.size()))
        .At(call.position)
        .WithHint("SELECT COUNT(*) FROM (SELECT DISTINCT a, b FROM …)");
  }
  constexpr int32_t kNoLimit = -1;
  const auto column = [this](CollectedAggregates::Call made) {
    const DataType type = made.function->return_type;
    return MakeColumn(kCallColumnBase + Collect(std::move(made)), type, {});
  };
  WEIR_ASSIGN_OR_RETURN(CollectedAggregates::Call set,
                        AggregateOf(functions_, "COLLECT_SET", {args[0]}));
  set.constants.push_back(Value(kNoLimit));
  WEIR_ASSIGN_OR_RETURN(CollectedAggregates::Call values,
                        AggregateOf(functions_, "COUNT", {args[0]}));
  WEIR_ASSIGN_OR_RETURN(CollectedAggregates::Call rows, AggregateOf(functions_, "COUNT", {}));
  WEIR_ASSIGN_OR_RETURN(BoundExprPtr size,
                        CallOf(functions_, "ARRAY_LENGTH", {column(std::move(set))}));
  WEIR_ASSIGN_OR_RETURN(
      BoundExprPtr has_null,
      CallOf(functions_, "<", {column(std::move(values)), column(std::move(rows))}));
  BoundExprPtr nulls = NewExpr(BoundKind::kCase, DataType::Bigint(),
                               {std::move(has_null), MakeBigint(1), MakeBigint(0)});
  return CallOf(functions_, "-", {MakeCast(std::move(size), DataType::Bigint()), std::move(nulls)});
}

int ExprBinder::Collect(CollectedAggregates::Call call) {
  std::vector<CollectedAggregates::Call>& calls = aggregates_->calls;
  const auto same = [&](const CollectedAggregates::Call& other) {
    if (other.function != call.function || !(other.constants == call.constants)) return false;
    if (other.args.size() != call.args.size()) return false;
    for (size_t i = 0; i < call.args.size(); ++i) {
      if (!SameExpr(*other.args[i], *call.args[i])) return false;
    }
    return true;
  };
  size_t hash = std::hash<const void*>()(call.function);
  for (const BoundExprPtr& arg : call.args) hash = hash * 31 + HashExpr(*arg);
  const auto [begin, end] = aggregates_->by_hash.equal_range(hash);
  for (auto known = begin; known != end; ++known) {
    if (same(calls[static_cast<size_t>(known->second)])) return known->second;
  }
  const int number = static_cast<int>(calls.size());
  aggregates_->by_hash.emplace(hash, number);
  calls.push_back(std::move(call));
  return number;
}

Result<BoundExprPtr> ExprBinder::NullBelow(int64_t least, const BoundExprPtr& arg,
                                           BoundExprPtr result) {
  const std::vector<ArgumentType> counted = {TypeOfArgument(*arg)};
  WEIR_ASSIGN_OR_RETURN(const AggregateOverload* count,
                        functions_.ResolveAggregate("COUNT", counted));
  CollectedAggregates::Call call{count, {}, {}, "COUNT(" + arg->text + ")"};
  call.args.push_back(count->parameter_types.empty() ? arg
                                                     : MakeCast(arg, count->parameter_types[0]));
  BoundExprPtr values =
      MakeColumn(kCallColumnBase + Collect(std::move(call)), count->return_type, {});
  BoundExprPtr bound = MakeLiteral(Value(least), DataType::Bigint(), std::to_string(least));
  const std::vector<ArgumentType> compared = {TypeOfArgument(*values), TypeOfArgument(*bound)};
  WEIR_ASSIGN_OR_RETURN(const ScalarOverload* below,
                        functions_.ResolveScalar("<", compared, nullptr));
  const DataType type = result->type;
  return BoundExprPtr(NewExpr(BoundKind::kCase, type,
                              {MakeCall(below, {std::move(values), std::move(bound)}),
                               MakeLiteral(Value(), type, "NULL"), std::move(result)}));
}

Result<BoundExprPtr> ExprBinder::BindTableCall(const ast::FunctionCall& call) {
  const std::string& name = call.name.name;
  if (inside_table_function_) {
    return Status(ErrorCode::kInvalidStatement, "table functions cannot be nested: " + name);
  }
  if (table_calls_ == nullptr) {
    return Status(ErrorCode::kInvalidStatement,
                  "a table function has no place in " + clause_ + ": " + name);
  }
  inside_table_function_ = true;
  std::vector<BoundExprPtr> args;
  std::vector<ArgumentType> types;
  Status failure;
  for (const ast::ExprPtr& arg : call.args) {
    Result<BoundExprPtr> bound = BindNode(*arg);
    if (!bound.ok()) {
      failure = std::move(bound).status();
      break;
    }
    types.push_back(TypeOfArgument(**bound));
    args.push_back(std::move(*bound));
  }
  inside_table_function_ = false;
  if (!failure.ok()) return failure;
  Result<const TableFunctionOverload*> resolved = functions_.ResolveTableFunction(name, types);
  if (!resolved.ok()) return std::move(resolved).status().At(call.position);
  for (size_t i = 0; i < args.size() && i < (*resolved)->parameter_types.size(); ++i) {
    args[i] = MakeCast(std::move(args[i]), (*resolved)->parameter_types[i]);
  }
  table_calls_->calls.push_back({*resolved, std::move(args), ast::FormatExpr(call)});
  const int number = static_cast<int>(table_calls_->calls.size()) - 1;
  return MakeColumn(kCallColumnBase + number, (*resolved)->return_type, {});
}

}  // namespace weir
