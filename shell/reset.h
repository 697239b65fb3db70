#pragma once

// `weir reset`: tells what an application keeps, asks, deletes it.

#include "shell/options.h"
#include "shell/program.h"
#include "shell/prompt/interrupts.h"
#include "weir/reset.h"

namespace weir::shell {

/// Carries `options.reset` out. Asks on a terminal, unless --yes was given; kUsage where it can not
/// ask. kCancelled when the answer is no.
Status RunReset(const ProgramOptions& options, const EngineOptions& engine, ProgramStreams& streams,
                Interrupts& interrupts);

/// The list that a person decides by, several lines.
std::string DescribeReset(const ResetPlan& plan);

}  // namespace weir::shell
