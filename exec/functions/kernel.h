#pragma once

// How a SQL function is written: one row in a table, one kernel over whole columns.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"
#include "exec/functions/row_errors.h"

namespace weir {

/// How a function treats null arguments.
enum class Nulls : uint8_t {
  kPropagate,  ///< Any null argument gives null; the kernel never sees these rows as valid.
  kHandle,     ///< The kernel looks at nulls itself.
};

/// A lambda argument, ready to run over flattened rows.
class LambdaProgram {
 public:
  virtual ~LambdaProgram() = default;
  /// Evaluates the body for `length` rows. `parameters` has one column a lambda parameter.
  /// `outer_rows[i]` is the row of the enclosing batch that row i belongs to (captured columns).
  virtual ColumnPtr Run(std::span<const ColumnPtr> parameters,
                        std::span<const int32_t> outer_rows) = 0;
  /// Rows of the last Run whose body failed (arithmetic on null inside a lambda): the whole call is
  /// null for their outer rows, as in ksqlDB.
  virtual std::span<const int32_t> failed_rows() const { return {}; }
};

/// One call of a kernel: `rows` rows; args[i] has at least `rows` rows (null for lambda arguments).
struct KernelCall {
  int32_t rows = 0;
  std::span<const ColumnPtr> args;
  std::span<LambdaProgram* const> lambdas;  ///< By argument; null where it is not a lambda.
  /// Bit i set: row i counts and (with Nulls::kPropagate) has no null argument. Never null: kernels
  /// must not raise errors for other rows.
  const uint8_t* active = nullptr;
  bool IsActive(int32_t row) const { return ((active[row >> 3] >> (row & 7)) & 1) != 0; }
  const DataType* return_type = nullptr;
  std::span<const DataType> arg_types;
  const void* state = nullptr;  ///< What `prepare` made.
  EvalContext* context = nullptr;
  void Error(int32_t row, std::string_view message) const { context->errors.Add(row, message); }
};

/// Appends exactly `call.rows` values to `out` (or fills the buffers of `out` as a whole).
/// With Nulls::kPropagate inactive rows must get null.
using Kernel = void (*)(const KernelCall& call, ColumnBuilder& out);

/// State made once at compile time from the constant arguments (compiled patterns, parsed formats).
/// constants[i] is null where argument i is not constant. May return null.
using PrepareKernel = Result<std::shared_ptr<const void>> (*)(
    std::span<const Value* const> constants, std::span<const DataType> arg_types);

/// Result type where the signature's text cannot say it (DECIMAL arithmetic, STRUCT results).
using ResultType = Result<DataType> (*)(std::span<const DataType> arg_types);

/// One overload of a scalar function. Several rows with one name are overloads, tried in order:
/// exact types first, then with implicit conversions (INT → BIGINT → DECIMAL → DOUBLE).
struct FunctionRow {
  std::string_view name;
  std::string_view signature;
  Nulls nulls = Nulls::kPropagate;
  Kernel kernel = nullptr;
  PrepareKernel prepare = nullptr;
  ResultType result_type = nullptr;
  bool deterministic = true;
  std::string_view category;
  std::string_view text;
  std::string_view example;  ///< "UCASE('ab') = 'AB'"; run by a test.
  /// Raises no row errors and costs about as much as its memory traffic: run over whole columns,
  /// also where a CASE or an AND needs only some of the rows.
  bool never_fails = false;
};

/// Writes the rows of one category in short, as FunctionRowOf Row{"URL"}: Row("URL_…", …).
struct FunctionRowOf {
  std::string_view category;
  constexpr FunctionRow operator()(std::string_view name, std::string_view signature, Kernel kernel,
                                   std::string_view text, std::string_view example,
                                   Nulls nulls = Nulls::kPropagate) const {
    return {.name = name,
            .signature = signature,
            .nulls = nulls,
            .kernel = kernel,
            .category = category,
            .text = text,
            .example = example};
  }
  constexpr FunctionRow operator()(std::string_view name, std::string_view signature, Kernel kernel,
                                   std::string_view text, std::string_view example,
                                   ResultType result_type) const {
    return {.name = name,
            .signature = signature,
            .kernel = kernel,
            .result_type = result_type,
            .category = category,
            .text = text,
            .example = example};
  }
};

/// A table function: for each active row appends any number of values and says how many.
struct TableFunctionRow {
  std::string_view name;
  std::string_view signature;
  /// Appends to `counts` one entry a row; values of row i follow those of row i-1 in `out`.
  void (*kernel)(const KernelCall& call, std::vector<int32_t>& counts,
                 ColumnBuilder& out) = nullptr;
  ResultType result_type = nullptr;
  std::string_view text;
  std::string_view example;
};

}  // namespace weir
