#pragma once

// Runs the cases of a conformance file (.json), each on a fresh engine in memory with a clock that
// stands still, and tells verdicts or dumps what came out.

#include <ostream>
#include <string>

namespace weir::testing {

struct TestOptions {
  /// Write one line of JSON a case with what came out; judge nothing.
  bool dump = false;
  /// Up to so many consecutive records of one topic go in as one batch.
  int batch_rows = 1;
};

/// Runs all cases of `path`, writing to `out` line by line, flushed. Returns the exit code: 0, or 1
/// if a case failed (never with dump) or the file cannot be read.
int RunConformanceFile(const std::string& path, const TestOptions& options, std::ostream& out);

}  // namespace weir::testing
