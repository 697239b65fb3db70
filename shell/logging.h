#pragma once

// Where the engine's log lines go: stderr or a file, by spdlog.

#include <string>

#include "weir/options.h"
#include "weir/status.h"

namespace weir::shell {

/// A logger for EngineOptions that writes to `file`, or to stderr where it is empty.
Result<Logger> MakeLogger(const std::string& file);

}  // namespace weir::shell
