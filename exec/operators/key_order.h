#pragma once

// The order in which keys come out of windows that close together: by their bytes as Kafka's
// serializers write them, so that it does not depend on the order in which rows were read.

#include <cstdint>
#include <string>
#include <vector>

#include "weir/batch.h"

namespace weir {

/// Orders the rows of key columns, which hold no nulls.
class KeyOrder {
 public:
  explicit KeyOrder(std::vector<ColumnPtr> columns);

  /// Below, equal to or above 0.
  int Compare(int32_t a, int32_t b) const;

 private:
  enum class Kind { kText, kInt, kBigint, kBytes };
  Kind kind_ = Kind::kBytes;
  std::vector<ColumnPtr> columns_;
  std::vector<std::string> bytes_;  // By row, where kind_ is kBytes.
};

}  // namespace weir
