#pragma once

// The version of this header; weir::Version() is the library's.

#include <string_view>

#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0

namespace weir {

/// "0.1.0".
std::string_view Version();

}  // namespace weir
