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
/// Bytes of one buffer of a column, whose offsets have 32 bits: kRecordTooLarge beyond.
inline constexpr size_t kColumnBytesMax = size_t{1} << 30;
/// Bytes of one buffer of a column in the chunks that joins, table functions and expressions make:
/// what would be larger becomes several chunks.
inline constexpr size_t kMadeColumnBytesMax = 32u << 20;
/// Bytes of one buffer of a column that expressions make of a single row, and of one evaluation of
/// it: beyond, the value is null and an error of the row. No record could hold it.
inline constexpr size_t kMadeValueBytesMax = kRecordBytesMax;
/// Bytes that a task collects for one partition of a topic before the commit takes them over.
inline constexpr size_t kOutputBytesMax = 8u << 20;
/// Bytes of one SQL statement: kStatementTooLong beyond.
inline constexpr size_t kStatementBytesMax = 1u << 20;
/// Nesting of expressions, types and brackets in SQL: kNestingTooDeep beyond. The parser and the
/// binder recurse, and this keeps them inside an 8 MB stack.
inline constexpr int kNestingDepthMax = 200;
/// Streams, tables and files that a SELECT without EMIT reads, each as often as it is named.
inline constexpr size_t kRelationsMax = 1000;
/// Pairs of rows that a join without an equality looks at.
inline constexpr int64_t kJoinPairsMax = 20'000'000'000;
/// Nesting of JSON values decoded from records; deeper values make the record bad.
inline constexpr int kValueDepthMax = 64;
/// Columns of a stream, a table or a result, fields of a STRUCT, expressions of a GROUP BY, and
/// aggregates of a SELECT: an error of the statement beyond. What grows with the square of them
/// stays under a second.
inline constexpr size_t kColumnsMax = 10'000;
/// Digits of a DECIMAL: what Arrow's decimal128 holds.
inline constexpr int kDecimalPrecisionMax = 38;
/// Windows that one row is in: a HOPPING window whose size is more of its advances is refused.
inline constexpr int64_t kWindowsOfRowMax = 100'000;
/// Milliseconds of a duration in SQL, a thousand years: sizes, graces, retentions and WITHIN of
/// more are refused. Sums of a few of them and of a time stay far from the end of 64 bits.
inline constexpr int64_t kDurationMsMax = int64_t{365'250} * 86'400'000;
/// The latest time of a row, in milliseconds since the epoch: sums of it and a few durations do not
/// overflow. Records with a later one are dropped and counted (bad_timestamp).
inline constexpr int64_t kRowTimeMax = int64_t{1} << 61;
/// Bytes of a topic name or application id, Kafka's own rule.
inline constexpr size_t kTopicNameBytesMax = 249;

}  // namespace weir::limits
