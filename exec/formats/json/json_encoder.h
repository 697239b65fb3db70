#pragma once

// Columns to records in JSON, keys in schema order.

#include <memory>

#include "exec/formats/format.h"

namespace weir {

std::unique_ptr<SideEncoder> MakeJsonEncoder(const FormatSpec& spec,
                                             const std::vector<FormatColumn>& columns);

}  // namespace weir
