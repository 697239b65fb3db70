#include "exec/connect/record_merge.h"

#include <algorithm>
#include <numeric>

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
  int32_t stop = std::min(block.size(), first + rows_max_ - out_.size());
  size_t bytes = copied_.size();
  if (in_place_ && block.bytes->size() <= bytes_max_) {
    bytes = bytes_max_;  // No row can be too much: none is counted.
  } else {
    for (int32_t row = first; row < stop; ++row) {
      bytes += RowBytes(block, static_cast<size_t>(row));
      if (bytes > bytes_max_ && (row > first || out_.size() > 0)) stop = row;
    }
  }
  TakeSlices(block.keys, block, first, stop, out_.keys);
  if (!block.headers.empty()) {
    out_.headers.resize(out_.values.size());
    TakeSlices(block.headers, block, first, stop, out_.headers);
  }
  TakeSlices(block.values, block, first, stop, out_.values);
  if (!out_.headers.empty()) out_.headers.resize(out_.values.size());
  out_.timestamps.insert(out_.timestamps.end(), block.timestamps.begin() + first,
                         block.timestamps.begin() + stop);
  if (!block.append_times.empty()) {
    out_.append_times.insert(out_.append_times.end(), block.append_times.begin() + first,
                             block.append_times.begin() + stop);
  }
  const size_t known = out_.offsets.size();
  out_.offsets.resize(out_.values.size());
  std::iota(out_.offsets.begin() + static_cast<std::ptrdiff_t>(known), out_.offsets.end(),
            base_offset + first);
  if (in_place_) out_.bytes = block.bytes;
  return stop == block.size() && !in_place_ && out_.size() < rows_max_;
}

void RecordMerge::TakeSlices(const std::vector<Slice>& slices, const RecordBatch& block,
                             int32_t first, int32_t stop, std::vector<Slice>& out) {
  if (in_place_) {
    out.insert(out.end(), slices.begin() + first, slices.begin() + stop);
    return;
  }
  for (int32_t row = first; row < stop; ++row) {
    out.push_back(Copy(block, slices[static_cast<size_t>(row)]));
  }
}

void RecordMerge::Finish() {
  if (!in_place_) out_.bytes = copied_.Finish();
}

}  // namespace weir
