// The table of operators.

#include "exec/functions/builtin_functions.h"
#include "exec/functions/scalar/operator_kernels.h"

namespace weir {
namespace {

constexpr std::string_view kCategory = "OPERATOR";

constexpr FunctionRow Arithmetic(std::string_view name, std::string_view signature, Kernel kernel,
                                 bool never_fails, ResultType result_type = nullptr) {
  return {.name = name,
          .signature = signature,
          .kernel = kernel,
          .result_type = result_type,
          .category = kCategory,
          .never_fails = never_fails};
}

constexpr FunctionRow Comparison(std::string_view name, std::string_view signature, Kernel kernel) {
  return {.name = name,
          .signature = signature,
          .nulls = Nulls::kHandle,
          .kernel = kernel,
          .prepare = &PrepareComparison,
          .category = kCategory,
          .never_fails = true};
}

// Types that have an order. DECIMALs are compared whatever their scales.
#define WEIR_ORDERED(name, kernel)                                   \
  Comparison(name, "(INT, INT) -> BOOLEAN", kernel),                 \
      Comparison(name, "(BIGINT, BIGINT) -> BOOLEAN", kernel),       \
      Comparison(name, "(DECIMAL, DECIMAL) -> BOOLEAN", kernel),     \
      Comparison(name, "(DOUBLE, DOUBLE) -> BOOLEAN", kernel),       \
      Comparison(name, "(STRING, STRING) -> BOOLEAN", kernel),       \
      Comparison(name, "(BYTES, BYTES) -> BOOLEAN", kernel),         \
      Comparison(name, "(DATE, DATE) -> BOOLEAN", kernel),           \
      Comparison(name, "(TIME, TIME) -> BOOLEAN", kernel),           \
      Comparison(name, "(TIMESTAMP, TIMESTAMP) -> BOOLEAN", kernel), \
      Comparison(name, "(DATE, TIMESTAMP) -> BOOLEAN", kernel),      \
      Comparison(name, "(TIMESTAMP, DATE) -> BOOLEAN", kernel)

#define WEIR_EQUALITY(name, kernel) \
  WEIR_ORDERED(name, kernel), Comparison(name, "(T, T) -> BOOLEAN", kernel)

constexpr FunctionRow kOperators[] = {
    Arithmetic("+", "(INT, INT) -> INT", &AddInt, true),
    Arithmetic("+", "(BIGINT, BIGINT) -> BIGINT", &AddBigint, true),
    Arithmetic("+", "(DECIMAL, DECIMAL) -> DECIMAL", &AddDecimal, false, &AddResult),
    Arithmetic("+", "(DOUBLE, DOUBLE) -> DOUBLE", &AddDouble, true),
    Arithmetic("+", "(STRING, STRING) -> STRING", &ConcatBytes, false),
    Arithmetic("+", "(INT) -> INT", &FirstArgument, true),
    Arithmetic("+", "(BIGINT) -> BIGINT", &FirstArgument, true),
    Arithmetic("+", "(DECIMAL) -> DECIMAL", &FirstArgument, true),
    Arithmetic("+", "(DOUBLE) -> DOUBLE", &FirstArgument, true),
    Arithmetic("-", "(INT, INT) -> INT", &SubtractInt, true),
    Arithmetic("-", "(BIGINT, BIGINT) -> BIGINT", &SubtractBigint, true),
    Arithmetic("-", "(DECIMAL, DECIMAL) -> DECIMAL", &SubtractDecimal, false, &AddResult),
    Arithmetic("-", "(DOUBLE, DOUBLE) -> DOUBLE", &SubtractDouble, true),
    Arithmetic("-", "(INT) -> INT", &NegateInt, true),
    Arithmetic("-", "(BIGINT) -> BIGINT", &NegateBigint, true),
    Arithmetic("-", "(DECIMAL) -> DECIMAL", &NegateDecimal, true),
    Arithmetic("-", "(DOUBLE) -> DOUBLE", &NegateDouble, true),
    Arithmetic("*", "(INT, INT) -> INT", &MultiplyInt, true),
    Arithmetic("*", "(BIGINT, BIGINT) -> BIGINT", &MultiplyBigint, true),
    Arithmetic("*", "(DECIMAL, DECIMAL) -> DECIMAL", &MultiplyDecimals, false, &MultiplyResult),
    Arithmetic("*", "(DOUBLE, DOUBLE) -> DOUBLE", &MultiplyDouble, true),
    Arithmetic("/", "(INT, INT) -> INT", &DivideInt, false),
    Arithmetic("/", "(BIGINT, BIGINT) -> BIGINT", &DivideBigint, false),
    Arithmetic("/", "(DECIMAL, DECIMAL) -> DECIMAL", &DivideDecimals, false, &DivideResult),
    Arithmetic("/", "(DOUBLE, DOUBLE) -> DOUBLE", &DivideDouble, true),
    Arithmetic("%", "(INT, INT) -> INT", &ModuloInt, false),
    Arithmetic("%", "(BIGINT, BIGINT) -> BIGINT", &ModuloBigint, false),
    Arithmetic("%", "(DECIMAL, DECIMAL) -> DECIMAL", &ModuloDecimals, false, &ModuloResult),
    Arithmetic("%", "(DOUBLE, DOUBLE) -> DOUBLE", &ModuloDouble, true),
    Arithmetic("||", "(STRING, STRING) -> STRING", &ConcatBytes, false),
    Arithmetic("||", "(BYTES, BYTES) -> BYTES", &ConcatBytes, false),
    WEIR_EQUALITY("=", &EqualKernel),
    WEIR_EQUALITY("<>", &NotEqualKernel),
    WEIR_ORDERED("<", &LessKernel),
    WEIR_ORDERED("<=", &LessOrEqualKernel),
    WEIR_ORDERED(">", &GreaterKernel),
    WEIR_ORDERED(">=", &GreaterOrEqualKernel),
    WEIR_EQUALITY("IS DISTINCT FROM", &DistinctKernel),
    WEIR_EQUALITY("IS NOT DISTINCT FROM", &NotDistinctKernel),
    {.name = "LIKE",
     .signature = "(STRING, STRING) -> BOOLEAN",
     .kernel = &LikeKernel,
     .prepare = &PrepareLike,
     .category = kCategory},
    {.name = "LIKE",
     .signature = "(STRING, STRING, STRING) -> BOOLEAN",
     .kernel = &LikeKernel,
     .prepare = &PrepareLike,
     .category = kCategory},
};

#undef WEIR_EQUALITY
#undef WEIR_ORDERED

}  // namespace

std::span<const FunctionRow> OperatorFunctions() { return kOperators; }

}  // namespace weir
