#include "exec/functions/builtin_functions.h"

namespace weir {

std::span<const FunctionRow> LambdaFunctions() { return {}; }

}  // namespace weir
