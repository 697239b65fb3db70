#include "exec/column/column_limit.h"

#include <utility>

#include <fmt/format.h>

namespace weir {
namespace {

thread_local size_t column_bytes_max = limits::kColumnBytesMax;

}  // namespace

ColumnLimit::ColumnLimit(size_t bytes) : outer_(std::exchange(column_bytes_max, bytes)) {}

ColumnLimit::~ColumnLimit() { column_bytes_max = outer_; }

void CheckColumnBytes(size_t bytes) {
  if (bytes > column_bytes_max) throw ColumnTooLarge{bytes, column_bytes_max};
}

Status ColumnTooLargeStatus(const ColumnTooLarge& thrown) {
  return Status(
      ErrorCode::kRecordTooLarge,
      fmt::format("a column would need {} bytes, more than {}", thrown.bytes, thrown.limit));
}

}  // namespace weir
