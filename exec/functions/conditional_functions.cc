#include "exec/functions/builtin_functions.h"

namespace weir {

std::span<const FunctionRow> ConditionalFunctions() { return {}; }

}  // namespace weir
