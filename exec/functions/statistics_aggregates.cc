#include "exec/functions/builtin_functions.h"

namespace weir {

std::span<const AggregateRow> StatisticsAggregates() { return {}; }

}  // namespace weir
