#pragma once

// Compares what came out with what a golden test expects, and says how they differ.

#include <string>
#include <vector>

#include "shell/test/golden_file.h"

namespace weir::shell {

/// Empty if `actual` is what `expected` says: the same rows in the same order, or, `by_key`, in the
/// same order within each key. `final`: a tombstone is the same as no row.
std::string CompareRows(const std::vector<GoldenRow>& expected,
                        const std::vector<GoldenRow>& actual, bool by_key, bool final);

/// The last row of each key, in the order in which the keys first came.
std::vector<GoldenRow> LastOfEachKey(const std::vector<GoldenRow>& rows);

/// Both lists, one below the other, for a person.
std::string Difference(const std::vector<std::string>& expected,
                       const std::vector<std::string>& actual);

}  // namespace weir::shell
