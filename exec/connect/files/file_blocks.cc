#include "exec/connect/files/file_blocks.h"

#include <algorithm>
#include <cstring>

#include "exec/connect/files/byte_source.h"
#include "exec/connect/files/line_source.h"

namespace weir {
namespace {

constexpr size_t kLookedAtBytes = 256 * 1024;

}  // namespace

FileBlocks::FileBlocks(std::string path, char delimiter, int64_t first_row)
    : path_(std::move(path)), delimiter_(delimiter), first_rows_{first_row} {}

Result<int64_t> FileBlocks::FirstRow(int64_t block) {
  std::lock_guard lock(mutex_);
  while (static_cast<int64_t>(first_rows_.size()) <= block) {
    const int64_t position = static_cast<int64_t>(first_rows_.size()) * kFileBlockBytes;
    int64_t row = first_rows_.back();
    if (row < position) {
      auto plain = LastPlainRow(row, position);
      if (!plain.ok()) return plain;
      auto behind = FirstRowBehind(*plain, position);
      if (!behind.ok()) return behind;
      row = *behind;
    }
    first_rows_.push_back(row);
  }
  return first_rows_[static_cast<size_t>(block)];
}

/// A row at or before `position` from which on rows must be cut: as near as no quote comes between.
Result<int64_t> FileBlocks::LastPlainRow(int64_t from, int64_t position) const {
  auto bytes = OpenByteFile(path_, from, false);
  if (!bytes.ok()) return bytes.status();
  std::vector<uint8_t> looked_at(kLookedAtBytes);
  int64_t row = from;
  while (from < position) {
    const auto wanted = static_cast<size_t>(std::min<int64_t>(position - from, kLookedAtBytes));
    auto count = (*bytes)->Read(looked_at.data(), wanted);
    if (!count.ok()) return count.status();
    if (*count == 0) break;
    if (delimiter_ != LineCutter::kNoQuotes &&
        std::memchr(looked_at.data(), '"', *count) != nullptr) {
      break;
    }
    if (const void* line_end = memrchr(looked_at.data(), '\n', *count)) {
      row = from + (static_cast<const uint8_t*>(line_end) - looked_at.data()) + 1;
    }
    from += static_cast<int64_t>(*count);
  }
  return row;
}

Result<int64_t> FileBlocks::FirstRowBehind(int64_t from, int64_t position) const {
  auto bytes = OpenByteFile(path_, from, false);
  if (!bytes.ok()) return bytes.status();
  LineCutter cutter(std::move(*bytes), delimiter_, from, path_);
  cutter.set_soft_end(position);
  cutter.set_keeps_empty(true);  // Who leaves them out does so when it reads the block.
  std::vector<LineCutter::Line> rows;
  while (cutter.position() < position) {
    rows.clear();
    if (Status status = cutter.Next(1, rows); !status.ok()) return status;
    if (rows.empty()) break;
    if (rows[0].position >= position) return rows[0].position;
  }
  return cutter.position();
}

}  // namespace weir
