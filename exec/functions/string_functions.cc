#include "exec/functions/builtin_functions.h"

namespace weir {

std::span<const FunctionRow> StringFunctions() { return {}; }

}  // namespace weir
