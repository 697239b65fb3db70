#pragma once

// What must hold for any decoder and any records, whatever bytes they are. A broken promise aborts
// with the records that break it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exec/formats/format.h"

namespace weir::fuzz {

/// Records as they are cut out of a fuzzer's input; none: Kafka's null.
using Records = std::vector<std::optional<std::string>>;

/// Cuts `input` at line ends, or at the byte 0x1e if its first byte's lowest bit is set (so that
/// records can hold line ends); a record "~" is null. The first byte is not part of the records.
Records CutRecords(std::string_view input);

/// Puts the id of a schema, 1 or 2, and `behind` in front of each record that does not begin with a
/// zero byte, so that most records reach a schema.
void PutIdsInFront(Records& records, std::string_view behind = {});

/// Decodes `records` in one batch and each alone, all columns and only every other one, and aborts
/// unless columns are as long as the batch, well formed and alike, and states agree with `bad`.
void CheckDecoder(const FormatSpec& spec, const std::vector<FormatColumn>& columns,
                  const Records& records);

/// Columns of every type, nested ones too if `nested`.
std::vector<FormatColumn> AllColumns(bool nested);

}  // namespace weir::fuzz
