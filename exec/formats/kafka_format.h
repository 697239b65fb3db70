#pragma once

// The KAFKA format: one column as Kafka's own serializers write it (big-endian numbers, bare text).

#include <memory>

#include "exec/formats/format.h"

namespace weir {

std::unique_ptr<SideDecoder> MakeKafkaDecoder(const FormatSpec& spec,
                                              const std::vector<FormatColumn>& columns);
std::unique_ptr<SideEncoder> MakeKafkaEncoder(const FormatSpec& spec,
                                              const std::vector<FormatColumn>& columns);

/// The NONE format: no columns, null bytes.
std::unique_ptr<SideDecoder> MakeNoneDecoder(const FormatSpec& spec, size_t column_count);
std::unique_ptr<SideEncoder> MakeNoneEncoder();

}  // namespace weir
