#pragma once

// Runs golden tests against the public engine, each file in up to five ways that must all give what
// the file says: as a whole, row by row, with a stop and recovery after each row, spread over
// several partitions and threads, and with state that leaves memory after every few rows.

#include <ostream>
#include <string>
#include <vector>

#include "shell/program.h"
#include "shell/test/golden_file.h"

namespace weir::shell {

enum class GoldenWay { kWhole, kRowByRow, kRestart, kSpread, kSpilled };
std::string_view GoldenWayName(GoldenWay way);

struct GoldenOptions {
  std::vector<GoldenWay> ways = {GoldenWay::kWhole, GoldenWay::kRowByRow, GoldenWay::kRestart,
                                 GoldenWay::kSpread, GoldenWay::kSpilled};
  /// Rewrites the expected parts by what the first way gave.
  bool update = false;
};

/// Runs one file; writes one line, and what differs where it fails. True if all ways passed.
bool RunGoldenFile(const std::string& path, const GoldenOptions& options,
                   const EngineOpener& open_engine, std::ostream& out);

}  // namespace weir::shell
