#pragma once

// What the program does once its command line is read: opens the engine, carries the command out.

#include <functional>
#include <istream>
#include <memory>
#include <ostream>

#include "shell/load/load.h"
#include "shell/options.h"
#include "shell/prompt/interrupts.h"
#include "weir/engine.h"

namespace weir::shell {

/// The three streams and what is behind them.
struct ProgramStreams {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  bool in_is_terminal = false;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  /// The descriptors behind `in` and `out`, where there are any: reading can then be stopped, and
  /// a reader that has gone is noticed.
  int in_descriptor = -1;
  int out_descriptor = -1;
};

using EngineOpener = std::function<Result<std::unique_ptr<Engine>>(EngineOptions)>;

/// Runs the program to its end and returns its exit code: 0 done, 1 a statement failed, 2 wrong
/// usage, 130 interrupted, 143 terminated with work undone, 141 nobody reads the output any more. A
/// termination is answered by 0 where only what would have gone on for ever was stopped.
int RunProgram(const ProgramOptions& options, ProgramStreams streams, Interrupts& interrupts,
               const EngineOpener& open_engine);

/// How the engine is opened for these options.
EngineOptions MakeEngineOptions(const ProgramOptions& options);

/// The PRINT statement for `print`.
std::string PrintStatement(const PrintOptions& options);

struct LoadMessages {
  bool quiet = false;
  bool err_is_terminal = false;
};
/// Loads a file (or `standard_input` for "-") and tells on `err` what is acknowledged: a line that
/// is rewritten on a terminal, else one line a batch.
Status LoadFile(Engine& engine, const LoadOptions& options, std::istream* standard_input,
                std::ostream& err, Interrupts& interrupts, LoadMessages messages);

}  // namespace weir::shell
