#pragma once

// Fills a RecordBatch from stored blocks: a large block is given out in place, small ones (single
// INSERTs) are brought together.

#include "exec/formats/record_batch.h"

namespace weir {

/// Blocks with fewer bytes than this are copied together with what follows them.
inline constexpr size_t kSmallBlockBytes = 32 * 1024;

/// Collects rows of blocks of one partition. Rows must come in offset order.
class RecordMerge {
 public:
  RecordMerge(int32_t rows_max, size_t bytes_max, RecordBatch& out);
  /// Takes rows of `block` from `first` on. `base_offset` is that of the block's row 0. Returns
  /// true if more may follow, false if the batch is full.
  bool Add(const RecordBatch& block, int32_t first, int64_t base_offset);
  /// Closes the batch.
  void Finish();

 private:
  Slice Copy(const RecordBatch& block, Slice slice);
  void TakeSlices(const std::vector<Slice>& slices, const RecordBatch& block, int32_t first,
                  int32_t stop, std::vector<Slice>& out);
  int32_t rows_max_;
  size_t bytes_max_;
  RecordBatch& out_;
  BufferBuilder copied_;
  bool in_place_ = false;
};

}  // namespace weir
