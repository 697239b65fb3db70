#pragma once

// Memory that was freed but is still this process's.

namespace weir {

/// Gives freed memory back to the system where the C library keeps it (glibc). Takes some
/// milliseconds and holds up allocations meanwhile: for after something large has ended.
void ReturnFreeMemory();

}  // namespace weir
