#pragma once

// CAST over whole columns. The loop for a pair of types is chosen once, when the query is compiled.

#include <memory>

#include "exec/column/builder.h"
#include "exec/expr/expr_program.h"

namespace weir {

/// Rows of one cast and where its errors go.
struct CastCall {
  int32_t rows = 0;
  /// Bit i set: row i counts and is not null. Other rows become null.
  const uint8_t* active = nullptr;
  EvalContext* context = nullptr;
  /// The batch's row for each row here, when elements of collections are cast; null: the same.
  const int32_t* origin = nullptr;
  void Error(int32_t row, std::string_view message) const {
    context->errors.Add(origin == nullptr ? row : origin[row], message);
  }
};

/// One conversion. Reuses its builder: one thread at a time.
class Cast {
 public:
  virtual ~Cast() = default;
  virtual ColumnPtr Run(const CastCall& call, const ColumnPtr& column) = 0;
  /// No value of the source type can fail.
  virtual bool never_fails() const = 0;
};

/// kInvalidCast if there is no such cast. Not for equal types.
Result<std::unique_ptr<Cast>> CompileCast(const DataType& from, const DataType& to);

}  // namespace weir
