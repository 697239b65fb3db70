#pragma once

// Compares what came out with what a golden test expects, and says how they differ.

#include <string>
#include <vector>

#include "shell/test/golden_file.h"

namespace weir::shell {

/// What makes two lists of rows the same.
enum class RowsMatch {
  kOrdered,     ///< The same rows in the same order.
  kByKey,       ///< The same rows in the same order within each key.
  kAnyOrder,    ///< The same rows, each as often.
  kLastOfKeys,  ///< The same last row of each key; a tombstone is the same as no row.
};

/// Empty if `actual` is what `expected` says.
std::string CompareRows(const std::vector<GoldenRow>& expected,
                        const std::vector<GoldenRow>& actual, RowsMatch match);

/// The last row of each key, in the order in which the keys first came.
std::vector<GoldenRow> LastOfEachKey(const std::vector<GoldenRow>& rows);

/// Both lists, one below the other, for a person.
std::string Difference(const std::vector<std::string>& expected,
                       const std::vector<std::string>& actual);

}  // namespace weir::shell
