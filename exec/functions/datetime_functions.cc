#include "exec/functions/builtin_functions.h"

namespace weir {

std::span<const FunctionRow> DateTimeFunctions() { return {}; }

}  // namespace weir
