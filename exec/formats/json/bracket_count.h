#pragma once

// Counts brackets in JSON text, as fast as memory gives it.

#include <cstddef>

namespace weir {

/// How many of `text`'s bytes are one of {}[], in strings or not.
size_t CountBrackets(const char* text, size_t length);

}  // namespace weir
