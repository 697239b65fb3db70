#pragma once

// Named places at which a test can kill the process, as kill -9 would: WEIR_FAULT=name:n ends it
// the n-th time the place is passed, WEIR_FAULT=name:n:stop stops it there (SIGSTOP) until somebody
// has it go on. Passing costs the load of a flag; places are per batch or so.

#include <string_view>

namespace weir {

/// Ends the process with SIGKILL, or stops it, if the environment's WEIR_FAULT asks for it here and
/// now.
void PassFaultPoint(std::string_view name);

}  // namespace weir
