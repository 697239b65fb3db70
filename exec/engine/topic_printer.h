#pragma once

// PRINT: the records of a topic as rows of text, with the formats guessed record by record.

#include <memory>
#include <optional>
#include <string_view>

#include "exec/connect/topic.h"
#include "exec/formats/format.h"
#include "weir/engine.h"

namespace weir {

struct TopicPrint {
  std::string_view topic;
  bool from_beginning = false;
  std::optional<int64_t> interval;  ///< Every so many-th record is shown.
  std::optional<int64_t> limit;     ///< Rows; none: for ever.
  /// The window in the keys, where a stream or table over the topic tells of one.
  WindowKeyKind window = WindowKeyKind::kNone;
  int64_t window_size_ms = 0;
  /// Whose schemas records may begin with the ids of; null: none.
  std::shared_ptr<SchemaRegistry> schemas;
};

/// A cursor over the topic with columns partition, offset, timestamp, key, value, headers. A key
/// with a window is key@[start,end). Follows the topic. Must not outlive `broker`.
Result<std::unique_ptr<Cursor>> MakeTopicPrinter(Broker& broker, const TopicPrint& print);

/// Bytes as text: UTF-8 as it stands, 4 and 8 bytes that are not text as big-endian integers,
/// others as hexadecimal.
std::string GuessText(std::string_view bytes);

}  // namespace weir
