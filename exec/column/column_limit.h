#pragma once

// How large the buffers of columns may become. Offsets have 32 bits, so a column has an end; long
// before it, rows are better handled in several chunks.
//
// What makes columns checks at the few places where memory is taken, and throws. Who can make the
// same rows in smaller chunks sets a limit, and is told by a status.

#include <cstddef>

#include "base/limits.h"
#include "weir/status.h"

namespace weir {

/// Thrown where a buffer of a column would pass the limit in force; never leaves the library.
struct ColumnTooLarge {
  size_t bytes;
  size_t limit;
};

/// Limits the buffers of columns that this thread makes as long as it lives. Outside of any scope
/// limits::kColumnBytesMax is in force.
class ColumnLimit {
 public:
  explicit ColumnLimit(size_t bytes);
  ~ColumnLimit();
  ColumnLimit(const ColumnLimit&) = delete;
  ColumnLimit& operator=(const ColumnLimit&) = delete;

 private:
  size_t outer_;
};

/// Throws ColumnTooLarge if a buffer of so many bytes may not be made.
void CheckColumnBytes(size_t bytes);

/// kRecordTooLarge.
Status ColumnTooLargeStatus(const ColumnTooLarge& thrown);
inline bool IsTooLarge(const Status& status) { return status.code() == ErrorCode::kRecordTooLarge; }

/// Runs `body`; kRecordTooLarge if a column that it makes would pass `limit`. What it has done
/// until then is not undone.
template <typename Body>
Status WithinColumnLimit(size_t limit, const Body& body) {
  const ColumnLimit scope(limit);
  try {
    body();
  } catch (const ColumnTooLarge& thrown) {
    return ColumnTooLargeStatus(thrown);
  }
  return OkStatus();
}

}  // namespace weir
