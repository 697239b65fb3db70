#pragma once

// Chunks in several parts: where a column made of a whole one would be too large.

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "base/interrupt.h"
#include "exec/column/builder.h"
#include "exec/column/column_limit.h"

namespace weir {

/// Where to part rows [from, from + count), about in the middle and so that a kUpdateBefore stays
/// with its kUpdateAfter: rows of the first part; 0 if they cannot be parted. `ops` is that of all
/// rows, or null.
size_t FirstPart(const RowOp* ops, size_t from, size_t count);

/// Whether a chunk has parts: more rows than one, or than one update.
bool HasParts(const Chunk& chunk);

/// Calls run(part) -> Status for the first and the second half of the rows of a chunk that has
/// parts.
template <typename Run>
Status ForBothParts(Chunk chunk, const Run& run) {
  const bool selects = chunk.selection != nullptr;
  chunk = Flatten(std::move(chunk));
  const auto rows = static_cast<size_t>(chunk.rows);
  const RowOp* ops = chunk.ops ? chunk.ops->as<RowOp>() : nullptr;
  const size_t first = FirstPart(ops, 0, rows);
  if (first == 0) {
    if (selects) return run(std::move(chunk));
    return Status(ErrorCode::kInternal, "a chunk that has no parts was to be parted");
  }
  Status status = run(RowRange(chunk, 0, first));
  if (!status.ok()) return status;
  return run(RowRange(chunk, first, rows - first));
}

/// Calls use(chunk) -> Status for chunks of rows [0, count), which make(from, count) -> Chunk
/// builds: as many rows at once as a batch has and as fit limits::kMadeColumnBytesMax, but one at
/// least. `ops` as for FirstPart.
template <typename Make, typename Use>
Status InParts(size_t count, const RowOp* ops, const Make& make, const Use& use,
               size_t rows_max = static_cast<size_t>(limits::kBatchRowsMax)) {
  size_t reach = rows_max;
  for (size_t from = 0; from < count;) {
    size_t part = std::min(count - from, reach);
    const bool parts_update =
        ops != nullptr && from + part < count && ops[from + part - 1] == RowOp::kUpdateBefore;
    if (parts_update) part += part > 1 ? -1 : 1;
    const size_t smaller = FirstPart(ops, from, part);
    Chunk chunk;
    Status made =
        WithinColumnLimit(smaller == 0 ? limits::kColumnBytesMax : limits::kMadeColumnBytesMax,
                          [&] { chunk = make(from, part); });
    if (IsTooLarge(made) && smaller != 0) {
      reach = smaller;
      continue;
    }
    if (!made.ok()) return made;
    CheckInterrupt();
    Status used = use(std::move(chunk));
    if (!used.ok()) return used;
    from += part;
    reach = std::min(reach * 2, rows_max);
  }
  return OkStatus();
}

}  // namespace weir
