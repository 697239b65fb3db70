#pragma once

// Formats of keys and values: a decoder to columns and an encoder from columns, for each side of a
// record. A new format is one file that defines both and one line in format_registry.cc.

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exec/column/builder.h"
#include "exec/formats/record_batch.h"
#include "weir/status.h"
#include "weir/types.h"

namespace weir {

class SchemaRegistry;

/// A format as WITH names it, for one side of a record.
struct FormatSpec {
  std::string name;  ///< Upper case: JSON, DELIMITED, KAFKA, NONE, AVRO, ….
  bool is_key = false;
  /// One column stands bare, not inside an object (keys of one column; WRAP_SINGLE_VALUE=false).
  bool unwrapped = false;
  std::map<std::string, std::string> properties;  ///< DELIMITER, STRICT.JSON, …; upper case.
  /// Formats whose schemas are in a registry (NeedsRegistry in base/schema_rules.h): that registry,
  /// which outlives what is made of this; the subject of the schemas; and the stream or table that
  /// they are named after.
  SchemaRegistry* registry = nullptr;
  std::string subject = {};
  std::string source_name = {};
  bool operator==(const FormatSpec&) const = default;
};

/// A column to decode. All columns of the side are listed in schema order (DELIMITED counts
/// fields); only `needed` ones are built.
struct FormatColumn {
  std::string name;
  DataType type;
  bool needed = true;
};

enum class RowState : uint8_t {
  kOk = 0,
  kNull = 1,  ///< The side itself is null; its columns are null.
  kBad = 2,   ///< Does not decode; its columns are null.
};

/// What decoding one side of a batch of records gives.
struct DecodedSide {
  std::vector<ColumnPtr> columns;  ///< By position in the column list; null where not needed.
  std::vector<RowState> states;    ///< One a record, or empty when all are kOk.
  struct Bad {
    int32_t row;
    std::string reason;  ///< What, where in the bytes, which column.
  };
  std::vector<Bad> bad;  ///< One for each kBad row, ascending.
};

/// Decodes one side of records. Reuses its builders; one thread at a time.
class SideDecoder {
 public:
  virtual ~SideDecoder() = default;
  /// Decodes keys or values of all records. A bad record never disturbs its neighbours.
  virtual Status Decode(const RecordBatch& records, DecodedSide& out) = 0;
};

/// Encodes one side of rows.
class SideEncoder {
 public:
  virtual ~SideEncoder() = default;
  /// Finds or registers the schema that rows are written by, where the format has one, so that what
  /// is wrong with it shows before the first row. Else Encode does it.
  virtual Status Prepare() { return OkStatus(); }
  /// For each rows[i]: appends the encoded bytes of the columns' row to `bytes` and sets slices[i].
  /// Columns are in schema order of the side. A side without columns, or format NONE: null slices.
  virtual Status Encode(const std::vector<ColumnPtr>& columns, std::span<const int32_t> rows,
                        BufferBuilder& bytes, std::vector<Slice>& slices) = 0;
};

/// kFormatMismatch if the format cannot hold these columns, kUnsupported where a registry is needed
/// that is not there, kInvalidProperty for unknown formats.
Result<std::unique_ptr<SideDecoder>> MakeDecoder(const FormatSpec& spec,
                                                 const std::vector<FormatColumn>& columns);
Result<std::unique_ptr<SideEncoder>> MakeEncoder(const FormatSpec& spec,
                                                 const std::vector<FormatColumn>& columns);

/// Kafka's windowed key encodings, so that Kafka Streams consumers can read our keys: time windows
/// append the start (8 bytes, big-endian); session windows the end and the start.
enum class WindowKeyKind : uint8_t { kNone, kTime, kSession };
void AppendWindowToKey(WindowKeyKind kind, int64_t start_ms, int64_t end_ms, BufferBuilder& bytes);
/// Splits the window off `key`; `size_ms` gives the end of time windows. False if it is too short.
bool SplitWindowedKey(WindowKeyKind kind, int64_t size_ms, std::string_view& key, int64_t& start_ms,
                      int64_t& end_ms);

/// One value as JSON text as the JSON format writes it (ksqlDB's notation), appended to `out`; for
/// TO_JSON_STRING, the shell and tests.
void AppendJsonValue(const Column& column, int32_t row, BufferBuilder& out);

/// Checks done at planning, without making anything: the same errors as MakeEncoder.
Status CheckFormat(const FormatSpec& spec, const std::vector<FormatColumn>& columns);

}  // namespace weir
