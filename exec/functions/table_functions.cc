#include "exec/functions/builtin_functions.h"

namespace weir {

std::span<const TableFunctionRow> TableFunctions() { return {}; }

}  // namespace weir
