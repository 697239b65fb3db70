#pragma once

// Runs a program, reads what it prints, and kills it as kill -9 does: by itself at a named point
// (WEIR_FAULT), or from outside after some time.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace weir::fault {

struct ChildOptions {
  std::vector<std::string> arguments;  ///< The program first.
  std::string fault;                   ///< Value of WEIR_FAULT; empty: not set.
  bool spills = false;                 ///< WEIR_FAULT_SPILL, which fault_child knows.
  std::string input;                   ///< Its standard input.
  std::optional<std::chrono::microseconds> kill_after;
  std::optional<size_t> file_bytes_max;  ///< RLIMIT_FSIZE: a write past it fails.
  /// It is killed, and the run counts as failed, when it takes longer.
  std::chrono::seconds timeout{60};
};

struct ChildResult {
  bool killed = false;  ///< By SIGKILL, from inside or outside.
  bool timed_out = false;
  int exit_code = -1;  ///< If not killed; 128 + n after another signal n.
  std::string out;
  std::string err;
};

/// Blocks until the program has ended.
ChildResult RunChild(const ChildOptions& options);

}  // namespace weir::fault
