#include "exec/functions/builtin_functions.h"

namespace weir {

std::span<const AggregateRow> TopkAggregates() { return {}; }

}  // namespace weir
