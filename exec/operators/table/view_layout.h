#pragma once

// What stands beside the rows of a view in its layout store.

#include <string>
#include <string_view>

#include "base/status_macros.h"
#include "exec/state/row_codec.h"

namespace weir {

/// The columns of the stored rows, as text.
inline constexpr std::string_view kViewColumns = "columns";
/// Windows that start below do not count.
inline constexpr std::string_view kViewLimit = "limit";

inline std::string EncodeViewLimit(int64_t limit) {
  std::string bytes;
  AppendOrdered64(limit, bytes);
  return bytes;
}

inline Result<int64_t> DecodeViewLimit(std::string_view bytes) {
  int64_t limit = 0;
  if (ReadOrdered64(bytes, limit) && bytes.empty()) return limit;
  return Status(ErrorCode::kStoreCorrupt, "how long a table keeps its windows is malformed");
}

}  // namespace weir
