#pragma once

// Literals: from their text to values, and from one type to another without an evaluator.

#include <optional>
#include <string>
#include <string_view>

#include "base/value.h"
#include "parser/ast/expression.h"
#include "planner/binder/bound_expr.h"
#include "weir/status.h"
#include "weir/types.h"

namespace weir {

/// A literal with its SQL type: 12 is INTEGER, 1.50 is DECIMAL(3, 2), 1e3 DOUBLE.
Result<BoundExprPtr> BindLiteral(const ast::LiteralValue& literal, SourcePosition position);

/// `value` in another type, for the conversions that the dialect does unasked: numbers to wider
/// ones, NULL to anything, text to BOOLEAN, numbers, DATE, TIME and TIMESTAMP, numbers and BOOLEAN
/// to text. Nothing if there is none or the value does not fit.
std::optional<Value> ConvertLiteral(const Value& value, const DataType& from, const DataType& to);

/// A value as SQL text, for EXPLAIN and messages.
std::string ValueText(const Value& value, const DataType& type);

}  // namespace weir
