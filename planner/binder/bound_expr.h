#pragma once

// Expressions after binding: every name is a column index, every call a resolved overload, every
// implicit conversion a cast node. The planner makes them; exec/expr compiles them to kernels.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "planner/catalog/function_catalog.h"
#include "weir/status.h"
#include "weir/types.h"

namespace weir {

enum class BoundKind : uint8_t {
  kLiteral,  ///< `value`.
  kColumn,   ///< Column `index` of the input batch.
  kSystem,   ///< A system column of the input batch: `system`.
  kCall,     ///< Overload `function` on `children`. Operators (+, =, ||, …) are functions too.
  kCast,     ///< children[0] converted to `type` with SQL's CAST rules.
  kCase,     ///< children: when1, then1, when2, then2, …, [else]. Each runs only where needed.
  kAnd,      ///< Three-valued, two or more children.
  kOr,
  kNot,
  kIsNull,
  kIsNotNull,
  kIn,           ///< children[0] IN (children[1…]); all of one type.
  kSubscript,    ///< children[0][children[1]]: ARRAY from 1, negative from the end; MAP by key.
  kField,        ///< Field number `index` of the STRUCT children[0].
  kArray,        ///< ARRAY[children…], of `type`.
  kMap,          ///< MAP(k1 := v1, …): children k1, v1, …; of `type`.
  kStruct,       ///< STRUCT(f := child, …), of `type`.
  kLambda,       ///< Body children[0], parameters numbered from `index`, `parameter_count` of them.
  kLambdaParam,  ///< Parameter number `index` (numbered through all enclosing lambdas).
};

/// Columns that every batch carries outside its schema.
enum class SystemColumn : uint8_t {
  kRowTime,      ///< BIGINT, event time in ms; always there.
  kWindowStart,  ///< BIGINT, ms; only behind windowed sources and aggregations.
  kWindowEnd,    ///< BIGINT, ms.
  kPartition,    ///< INT, of the source record.
  kOffset,       ///< BIGINT, of the source record.
  kHeaders,      ///< ARRAY<STRUCT<KEY STRING, VALUE BYTES>>.
  kStreamTime,   ///< BIGINT: highest event time of the row's source partition up to this row.
};
inline constexpr int kSystemColumnCount = 7;

struct BoundExpr;
using BoundExprPtr = std::shared_ptr<const BoundExpr>;

/// One node; immutable once the planner hands it out, so plans share sub-trees.
struct BoundExpr {
  BoundKind kind = BoundKind::kLiteral;
  DataType type;
  std::vector<BoundExprPtr> children;
  Value value;                                   ///< kLiteral.
  int index = 0;                                 ///< kColumn, kField, kLambda, kLambdaParam.
  int parameter_count = 0;                       ///< kLambda.
  SystemColumn system = SystemColumn::kRowTime;  ///< kSystem.
  const ScalarOverload* function = nullptr;      ///< kCall; lives as long as the process.
  SourcePosition position;
  std::string text;  ///< As SQL, for messages and EXPLAIN.
};

/// The expression as SQL text with column indexes resolved by `schema`; for EXPLAIN.
std::string ToText(const BoundExpr& expr, const Schema& schema);

/// The DataType of a system column, and its name in SQL (ROWTIME, WINDOWSTART, …).
DataType SystemColumnType(SystemColumn column);
std::string_view SystemColumnName(SystemColumn column);

}  // namespace weir
