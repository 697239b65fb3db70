#pragma once

// The tables of built-in functions, one a family, each defined in the file of its name
// (string_functions.cc, count_aggregates.cc, …). builtin_functions.cc makes the catalog from them.
// A new function is one row in one of these tables.

#include <span>

#include "exec/functions/aggregate/aggregate.h"
#include "exec/functions/kernel.h"

namespace weir {

/// Operators, under the names by which the binder resolves them: "+" "-" (one or two arguments),
/// "*" "/" "%" "||" "=" "<>" "<" "<=" ">" ">=" "IS DISTINCT FROM" "IS NOT DISTINCT FROM" and
/// "LIKE" (text, pattern[, escape]).
std::span<const FunctionRow> OperatorFunctions();
/// COALESCE, IFNULL, NULLIF, AS_VALUE, GREATEST, LEAST.
std::span<const FunctionRow> ConditionalFunctions();
std::span<const FunctionRow> StringFunctions();
std::span<const FunctionRow> MaskFunctions();
std::span<const FunctionRow> RegexpFunctions();
std::span<const FunctionRow> MathFunctions();
std::span<const FunctionRow> CollectionFunctions();
std::span<const FunctionRow> LambdaFunctions();
std::span<const FunctionRow> JsonFunctions();
std::span<const FunctionRow> BytesFunctions();
std::span<const FunctionRow> DateTimeFunctions();
std::span<const FunctionRow> UrlFunctions();

std::span<const TableFunctionRow> TableFunctions();

std::span<const AggregateRow> CountAggregates();
std::span<const AggregateRow> SumAggregates();
std::span<const AggregateRow> MinMaxAggregates();
std::span<const AggregateRow> OffsetAggregates();
std::span<const AggregateRow> CollectAggregates();
std::span<const AggregateRow> TopkAggregates();
std::span<const AggregateRow> StatisticsAggregates();

}  // namespace weir
