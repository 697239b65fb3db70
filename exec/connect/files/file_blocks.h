#pragma once

// How a file is shared out to the partitions of its source: in blocks of a fixed size, in turn, so
// that a row belongs to the same partition however long the file is when it is opened. A row
// belongs to the block that its first byte lies in.
//
// Whether a line begins a row of a CSV is told by all the quotes before it. So the file is looked
// through once, from its beginning, for all partitions together; where there are no quotes that is
// as fast as memory is.

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "weir/status.h"

namespace weir {

/// Bytes of a block.
inline constexpr int64_t kFileBlockBytes = 4 << 20;

/// Where the first row of each block begins. Safe from any thread.
class FileBlocks {
 public:
  /// `delimiter` as for LineCutter; the first row begins at `first_row`.
  FileBlocks(std::string path, char delimiter, int64_t first_row);

  /// The position of the first row that begins in `block` or behind it; the file's end if there is
  /// none.
  Result<int64_t> FirstRow(int64_t block);

 private:
  Result<int64_t> FirstRowBehind(int64_t from, int64_t position) const;
  Result<int64_t> LastPlainRow(int64_t from, int64_t position) const;

  const std::string path_;
  const char delimiter_;
  std::mutex mutex_;
  std::vector<int64_t> first_rows_;  ///< By block, as far as it has been looked at.
};

}  // namespace weir
