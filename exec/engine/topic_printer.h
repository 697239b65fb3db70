#pragma once

// PRINT: the records of a topic as rows of text, with the formats guessed record by record.

#include <memory>
#include <optional>
#include <string_view>

#include "exec/connect/topic.h"
#include "weir/engine.h"

namespace weir {

/// A cursor over `topic` with columns partition, offset, timestamp, key, value, headers. Follows the
/// topic until `limit` rows; every `interval`-th record is shown. Must not outlive `broker`.
Result<std::unique_ptr<Cursor>> MakeTopicPrinter(Broker& broker, std::string_view topic,
                                                 bool from_beginning,
                                                 std::optional<int64_t> interval,
                                                 std::optional<int64_t> limit);

/// Bytes as text: UTF-8 as it stands, 4 and 8 bytes that are not text as big-endian integers, others
/// as hexadecimal.
std::string GuessText(std::string_view bytes);

}  // namespace weir
