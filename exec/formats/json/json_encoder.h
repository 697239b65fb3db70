#pragma once

// Columns to records in JSON, keys in schema order.

#include <memory>

#include "exec/formats/format.h"

namespace weir {

/// What stands around each record.
struct JsonFrame {
  std::string prefix;        ///< In front of it.
  std::string more_members;  ///< Behind the last column of an object: `,"name":null`.
};

std::unique_ptr<SideEncoder> MakeJsonEncoder(const FormatSpec& spec,
                                             const std::vector<FormatColumn>& columns);
std::unique_ptr<SideEncoder> MakeFramedJsonEncoder(const FormatSpec& spec,
                                                   const std::vector<FormatColumn>& columns,
                                                   JsonFrame frame);

}  // namespace weir
