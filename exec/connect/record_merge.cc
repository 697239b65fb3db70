#include "exec/connect/record_merge.h"

#include <algorithm>

namespace weir {
namespace {

size_t RowBytes(const RecordBatch& block, size_t row) {
  return static_cast<size_t>(std::max(block.keys[row].length, 0)) +
         static_cast<size_t>(std::max(block.values[row].length, 0));
}

}  // namespace

RecordMerge::RecordMerge(int32_t rows_max, size_t bytes_max, RecordBatch& out)
    : rows_max_(rows_max), bytes_max_(bytes_max), out_(out) {
  out_.Clear();
}

Slice RecordMerge::Copy(const RecordBatch& block, Slice slice) {
  if (slice.is_null()) return slice;
  const std::string_view view = block.View(slice);
  const Slice copy{static_cast<uint32_t>(copied_.size()), slice.length};
  copied_.Append(view.data(), view.size());
  return copy;
}

bool RecordMerge::Add(const RecordBatch& block, int32_t first, int64_t base_offset) {
  const bool small = block.bytes == nullptr || block.bytes->size() < kSmallBlockBytes;
  if (out_.size() > 0 && (in_place_ || !small)) return false;
  in_place_ = !small;
  size_t bytes = copied_.size();
  int32_t row = first;
  for (; row < block.size() && out_.size() < rows_max_; ++row) {
    const auto at = static_cast<size_t>(row);
    bytes += RowBytes(block, at);
    if (bytes > bytes_max_ && out_.size() > 0) break;
    Slice headers;
    if (!block.headers.empty()) headers = block.headers[at];
    out_.keys.push_back(in_place_ ? block.keys[at] : Copy(block, block.keys[at]));
    out_.values.push_back(in_place_ ? block.values[at] : Copy(block, block.values[at]));
    if (!headers.is_null() || !out_.headers.empty()) {
      out_.headers.resize(out_.values.size() - 1);
      out_.headers.push_back(in_place_ ? headers : Copy(block, headers));
    }
    out_.timestamps.push_back(block.timestamps[at]);
    out_.offsets.push_back(base_offset + row);
  }
  if (in_place_) out_.bytes = block.bytes;
  return row == block.size() && !in_place_ && out_.size() < rows_max_;
}

void RecordMerge::Finish() {
  if (!in_place_) out_.bytes = copied_.Finish();
}

}  // namespace weir
