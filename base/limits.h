#pragma once

// Every bound of the engine that is not a setting, with its reason and what happens there.

#include <cstddef>
#include <cstdint>

namespace weir::limits {

/// Rows in one batch: a dozen columns stay inside a 1 MB L2 cache. Larger inputs are cut.
inline constexpr int32_t kBatchRowsMax = 4096;
/// Bytes of payload in one batch; a batch ends early when it is reached.
inline constexpr size_t kBatchBytesMax = 4u << 20;
/// Bytes of free blocks that a thread keeps for its next batches; what is freed beyond them goes
/// back to the system. Four batches of many columns.
inline constexpr size_t kFreeBlockBytesMax = 4u << 20;
/// Bytes of one record; larger ones are refused on append (kRecordTooLarge) or dropped and counted.
inline constexpr size_t kRecordBytesMax = 64u << 20;
/// Bytes of one SQL statement: kStatementTooLong beyond.
inline constexpr size_t kStatementBytesMax = 1u << 20;
/// Nesting of expressions, types and brackets in SQL: kNestingTooDeep beyond. The parser and the
/// binder recurse, and this keeps them inside an 8 MB stack.
inline constexpr int kNestingDepthMax = 200;
/// Nesting of JSON values decoded from records; deeper values make the record bad.
inline constexpr int kValueDepthMax = 64;
/// Digits of a DECIMAL: what Arrow's decimal128 holds.
inline constexpr int kDecimalPrecisionMax = 38;
/// Bytes of a topic name or application id, Kafka's own rule.
inline constexpr size_t kTopicNameBytesMax = 249;

}  // namespace weir::limits
