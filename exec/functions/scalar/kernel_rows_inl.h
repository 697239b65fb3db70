#pragma once

// The loops of kernels: a body run for the rows that count, null for the others.

#include "base/limits.h"
#include "exec/functions/kernel.h"
#include "exec/functions/scalar/cell.h"

namespace weir {

/// Runs body(row) for active rows; it must append one value. Other rows get null.
template <typename Body>
void ForActiveRows(const KernelCall& call, ColumnBuilder& out, Body&& body) {
  out.Reserve(call.rows);
  for (int32_t row = 0; row < call.rows; ++row) {
    if (call.IsActive(row)) {
      body(row);
    } else {
      out.AppendNull();
    }
  }
}

/// Whether a value of so many bytes is larger than any record may be; then that is the row's error.
/// For values that are put together outside of the column, which has a limit of its own.
inline bool IsTooLong(const KernelCall& call, int32_t row, size_t bytes) {
  if (bytes <= limits::kMadeValueBytesMax) return false;
  call.Error(row, "the value would be larger than a record may be (64 MB)");
  return true;
}

/// A kernel of one argument from a function A -> R of plain values.
template <typename A, typename R, R (*kFunction)(A)>
void UnaryKernel(const KernelCall& call, ColumnBuilder& out) {
  const auto* in = reinterpret_cast<const A*>(call.args[0]->raw_values());
  ForActiveRows(call, out, [&](int32_t row) { AppendCell<R>(kFunction(in[row]), out); });
}

/// A kernel of two arguments from a function (A, B) -> R of plain values.
template <typename A, typename B, typename R, R (*kFunction)(A, B)>
void BinaryKernel(const KernelCall& call, ColumnBuilder& out) {
  const auto* left = reinterpret_cast<const A*>(call.args[0]->raw_values());
  const auto* right = reinterpret_cast<const B*>(call.args[1]->raw_values());
  ForActiveRows(call, out,
                [&](int32_t row) { AppendCell<R>(kFunction(left[row], right[row]), out); });
}

inline int32_t GetInt(const Column& column, int32_t row) {
  return reinterpret_cast<const int32_t*>(column.raw_values())[row];
}
inline int64_t GetBigint(const Column& column, int32_t row) {
  return reinterpret_cast<const int64_t*>(column.raw_values())[row];
}
inline double GetDouble(const Column& column, int32_t row) {
  return reinterpret_cast<const double*>(column.raw_values())[row];
}

}  // namespace weir
