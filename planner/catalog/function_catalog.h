#pragma once

// What the planner knows of functions: names, overloads, types. The kernels behind them are known
// to exec/functions only, which fills this catalog from its tables (one row a function).

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/status.h"
#include "weir/types.h"

namespace weir {

/// An argument as the caller wrote it, enough to resolve an overload.
struct ArgumentType {
  DataType type;  ///< kNull for a bare NULL literal.
  bool is_lambda = false;
  int lambda_parameters = 0;      ///< For lambdas: how many.
  bool is_literal = false;        ///< A constant; some overloads want one.
  bool is_interval_unit = false;  ///< A bare unit word (DAYS, …) as DATEADD takes it.
};

/// One overload of a scalar function or operator. Signatures are written as text and parsed once,
/// e.g. "(STRING, INT, INT) -> STRING", "(ARRAY<T>, T) -> BOOLEAN", "(INT, STRING...) -> STRING",
/// "(ARRAY<T>, (T) => R) -> ARRAY<R>", "(DECIMAL, DECIMAL) -> DECIMAL" (then `result_type` computes
/// precision and scale).
struct ScalarOverload {
  std::string name;                       ///< Upper case; operators by sign: "+", "=", "||".
  std::vector<DataType> parameter_types;  ///< After resolution of T; what arguments are cast to.
  DataType return_type;                   ///< After resolution.
  const void* kernel_row = nullptr;       ///< Row of exec/functions; opaque to the planner.
  bool deterministic = true;              ///< False: RANDOM, UUID, UNIX_TIMESTAMP(): never folded.
  bool is_variadic = false;
};

/// Type of a lambda's parameters, asked for once the types of the arguments before it are known.
using LambdaBinder =
    std::function<Result<DataType>(int argument, std::span<const DataType> parameters)>;

/// Names, signature texts and examples of one function, for SHOW FUNCTIONS and DESCRIBE FUNCTION.
struct FunctionDescription {
  std::string name;
  std::string kind;  ///< "SCALAR", "AGGREGATE", "TABLE".
  std::string category;
  std::string text;
  std::vector<std::string> signatures;
  std::vector<std::string> examples;
};

/// One resolved overload of an aggregate function.
struct AggregateOverload {
  std::string name;
  std::vector<DataType> parameter_types;  ///< Of the column arguments, without initial constants.
  std::vector<DataType> constant_types;   ///< Of trailing constant arguments (TOPK's k, …).
  DataType return_type;
  const void* aggregate_row = nullptr;  ///< Row of exec/functions; opaque to the planner.
  bool can_undo = false;                ///< May aggregate a table.
  bool can_merge = false;               ///< May aggregate sessions.
  bool order_sensitive = false;         ///< LATEST_BY_OFFSET, COLLECT_LIST, …
  int state_version = 1;                ///< Of the bytes that its state is kept as.
  /// Columns of a partial state; empty: rows cannot be pre-aggregated.
  std::vector<DataType> partial_types;
};

/// One resolved overload of a table function (EXPLODE, CUBE_EXPLODE).
struct TableFunctionOverload {
  std::string name;
  std::vector<DataType> parameter_types;
  DataType return_type;  ///< Of the one column it makes.
  const void* kernel_row = nullptr;
};

/// All functions of the engine. Immutable after start-up; safe from any thread. Returned overloads
/// live as long as the catalog.
class FunctionCatalog {
 public:
  virtual ~FunctionCatalog() = default;
  virtual bool IsScalar(std::string_view name) const = 0;
  virtual bool IsAggregate(std::string_view name) const = 0;
  virtual bool IsTableFunction(std::string_view name) const = 0;
  /// kUnknownFunction with near names, or kNoMatchingOverload with the overloads there are.
  /// `bind_lambda` is called for each lambda argument with its parameters' types, and gives the
  /// type of its body.
  virtual Result<const ScalarOverload*> ResolveScalar(std::string_view name,
                                                      std::span<const ArgumentType> arguments,
                                                      const LambdaBinder& bind_lambda) const = 0;
  virtual Result<const AggregateOverload*> ResolveAggregate(
      std::string_view name, std::span<const ArgumentType> arguments) const = 0;
  virtual Result<const TableFunctionOverload*> ResolveTableFunction(
      std::string_view name, std::span<const ArgumentType> arguments) const = 0;
  /// The overload with exactly these types, as a kept plan names it: of lambdas `parameters` has
  /// the type of the body and `lambdas` the number of their parameters (-1: no lambda). Null: there
  /// is none.
  virtual const ScalarOverload* FindScalar(std::string_view name,
                                           std::span<const DataType> parameters,
                                           std::span<const int> lambdas,
                                           const DataType& result) const = 0;
  virtual const AggregateOverload* FindAggregate(std::string_view name,
                                                 std::span<const DataType> parameters,
                                                 std::span<const DataType> constants,
                                                 const DataType& result) const = 0;
  virtual const TableFunctionOverload* FindTableFunction(std::string_view name,
                                                         std::span<const DataType> parameters,
                                                         const DataType& result) const = 0;
  virtual std::vector<std::string> Names() const = 0;
  virtual Result<FunctionDescription> Describe(std::string_view name) const = 0;
};

/// The one catalog of built-in functions (defined in exec/functions).
const FunctionCatalog& BuiltinFunctions();
/// The same functions where weir.sql.extensions is false: calls that ksqlDB finds ambiguous are
/// refused.
const FunctionCatalog& DialectFunctions();

}  // namespace weir
