#pragma once

// Hashes of keys that lie in stores: the same on every machine and in every version.

#include <cstdint>
#include <span>
#include <vector>

#include "weir/batch.h"

namespace weir {

/// One hash for each of `rows` (numbers of rows in `keys`, which hold no nulls there). Equal keys
/// have equal hashes; NaNs and signed zeros count by their bits, as in row_codec.h.
void HashKeys(std::span<const ColumnPtr> keys, std::span<const int32_t> rows,
              std::vector<uint64_t>& hashes);

}  // namespace weir
