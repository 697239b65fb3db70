#pragma once

// `weir test`: golden tests (.test, or on a page in .md) and conformance cases (.json).

#include <ostream>

#include "shell/options.h"
#include "shell/program.h"
#include "shell/prompt/interrupts.h"

namespace weir::shell {

/// Runs all files; returns the exit code: 0 all passed, 1 some did not, 2 a file is neither kind.
int RunTestCommand(const ProgramOptions& options, std::ostream& out, std::ostream& err,
                   Interrupts& interrupts, const EngineOpener& open_engine);

}  // namespace weir::shell
